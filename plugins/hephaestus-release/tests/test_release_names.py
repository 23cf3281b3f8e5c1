"""The asset-name sanitiser: whatever a forge calls an asset, what is saved is one safe file name."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus_release._names import LONGEST_NAME, is_invisible, is_reserved, sanitise

ANY_NAME = st.text(st.characters(exclude_categories=())) | st.lists(
    st.sampled_from(
        ["..", ".", "/", "\\", "con", "NUL", "a", "C:", "~", " ", "-", "\0", "\u202e", "é", "e\u0301", "x" * 300]
    )
).map("".join)


@given(ANY_NAME)
def test_a_sanitised_name_is_a_single_component_on_every_system(name: str) -> None:
    clean = sanitise(name)
    assert clean not in {"", ".", ".."}
    assert PurePosixPath(clean).parts == (clean,)
    assert PureWindowsPath(clean).parts == (clean,)
    assert not PureWindowsPath(clean).drive


@given(ANY_NAME)
def test_a_sanitised_name_is_visible_short_and_not_a_device(name: str) -> None:
    clean = sanitise(name)
    assert not any(is_invisible(character) for character in clean)
    assert not is_reserved(clean)
    assert len(clean.encode()) <= LONGEST_NAME + 1
    assert clean[0] not in ".- "
    assert clean[-1] not in ". "
    assert not set(clean) & set('<>:"/\\|?*')


@given(ANY_NAME)
def test_sanitising_twice_changes_nothing_more(name: str) -> None:
    assert sanitise(sanitise(name)) == sanitise(name)


@given(ANY_NAME)
def test_a_sanitised_name_is_in_unicode_normal_form(name: str) -> None:
    assert unicodedata.is_normalized("NFC", sanitise(name))


@given(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,40}[A-Za-z0-9]", fullmatch=True).filter(lambda n: not is_reserved(n))
)
def test_an_ordinary_name_is_kept(name: str) -> None:
    assert sanitise(name) == name


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system32\\evil.dll", "evil.dll"),
        ("/etc/shadow", "shadow"),
        ("C:evil.whl", "C_evil.whl"),
        ("wheel\u202egpj.tar.gz", "wheelgpj.tar.gz"),
        ("name\0.tar.gz", "name.tar.gz"),
        ("NUL.tar.gz", "_NUL.tar.gz"),
        ("--index-url", "index-url"),
        (".bashrc", "bashrc"),
        ("..", "asset"),
        ("", "asset"),
        ("trailing. . ", "trailing"),
    ],
)
def test_known_tricks_are_undone(name: str, clean: str) -> None:
    assert sanitise(name) == clean


def test_a_long_name_keeps_its_suffix_and_can_be_created(tmp_path: Path) -> None:
    clean = sanitise("ü" * 300 + ".tar.gz")
    assert clean.endswith(".tar.gz")
    (tmp_path / f"{clean}.part").touch()

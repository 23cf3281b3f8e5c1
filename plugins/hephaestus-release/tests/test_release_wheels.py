"""Wheels: every byte is the one that the RECORD promises, or the wheel is refused."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hephaestus_release._wheels import check_wheel, one_version_each
from hephaestus_release.errors import WheelError
from hephaestus_release.testing.wheels import build_wheel, record_of

INFO = "alpha-1.0.dist-info"
CODE = "alpha/__init__.py"
BIG = os.urandom(700_000)


def rewritten(wheel: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """The wheel with other files, its RECORD as it was unless changed, too."""
    with zipfile.ZipFile(wheel) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    change(content)
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, raw in content.items():
            archive.writestr(name, raw)
    return wheel


def test_an_honest_wheel_is_accepted(tmp_path: Path) -> None:
    path = build_wheel(tmp_path, "Alpha-Tool", "1.0.0", files={"alpha_tool/data.bin": BIG, "alpha_tool/e.py": b""})
    wheel = check_wheel(path)
    assert (wheel.name, wheel.version, wheel.path) == ("alpha-tool", "1.0.0", path)
    assert wheel.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def _row(content: dict[str, bytes], path: str, row: str) -> None:
    lines = content[f"{INFO}/RECORD"].decode().splitlines()
    kept = [line for line in lines if not line.startswith(f"{path},")]
    content[f"{INFO}/RECORD"] = "\n".join([*kept, *([row] if row else [])]).encode()


LIES: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "changed file": (lambda c: c.update({CODE: b"evil"}), "differs from its RECORD"),
    "added file": (lambda c: c.update({"alpha/evil.py": b""}), "does not list: 'alpha/evil.py'"),
    "added path file": (lambda c: c.update({"evil.pth": b"import evil"}), "does not list: 'evil.pth'"),
    "missing file": (lambda c: c.pop(CODE), "lacks a file of its RECORD"),
    "no record": (lambda c: c.pop(f"{INFO}/RECORD"), "has no alpha-1.0.dist-info/RECORD"),
    "no metadata": (lambda c: c.pop(f"{INFO}/METADATA"), "has no alpha-1.0.dist-info/METADATA"),
    "no hash": (lambda c: _row(c, CODE, f"{CODE},,"), "no strong hash"),
    "weak hash": (lambda c: _row(c, CODE, f"{CODE},md5=1B2M2Y8AsgTpgAmY7PhCfg,0"), "no strong hash"),
    "wrong size": (lambda c: _row(c, CODE, _good_row(c, CODE).rsplit(",", 1)[0] + ",1"), "differs from its RECORD"),
    "listed twice": (
        lambda c: c.update({f"{INFO}/RECORD": c[f"{INFO}/RECORD"] + _good_row(c, CODE).encode() + b"\n"}),
        "twice in its RECORD",
    ),
    "not utf-8": (lambda c: c.update({f"{INFO}/RECORD": b"\xff,,\n"}), "malformed RECORD"),
    "two columns": (lambda c: c.update({f"{INFO}/RECORD": b"a,b\n"}), "malformed RECORD"),
    "two dist-infos": (lambda c: c.update({"other-1.0.dist-info/METADATA": b""}), "2 .dist-info folders"),
    "another name": (lambda c: _metadata(c, b"Name: other\nVersion: 1.0\n"), "says inside"),
    "another version": (lambda c: _metadata(c, b"Name: alpha\nVersion: 9\n"), "says inside"),
    "no version": (lambda c: _metadata(c, b"Name: alpha\n"), "says inside"),
    "climbing": (lambda c: c.update({"../evil.py": b""}), "unsafe name"),
    "absolute": (lambda c: c.update({"/etc/evil": b""}), "unsafe name"),
    "newline": (lambda c: c.update({"a\nb": b""}), "unsafe name"),
}


def _good_row(content: dict[str, bytes], path: str) -> str:
    return next(line for line in content[f"{INFO}/RECORD"].decode().splitlines() if line.startswith(f"{path},"))


def _metadata(content: dict[str, bytes], raw: bytes) -> None:
    content[f"{INFO}/METADATA"] = raw
    content[f"{INFO}/RECORD"] = record_of({k: v for k, v in content.items() if k != f"{INFO}/RECORD"}, INFO)


@pytest.mark.parametrize("case", LIES)
def test_a_wheel_that_lies_is_refused(tmp_path: Path, case: str) -> None:
    change, reason = LIES[case]
    with pytest.raises(WheelError, match=reason):
        check_wheel(rewritten(build_wheel(tmp_path, "alpha"), change))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_wheel_with_a_file_twice_is_refused(tmp_path: Path) -> None:
    path = build_wheel(tmp_path, "alpha")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(CODE, b"evil")
    with pytest.raises(WheelError, match="twice"):
        check_wheel(path)


@pytest.mark.parametrize("name", ["nonsense.whl", "a-1-py3.whl", "alpha-not!aversion-py3-none-any.whl", ".whl"])
def test_a_file_name_that_is_no_wheels_is_refused(tmp_path: Path, name: str) -> None:
    path = build_wheel(tmp_path, "alpha").rename(tmp_path / name)
    with pytest.raises(WheelError, match="not a wheel's file name"):
        check_wheel(path)


@given(st.binary(max_size=300), st.integers(0, 1 << 16), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_a_changed_byte_is_noticed_or_changes_no_content(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int, delta: int
) -> None:
    path = build_wheel(tmp_path_factory.mktemp("w"), "alpha", files={"alpha/data": data})
    raw = bytearray(path.read_bytes())
    raw[at % len(raw)] ^= delta
    path.write_bytes(raw)
    try:
        check_wheel(path)
    except WheelError:
        return
    with zipfile.ZipFile(path) as archive:
        assert archive.read("alpha/data") == data


def test_builds_of_one_version_stand_together_and_two_versions_do_not(tmp_path: Path) -> None:
    builds = [
        check_wheel(build_wheel(tmp_path, "alpha", tag=tag)) for tag in ("py3-none-any", "cp311-cp311-linux_x86_64")
    ]
    assert {name: len(found) for name, found in one_version_each(builds).items()} == {"alpha": 2}
    with pytest.raises(WheelError, match=r"several versions of alpha: 1\.0, 2\.0"):
        one_version_each([*builds, check_wheel(build_wheel(tmp_path, "alpha", "2.0"))])

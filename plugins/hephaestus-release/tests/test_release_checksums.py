"""Checksum manifests: every form met in the field is read, and whatever is unclear is refused."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus_release._checksums import LARGEST_MANIFEST, parse
from hephaestus_release.errors import ManifestError

A, B = hashlib.sha256(b"a").hexdigest(), hashlib.sha256(b"b").hexdigest()
DIGESTS = st.binary(max_size=4).map(lambda raw: hashlib.sha256(raw).hexdigest())
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda name: not name.startswith("./") and not name.startswith((" ", "*", "\t"))
)


def escaped(name: str) -> tuple[str, str]:
    """The mark and the name as coreutils write them."""
    text = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return ("\\" if text != name else ""), text


def gnu(name: str, digest: str, mark: str) -> str:
    sign, text = escaped(name)
    return f"{sign}{digest} {mark}{text}"


def bsd(name: str, digest: str) -> str:
    sign, text = escaped(name)
    return f"{sign}SHA256 ({text}) = {digest}"


@given(st.dictionaries(NAMES, DIGESTS), st.sampled_from([" ", "*", "bsd"]), st.sampled_from(["\n", "\r\n"]))
def test_what_coreutils_and_bsd_write_is_read_back(entries: dict[str, str], form: str, end: str) -> None:
    lines = [bsd(name, digest) if form == "bsd" else gnu(name, digest, form) for name, digest in entries.items()]
    manifest = parse("".join(line + end for line in lines).encode())
    assert manifest.digests == entries


@given(st.binary(max_size=400) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused_with_a_clear_error(raw: bytes) -> None:
    try:
        manifest = parse(raw)
    except ManifestError:
        return
    assert all(len(digest) == 64 for digest in manifest.digests.values())


@given(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_name_never_gets_the_digest_of_another(name: str, noise: str) -> None:
    try:
        manifest = parse(f"{gnu(name, A, ' ')}\n{noise}\n".encode())
    except ManifestError:
        return
    assert manifest.digest_of(name) == A


@pytest.mark.parametrize(
    "line",
    [
        f"{A}  wheelhouse.tar.gz",
        f"{A} *wheelhouse.tar.gz",
        f"{A} wheelhouse.tar.gz",
        f"{A}\twheelhouse.tar.gz",
        f"{A.upper()}  wheelhouse.tar.gz",
        f"{A}  ./wheelhouse.tar.gz",
        f"{A}  dist/wheelhouse.tar.gz",
        f"SHA256 (wheelhouse.tar.gz) = {A}",
        f"SHA256(wheelhouse.tar.gz)= {A}",
        f"SHA2-256(wheelhouse.tar.gz)= {A}",
        f"\ufeff{A}  wheelhouse.tar.gz",
        f"# written by hand\n\n{A}  wheelhouse.tar.gz",
        f"{A}  wheelhouse.tar.gz\n{A}  wheelhouse.tar.gz",
        f"{hashlib.sha512(b'').hexdigest()}  wheelhouse.tar.gz\n{A}  wheelhouse.tar.gz",
        f"MD5 (wheelhouse.tar.gz) = d41d8cd98f00b204e9800998ecf8427e\n{A}  wheelhouse.tar.gz",
    ],
)
def test_each_form_in_the_field_gives_the_digest(line: str) -> None:
    for end in ("", "\n", "\r\n"):
        assert parse((line.replace("\n", end or "\n") + end).encode()).digest_of("wheelhouse.tar.gz") == A


def test_a_file_with_nothing_but_a_digest_has_a_bare_one() -> None:
    assert parse(f"{A}\r\n".encode()).bare == A


def test_lines_end_at_line_feeds_only() -> None:
    for separator in "\u2028\u2029\x0b\x0c\x1c\x85":
        forged = f"{A}  harmless{separator}{B}  wheelhouse.tar.gz\n"
        assert parse(forged.encode()).digest_of("wheelhouse.tar.gz") is None


def test_an_absent_name_has_no_digest() -> None:
    assert parse(f"{A}  other.tar.gz\n".encode()).digest_of("wheelhouse.tar.gz") is None
    assert parse(b"").digest_of("wheelhouse.tar.gz") is None


def test_the_exact_name_wins_over_one_in_a_folder() -> None:
    assert parse(f"{B}  old/w.whl\n{A}  w.whl\n".encode()).digest_of("w.whl") == A


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (f"{A}  w\n{B}  w\n".encode(), "twice with different digests"),
        (b"hello world\n", "in no known form"),
        (f"{A[:-1]}  w\n".encode(), "in no known form"),
        (f"SHA256 (w) = {A[:-2]}\n".encode(), "wrong length"),
        (f"{A}  w\0.tar.gz\n".encode(), "NUL"),
        (f"\\{A}  w\\x\n".encode(), "unknown escape"),
        (f"{A}\n{B}\n".encode(), "mixes"),
        (f"{A}\n{A}  w\n".encode(), "mixes"),
        (b"#" * (LARGEST_MANIFEST + 1), "larger than"),
    ],
)
def test_what_is_unclear_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason):
        parse(raw)


def test_the_same_name_in_two_folders_with_two_digests_is_refused() -> None:
    with pytest.raises(ManifestError, match="several folders"):
        parse(f"{A}  one/w.whl\n{B}  two/w.whl\n".encode()).digest_of("w.whl")

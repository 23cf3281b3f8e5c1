"""Unpacking: hostile archives in every format change nothing outside and leave nothing behind."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from hephaestus_release._archive import Budget, unpack
from hephaestus_release._members import safe_parts
from hephaestus_release.errors import ArchiveError

SMALL = Budget(size=64 * 1024, members=20, ratio=50)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}
FORMATS = [*PACKERS, "zip"]


@frozen
class Entry:
    """A member to write, honest or not."""

    name: str
    content: bytes = b"content"
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    mode: int = 0o644


def tar_of(entries: list[Entry], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for entry in entries:
            member = tarfile.TarInfo(entry.name)
            member.type, member.linkname, member.mode = entry.kind, entry.link, entry.mode
            member.size = len(entry.content) if entry.kind in (tarfile.REGTYPE, tarfile.CONTTYPE) else 0
            archive.addfile(member, io.BytesIO(entry.content))
    return buffer.getvalue()


ZIP_MODES = {
    tarfile.REGTYPE: stat.S_IFREG,
    tarfile.DIRTYPE: stat.S_IFDIR,
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.CHRTYPE: stat.S_IFCHR,
    tarfile.BLKTYPE: stat.S_IFBLK,
    tarfile.FIFOTYPE: stat.S_IFIFO,
}


def zip_of(entries: list[Entry]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            info = zipfile.ZipInfo("x")
            # Set afterwards: the constructor cleans names up.
            info.filename = entry.name
            info.external_attr = (ZIP_MODES[entry.kind] | entry.mode) << 16
            content = entry.link.encode() if entry.kind == tarfile.SYMTYPE else entry.content
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def packed(form: str, entries: list[Entry]) -> bytes:
    return zip_of(entries) if form == "zip" else PACKERS[form](tar_of(entries))


def snapshot(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Path]:
    """A folder whose content must be the same afterwards, with a file worth attacking."""
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "archive").touch()
    before = snapshot(tmp_path)
    yield tmp_path
    assert snapshot(tmp_path) == before
    assert (tmp_path / "victim").read_text() == "untouched"


def refused(yard: Path, raw: bytes, reason: str, budget: Budget = SMALL) -> None:
    (yard / "archive").write_bytes(raw)
    with pytest.raises(ArchiveError, match=reason):
        unpack(yard / "archive", yard / "out", budget)


HOSTILE = {
    "absolute": Entry("/tmp/evil"),
    "climbing": Entry("../victim"),
    "climbing from inside": Entry("a/../../victim"),
    "dot inside": Entry("a/./b"),
    "empty component": Entry("a//b"),
    "backslashes": Entry("..\\victim"),
    "drive": Entry("C:evil"),
    "drive with slash": Entry("C:/evil"),
    "unc": Entry("\\\\server\\share\\evil"),
    "alternate stream": Entry("file.whl:hidden"),
    "bidi": Entry("wheel\u202egpj.whl"),
    "zero width": Entry("whe\u200bel.whl"),
    "line separator": Entry("whe\u2028el.whl"),
    "newline": Entry("whe\nel.whl"),
    "escape": Entry("whe\x1b[2Jel.whl"),
    "reserved": Entry("NUL"),
    "reserved with suffix": Entry("com1.whl"),
    "reserved folder": Entry("aux/file"),
    "trailing dot": Entry("file."),
    "trailing space": Entry("file "),
    "long component": Entry("x" * 256),
    "long path": Entry("/".join(["x" * 200] * 6)),
    "deep": Entry("/".join("x" * 20)),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("case", HOSTILE)
def test_an_unsafe_name_is_refused(yard: Path, form: str, case: str) -> None:
    refused(yard, packed(form, [Entry("good.whl"), HOSTILE[case]]), "unsafe name|too long or too deep")


LINKS = {
    "symbolic link": Entry("link", kind=tarfile.SYMTYPE, link="/etc/passwd"),
    "hard link": Entry("link", kind=tarfile.LNKTYPE, link="../victim"),
    "character device": Entry("device", kind=tarfile.CHRTYPE),
    "block device": Entry("device", kind=tarfile.BLKTYPE),
    "named pipe": Entry("pipe", kind=tarfile.FIFOTYPE),
    "contiguous file": Entry("file", kind=tarfile.CONTTYPE),
    "sparse file": Entry("file", kind=tarfile.GNUTYPE_SPARSE),
    "member of type": Entry("file", kind=b"V"),
}


@pytest.mark.parametrize("form", PACKERS)
@pytest.mark.parametrize("kind", LINKS)
def test_a_tar_member_that_is_no_regular_file_is_refused(yard: Path, form: str, kind: str) -> None:
    refused(yard, packed(form, [Entry("good.whl"), LINKS[kind]]), kind)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_zip_member_that_is_no_regular_file_is_refused(yard: Path, kind: bytes) -> None:
    refused(yard, zip_of([Entry("good.whl"), Entry("odd", kind=kind, link="../victim")]), "symbolic link|special file")


def test_a_pax_sparse_file_is_refused(yard: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("file")
        member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.name": "../victim"}
        archive.addfile(member)
    refused(yard, buffer.getvalue(), "sparse file")


@pytest.mark.parametrize("form", PACKERS)
def test_a_link_followed_by_a_file_through_it_is_refused(yard: Path, form: str) -> None:
    entries = [Entry("inner", kind=tarfile.SYMTYPE, link=".."), Entry("inner/victim", b"owned")]
    refused(yard, packed(form, entries), "symbolic link")


COLLIDING = {
    "twice": [Entry("a.whl"), Entry("a.whl")],
    "case": [Entry("a.whl"), Entry("A.WHL")],
    "sharp s": [Entry("straße"), Entry("STRASSE")],
    "normal form": [Entry("caf\u00e9"), Entry("cafe\u0301")],
    "case of a folder": [Entry("dir/a"), Entry("DIR/b")],
    "file as folder": [Entry("a"), Entry("a/b")],
    "folder as file": [Entry("a/b"), Entry("a")],
    "dot slash": [Entry("a"), Entry("./a")],
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("case", COLLIDING)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_meet_on_some_file_system_are_refused(yard: Path, form: str, case: str) -> None:
    refused(yard, packed(form, COLLIDING[case]), "collide")


def test_a_nul_in_a_zip_name_is_refused(yard: Path) -> None:
    refused(yard, zip_of([Entry("good.whlXevil")]).replace(b"whlXevil", b"whl\0evil"), "unsafe name")


def test_a_nul_in_a_pax_name_is_refused(yard: Path) -> None:
    name = "x" * 150 + "Xevil"
    refused(yard, tar_of([Entry(name)]).replace(b"Xevil", b"\0evil"), "unsafe name")


def test_a_tar_name_that_is_not_utf8_is_refused(yard: Path) -> None:
    raw = bytearray(tar_of([Entry("abc")], tarfile.USTAR_FORMAT))
    raw[0:3] = b"\xff\xfe\xfd"
    total = sum(raw[:148]) + 8 * 32 + sum(raw[156:512])
    raw[148:156] = b"%06o\0 " % total
    refused(yard, bytes(raw), "not UTF-8")


@pytest.mark.parametrize("form", FORMATS)
def test_more_bytes_than_the_budget_are_refused(yard: Path, form: str) -> None:
    refused(yard, packed(form, [Entry("big", os.urandom(SMALL.size + 1))]), "unpacks to more than")


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "tar"])
def test_a_bomb_is_refused_by_its_ratio(yard: Path, form: str) -> None:
    bomb = packed(form, [Entry("zeros", bytes(8 * 1024 * 1024))])
    refused(yard, bomb, "unpacks to more than", Budget(ratio=5))


@pytest.mark.parametrize("form", FORMATS)
def test_more_members_than_the_budget_are_refused(yard: Path, form: str) -> None:
    refused(yard, packed(form, [Entry(f"f{n}", b"") for n in range(SMALL.members + 1)]), "more than 20 members")


def test_a_bomb_in_the_padding_after_the_end_is_refused(yard: Path) -> None:
    refused(yard, gzip.compress(tar_of([Entry("a")]) + bytes(4 * 1024 * 1024)), "unpacks to more than", Budget(ratio=5))


def test_an_oversized_extension_header_is_refused(yard: Path) -> None:
    refused(yard, tar_of([Entry("x" * 70_000)], tarfile.GNU_FORMAT), "oversized extension")


def test_data_after_the_end_are_refused(yard: Path) -> None:
    refused(yard, tar_of([Entry("a")]) + b"#!/bin/sh", "after its end")
    refused(yard, lzma.compress(tar_of([Entry("a")])) + b"more", "after the end")


def test_an_encrypted_zip_is_refused(yard: Path) -> None:
    raw = bytearray(zip_of([Entry("a.whl")]))
    raw[6] |= 1
    raw[raw.index(b"PK\1\2") + 8] |= 1
    refused(yard, bytes(raw), "encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_with_unusual_compression_is_refused(yard: Path, method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a.whl", b"content")
    refused(yard, buffer.getvalue(), "neither stored nor deflated")


def test_overlapping_zip_members_are_refused(yard: Path) -> None:
    raw = bytearray(zip_of([Entry("a", b"x" * 500), Entry("b", b"y" * 500)]))
    second = raw.index(b"PK\1\2", raw.index(b"PK\1\2") + 4)
    struct.pack_into("<L", raw, second + 42, 0)
    refused(yard, bytes(raw), "overlap|damaged")


def test_a_zip_that_lies_about_its_size_or_checksum_is_refused(yard: Path) -> None:
    honest = zip_of([Entry("a", b"x" * 500)])
    for offset, value in ((16, 12345), (24, 400)):
        raw = bytearray(honest)
        struct.pack_into("<L", raw, raw.index(b"PK\1\2") + offset, value)
        refused(yard, bytes(raw), "damaged")


@pytest.mark.parametrize("form", FORMATS)
def test_an_archive_cut_short_is_refused_wherever_it_is_cut(yard: Path, form: str) -> None:
    whole = packed(form, [Entry("a.whl", os.urandom(3000)), Entry("b.whl", os.urandom(500))])
    # A plain tar may lose a part of its final padding and still be complete.
    end = len(tar_of([Entry("a", os.urandom(3000))])) if form == "tar" else len(whole) - 1
    for length in {0, 1, 100, 600, 1500, len(whole) // 2, min(end, len(whole) - 1)} - {len(whole)}:
        if form == "tar" and length > 4700:
            continue
        refused(yard, whole[:length], "damaged|truncated|no archive")


@pytest.mark.parametrize("form", ["tar.gz", "tar.bz2", "tar.xz"])
def test_damaged_compressed_data_are_refused(yard: Path, form: str) -> None:
    raw = bytearray(packed(form, [Entry("a.whl", os.urandom(5000))]))
    raw[len(raw) // 2] ^= 0xFF
    refused(yard, bytes(raw), "damaged|truncated|no archive")


@pytest.mark.parametrize("raw", [b"", b"hello", b"<html>not found</html>" * 100, gzip.compress(b"just text", mtime=0)])
def test_what_is_no_archive_is_refused(yard: Path, raw: bytes) -> None:
    refused(yard, raw, "no archive of a known kind")


@pytest.mark.parametrize("form", FORMATS)
def test_an_archive_without_files_is_refused(yard: Path, form: str) -> None:
    refused(yard, packed(form, [Entry("folder/", b"", kind=tarfile.DIRTYPE)]), "empty")


@given(st.binary(max_size=2000), st.sampled_from(FORMATS), st.integers(0, 1 << 20), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_a_flipped_byte_never_makes_anything_but_regular_files(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, form: str, at: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    raw = bytearray(packed(form, [Entry("dir/a.whl", content), Entry("b.whl", b"two")]))
    raw[at % len(raw)] = value
    (folder / "archive").write_bytes(raw)
    try:
        unpack(folder / "archive", folder / "out", SMALL)
    except ArchiveError:
        assert snapshot(folder) == ["archive"]
    else:
        assert all(stat.S_ISREG(p.lstat().st_mode) or p.is_dir() for p in (folder / "out").rglob("*"))
        assert sorted(os.listdir(folder)) == ["archive", "out"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_a_safe_name_never_leads_out_of_its_folder(name: str) -> None:
    try:
        parts = safe_parts(name)
    except ArchiveError:
        return
    assert not any(part in {"", ".", ".."} or "/" in part or "\\" in part or "\0" in part for part in parts)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("inside", ["", "./", "wheels/", "a/b/"])
def test_files_come_out_as_they_went_in(tmp_path: Path, form: str, inside: str) -> None:
    content = {f"{inside}one-1.0-py3-none-any.whl": os.urandom(30_000), f"{inside}two-1.0-py3-none-any.whl": b""}
    folders = [Entry(inside, b"", kind=tarfile.DIRTYPE)] if inside else []
    (tmp_path / "archive").write_bytes(packed(form, folders + [Entry(n, c, mode=0o4777) for n, c in content.items()]))
    files = unpack(tmp_path / "archive", tmp_path / "out", Budget())
    for file, (name, raw) in zip(files, content.items(), strict=True):
        path = tmp_path / "out" / file.path
        assert file.path == name.removeprefix("./")
        assert path.read_bytes() == raw
        assert (file.size, file.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
        assert path.stat().st_mode & 0o7133 == 0


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_of_every_tar_dialect_are_read(tmp_path: Path, form: int) -> None:
    name = "folder-of-some-length/" * 5 + "n" * 90
    (tmp_path / "archive").write_bytes(tar_of([Entry(name)], form))
    assert [file.path for file in unpack(tmp_path / "archive", tmp_path / "out", Budget())] == [name]


def test_a_folder_that_is_there_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    (tmp_path / "archive").write_bytes(packed("tar.gz", [Entry("a")]))
    with pytest.raises(FileExistsError):
        unpack(tmp_path / "archive", tmp_path / "out", SMALL)
    assert snapshot(tmp_path / "out") == ["mine"]


def test_zstd_is_read_where_a_decompressor_is_installed(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    raw = tar_of([Entry("a.whl", os.urandom(300_000))])
    (tmp_path / "archive").write_bytes(zstandard.ZstdCompressor().compress(raw))
    assert [file.path for file in unpack(tmp_path / "archive", tmp_path / "out", Budget())] == ["a.whl"]


def test_zstd_bombs_and_cut_streams_are_refused(yard: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    refused(
        yard, zstandard.ZstdCompressor().compress(tar_of([Entry("a", bytes(8 << 20))])), "more than", Budget(ratio=5)
    )
    cut = zstandard.ZstdCompressor().compress(tar_of([Entry("a", os.urandom(9000))]))[:5000]
    refused(yard, cut, "damaged|truncated|no archive")


def test_zstd_without_a_decompressor_says_what_to_install(yard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    monkeypatch.setitem(__import__("sys").modules, "compression.zstd", None)
    refused(yard, b"\x28\xb5\x2f\xfd" + bytes(600), "zstd, which this Python cannot read")

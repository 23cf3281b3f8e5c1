"""Wheels: their names, and whether every byte in them is the one that their RECORD promises.

pip and uv both install a wheel whose RECORD is wrong; whoever compares an installation with its RECORD later is misled.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterable
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Final

from attrs import frozen
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from hephaestus_release._text import one_line
from hephaestus_release.errors import WheelError

__all__ = ["Wheel", "check_wheel", "one_version_each"]

_CHUNK: Final = 256 * 1024
_LARGEST_TEXT: Final = 16 * 1024 * 1024
_LARGEST_CONTENT: Final = 8 * 1024**3
_ALGORITHMS: Final = frozenset({"sha256", "sha384", "sha512"})
# The RECORD cannot hold its own hash, and signatures of it come later.
_UNHASHED: Final = ("RECORD", "RECORD.jws", "RECORD.p7s")
_UNSAFE: Final = re.compile(r"\A/|\A[A-Za-z]:|(?:\A|/)\.\.?(?:/|\Z)|//|\\|[\x00-\x1f\x7f]")


@frozen
class Wheel:
    """A wheel that holds what it promises.

    Attributes:
        path: the file.
        name: the project's normalised name.
        version: the project's version, normalised.
        sha256: of the file, 64 lower-case hexadecimal digits.
        requires: its requirements, as its metadata has them.
    """

    path: Path
    name: str
    version: str
    sha256: str
    requires: tuple[str, ...] = ()


def check_wheel(path: Path) -> Wheel:
    """Read the wheel and compare every file in it with its RECORD.

    Raises:
        WheelError: no wheel, or one that differs from its name, its metadata or its RECORD.
    """
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except (InvalidWheelFilename, InvalidVersion) as error:
        raise WheelError(f"not a wheel's file name: {one_line(error)}") from None
    try:
        with zipfile.ZipFile(path) as archive:
            requires = _check_content(path.name, archive, name, version)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise WheelError(f"{path.name} is damaged: {one_line(error)}") from None
    return Wheel(path, str(name), str(version), digest, requires)


def one_version_each(wheels: Iterable[Wheel]) -> dict[str, list[Wheel]]:
    """The wheels by project; several of one project are builds for different platforms.

    Raises:
        WheelError: two versions of one project.
    """
    projects: dict[str, list[Wheel]] = {}
    for wheel in sorted(wheels, key=lambda wheel: wheel.path.name):
        projects.setdefault(wheel.name, []).append(wheel)
    for name, builds in projects.items():
        if len(versions := sorted({build.version for build in builds})) > 1:
            raise WheelError(f"the wheelhouse has several versions of {name}: {', '.join(versions)}")
    return projects


def _check_content(file: str, archive: zipfile.ZipFile, name: str, version: Version) -> tuple[str, ...]:
    """Compare every file with the RECORD; the requirements that the metadata have."""
    infos = {info.orig_filename: info for info in archive.infolist() if not info.is_dir()}
    if len(infos) != sum(not info.is_dir() for info in archive.infolist()):
        raise WheelError(f"{file} has a file twice")
    for member in infos:
        if _UNSAFE.search(member):
            raise WheelError(f"{file} has a file with an unsafe name: {member!a}")
    if sum(info.file_size for info in infos.values()) > _LARGEST_CONTENT:
        raise WheelError(f"{file} unpacks to more than {_LARGEST_CONTENT} bytes")
    folder = _dist_info(file, infos)
    requires = _check_metadata(file, _text(archive, infos, f"{folder}/METADATA", file), name, version)
    record = _record(file, _text(archive, infos, f"{folder}/RECORD", file), folder)
    if missing := sorted(record.keys() - infos.keys()):
        raise WheelError(f"{file} lacks a file of its RECORD: {missing[0]!a}")
    for member, info in infos.items():
        if member.removeprefix(f"{folder}/") in _UNHASHED:
            continue
        if member not in record:
            raise WheelError(f"{file} has a file that its RECORD does not list: {member!a}")
        _check_file(file, archive, info, *record[member])
    return requires


def _dist_info(file: str, members: Iterable[str]) -> str:
    """The one `.dist-info` folder."""
    folders = {member.split("/", 1)[0] for member in members if member.split("/", 1)[0].endswith(".dist-info")}
    if len(folders) != 1:
        raise WheelError(f"{file} has {len(folders)} .dist-info folders instead of one")
    return folders.pop()


def _text(archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], member: str, file: str) -> bytes:
    """A small file of the wheel."""
    if member not in infos:
        raise WheelError(f"{file} has no {member}")
    with archive.open(infos[member]) as stream:
        raw = stream.read(_LARGEST_TEXT + 1)
    if len(raw) > _LARGEST_TEXT:
        raise WheelError(f"{file} has an oversized {member}")
    return raw


def _check_metadata(file: str, raw: bytes, name: str, version: Version) -> tuple[str, ...]:
    """Name and version inside must be those of the file name; returns the requirements."""
    headers = BytesHeaderParser().parsebytes(raw)
    inside = (canonicalize_name(str(headers.get("Name", ""))), str(headers.get("Version", "")))
    try:
        same = inside[0] == name and Version(inside[1]) == version
    except InvalidVersion:
        same = False
    if not same:
        raise WheelError(f"{file} says inside that it is {one_line(inside[0])!r} {one_line(inside[1])!r}")
    return tuple(str(text) for text in headers.get_all("Requires-Dist", []))


def _record(file: str, raw: bytes, folder: str) -> dict[str, tuple[str, str, str]]:
    """Algorithm, digest and size by path; the RECORD itself and its signatures are left out."""
    rows: dict[str, tuple[str, str, str]] = {}
    try:
        for path, hashed, size in csv.reader(io.StringIO(raw.decode("utf-8"), newline="")):
            algorithm, _, digest = hashed.partition("=")
            if path.removeprefix(f"{folder}/") in _UNHASHED:
                continue
            if path in rows:
                raise WheelError(f"{file} lists {path!a} twice in its RECORD")
            if algorithm not in _ALGORITHMS:
                raise WheelError(f"{file} gives no strong hash for {path!a} in its RECORD")
            rows[path] = (algorithm, digest, size)
    except (csv.Error, ValueError) as error:
        raise WheelError(f"{file} has a malformed RECORD: {one_line(error)}") from None
    return rows


def _check_file(
    file: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, algorithm: str, digest: str, size: str
) -> None:
    """One file's bytes against its row of the RECORD."""
    found, length = hashlib.new(algorithm), 0
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
            length += len(chunk)
    encoded = base64.urlsafe_b64encode(found.digest()).rstrip(b"=").decode()
    if encoded != digest.rstrip("=") or size not in {"", str(length)}:
        raise WheelError(f"{file} has a file that differs from its RECORD: {info.orig_filename!a}")

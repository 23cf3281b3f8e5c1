"""Real small wheels and wheelhouses, built without a build backend."""

from __future__ import annotations

import base64
import bz2
import csv
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

__all__ = ["Compression", "build_wheel", "build_wheelhouse", "record_of"]

Compression = Literal["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"]

# Without a time stamp, so that the same wheels give the same archive.
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": lambda raw: gzip.compress(raw, mtime=0),
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}
_MOMENT = (2024, 1, 1, 0, 0, 0)


def record_of(files: Mapping[str, bytes], folder: str) -> bytes:
    """The RECORD that fits the files.

    Args:
        files: content by path.
        folder: the `.dist-info` folder that will hold the RECORD.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        writer.writerow([path, f"sha256={digest}", len(content)])
    writer.writerow([f"{folder}/RECORD", "", ""])
    return text.getvalue().encode()


def build_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    files: Mapping[str, bytes] | None = None,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
    record: bytes | None = None,
) -> Path:
    """Write a wheel that pip installs, and return its path.

    Args:
        folder: where to write it; it must exist.
        name: the project's name; its package has the same name with `_`.
        version: the project's version.
        files: content by path, in place of one package that knows its version.
        requires: requirements for the metadata.
        tag: compatibility tag.
        record: RECORD to write in place of the right one.
    """
    package = name.replace("-", "_").lower()
    info = f"{package}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    pure = "true" if tag.endswith("-none-any") else "false"
    content = dict(files) if files is not None else {f"{package}/__init__.py": f"VERSION = {version!r}\n".encode()}
    content[f"{info}/METADATA"] = ("\n".join(lines) + "\n").encode()
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\nTag: {tag}\n".encode()
    content[f"{info}/RECORD"] = record_of(content, info) if record is None else record
    path = folder / f"{package}-{version}-{tag}.whl"
    _write_zip(path, content)
    return path


def build_wheelhouse(path: Path, wheels: Sequence[Path], *, inside: str = "", compression: Compression) -> Path:
    """Write an archive of wheels, and return its path.

    Args:
        path: the archive.
        wheels: the files to put in.
        inside: folder within the archive that holds them; none by default.
        compression: the archive's format.
    """
    content = {f"{inside}/{wheel.name}".lstrip("/"): wheel.read_bytes() for wheel in wheels}
    if compression == "zip":
        _write_zip(path, content)
        return path
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, raw in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    path.write_bytes(_PACKERS[compression](buffer.getvalue()))
    return path


def _write_zip(path: Path, content: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in content.items():
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), raw, zipfile.ZIP_DEFLATED)

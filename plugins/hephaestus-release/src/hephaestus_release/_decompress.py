"""Compressed streams, recognised by their first bytes, decompressed with bounded memory."""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from hephaestus_release._members import Read
from hephaestus_release.errors import ArchiveError

__all__ = ["format_of", "open_stream"]

_MAGIC: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\3\4": "zip",
    b"PK\5\6": "zip",
}
_XZ_MEMORY: Final = 128 * 1024 * 1024
_READ_SIZE: Final = 64 * 1024
# Without a limit a frame may ask for gigabytes of window.
_ZSTD_WINDOW_LOG: Final = 27


def format_of(path: Path) -> str:
    """`gzip`, `bzip2`, `xz`, `zstd`, `zip`, or `plain` for anything else."""
    with path.open("rb") as file:
        head = file.read(8)
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "plain")


@contextmanager
def open_stream(path: Path) -> Iterator[Read]:
    """A function that returns at most so many next decompressed bytes of the file, and none at its end.

    Raises:
        ArchiveError: damaged data, also later from the function, or no decompressor for this format.
    """
    with path.open("rb") as file:
        stream = _opened(format_of(path), file)

        def read(most: int) -> bytes:
            try:
                return stream(most)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise ArchiveError(f"the archive is damaged: {error}") from None

        yield read


def _opened(name: str, file: BinaryIO) -> Read:
    if name == "gzip":
        return gzip.GzipFile(fileobj=file).read
    if name == "bzip2":
        return bz2.BZ2File(file).read
    if name == "xz":
        return _Xz(file).read
    if name == "zstd":
        return _zstd(file)
    return file.read


class _Xz:
    """Reads xz with a memory limit, which `lzma.LZMAFile` does not offer."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, most: int) -> bytes:
        """At most so many bytes; none at the end of the only stream."""
        while not self._decompressor.eof:
            raw = self._file.read(_READ_SIZE) if self._decompressor.needs_input else b""
            if self._decompressor.needs_input and not raw:
                raise EOFError("the compressed data end too early")
            if chunk := self._decompressor.decompress(raw, most):
                return chunk
        if self._decompressor.unused_data.strip(b"\0") or self._file.read(1).strip(b"\0"):
            raise ValueError("data after the end of the compressed stream")
        return b""


def _zstd(file: BinaryIO) -> Read:
    """By the standard library where it can (from Python 3.14), else by the `zstandard` package."""
    try:
        zstd = importlib.import_module("compression.zstd")
    except ImportError:
        pass
    else:
        options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        read: Read = zstd.ZstdFile(file, options=options).read
        return read
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError:
        raise ArchiveError(
            "the archive is compressed with zstd, which this Python cannot read",
            hint="install the package zstandard, or use Python 3.14",
        ) from None
    return _Zstandard(file, zstandard).read


class _Zstandard:
    """Reads zstd by the `zstandard` package, and notices a stream that ends too early."""

    def __init__(self, file: BinaryIO, zstandard: object) -> None:
        self._file = file
        self._error: type[Exception] = getattr(zstandard, "ZstdError")  # noqa: B009
        make = getattr(zstandard, "ZstdDecompressor")  # noqa: B009
        self._object = make(max_window_size=1 << _ZSTD_WINDOW_LOG).decompressobj(read_across_frames=True)
        self._pending = memoryview(b"")

    def read(self, most: int) -> bytes:
        """At most so many bytes; none at the end."""
        while not self._pending:
            # Small steps, since one step may grow a thousandfold in memory.
            raw = self._file.read(1024)
            if not raw:
                return b""
            try:
                self._pending = memoryview(self._object.decompress(raw))
            except self._error as error:
                raise ValueError(str(error)) from None
        chunk, self._pending = self._pending[:most], self._pending[most:]
        return bytes(chunk)

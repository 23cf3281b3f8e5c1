"""Where lines go: a file that processes share, and the console. Both take records, and lines that are ready."""

from __future__ import annotations

import logging
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from hephaestus.errors import UsageError

__all__ = ["LINE_HANDLERS", "ConsoleHandler", "EventFileHandler"]


class _Descriptor:
    """An open descriptor, closed when the last reference is gone: no thread can lose it in the midst of a write."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        if self.number >= 0:
            os.close(self.number)


_CLOSED = _Descriptor(-1)


class EventFileHandler(logging.Handler):
    """Appends one line a record to a file that other processes may share.

    The file is opened O_APPEND and each line is one `write`, so lines of several processes and threads never mix. What
    cannot be written is counted; a warning on stderr says so at once, and how much it was when the file is closed.

    Args:
        path: the file; made when it does not exist, in a folder that must.

    Attributes:
        path: the file.
        lost: how many lines could not be written.
        descriptor: where the next line may begin; none such where the file is closed, or ends in part of a line.

    Raises:
        UsageError: the file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.path = Path(path)
        self.lost = 0
        self.descriptor = self._opened = _CLOSED
        try:
            self._opened = _Descriptor(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"cannot open the log file {str(path)!r}: {_reason(error)}",
                hint="name a file in an existing, writable folder",
            ) from error
        self.descriptor = _CLOSED if _ends_torn(self._opened, path) else self._opened

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record's line."""
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        except Exception:
            super().handleError(record)
            return
        try:
            self.write_line(line)
        except Exception:
            self.handleError(record)

    def write_line(self, line: bytes, written: int = 0) -> None:
        """Write a line that ends with a newline; the kernel keeps lines of other threads apart, so no lock is taken.

        Args:
            line: the line.
            written: how much of it is in the file.

        Raises:
            OSError: it cannot be written.
        """
        file = self._opened
        torn = self.descriptor is not file and not written
        if torn:
            line = b"\n" + line
        try:
            while written < len(line):
                written += os.write(file.number, line[written:])
        except BaseException:
            if written:
                self.descriptor = _CLOSED
            raise
        if torn:
            self.descriptor = self._opened

    def handleError(self, record: logging.LogRecord) -> None:
        """Count a line that the system would not write; report any other error as `logging` does."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError) or error.errno is None:
            super().handleError(record)
            return
        self.acquire()
        try:
            self.lost += 1
            first = self.lost == 1
        finally:
            self.release()
        if first:
            _warn(f"cannot write to the log file {str(self.path)!r}: {_reason(error)}")

    def close(self) -> None:
        """Close the file and say how many lines it lacks; a second call does nothing."""
        super().close()
        if self._opened is not _CLOSED and self.lost:
            _warn(f"the log file {str(self.path)!r} lacks {self.lost} line{'s'[: self.lost != 1]}")
        self.descriptor = self._opened = _CLOSED


def _ends_torn(file: _Descriptor, path: str | os.PathLike[str]) -> bool:
    """Say whether a file ends in part of a line, which an earlier run or another process could not finish."""
    status = os.fstat(file.number)
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        return False
    try:
        with open(path, "rb") as reader:
            reader.seek(-1, os.SEEK_END)
            return reader.read(1) != b"\n"
    except OSError:
        return False  # not ours to read


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _warn(text: str) -> None:
    # As for all errors of handlers, `logging.raiseExceptions` decides whether anybody is told.
    if logging.raiseExceptions:
        with suppress(Exception):
            sys.stderr.write(f"warning: {text}\n")


class ConsoleHandler(logging.StreamHandler[IO[str]]):
    """Writes to what is `sys.stderr` at that moment, unless a stream was given; a reader that has gone is no error."""

    def __init__(self, stream: IO[str] | None) -> None:
        super().__init__(stream if stream is not None else sys.stderr)
        self._fixed = stream is not None

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record's line."""
        if not self._fixed:
            self.stream = sys.stderr
        super().emit(record)

    def write_line(self, line: bytes) -> None:
        """Write a line that ends with a newline.

        Raises:
            OSError, ValueError: it cannot be written; not where the reader has gone.
        """
        self.acquire()
        try:
            if not self._fixed:
                self.stream = sys.stderr
            with suppress(BrokenPipeError):
                self.stream.write(line.decode())
                self.stream.flush()
        finally:
            self.release()

    def handleError(self, record: logging.LogRecord) -> None:
        """Report an error as `logging` does, unless the reader has gone."""
        if not isinstance(sys.exc_info()[1], BrokenPipeError):
            super().handleError(record)


#: Handlers that write a record's JSON line and do nothing else, and so can have the line itself. Not so for subclasses,
#: under a filter, or with another formatter than `JsonFormatter`: these see records.
LINE_HANDLERS = (EventFileHandler, ConsoleHandler)

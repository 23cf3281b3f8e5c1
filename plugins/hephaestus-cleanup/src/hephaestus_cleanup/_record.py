"""Reading a manifest back: the finished document, or the journal that a dead run left, its last line torn or not."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterator
from typing import IO, Any

from attrs import define, field

from hephaestus_cleanup._journal import FORMAT
from hephaestus_cleanup.errors import ManifestError

__all__ = ["document_text", "read_record"]

_LARGEST = 1 << 31
_STATES = ("not_removed", "in_doubt", "removed", "kept")
_SHOWN = ("removed", "kept", "not_removed", "in_doubt")


def read_record(path: str) -> dict[str, Any]:
    """Read a manifest as one document, in whichever form it is.

    Returns:
        `format`, `version`, `run`, `when`, `root`, `options`, … from the header; `state` ("complete", "interrupted" or
        "running or killed"); the lists `removed`, `kept` (untouched or partly removed), `not_removed`, `in_doubt`,
        `skipped`, `errors`.

    Raises:
        ManifestError: no such file, or no manifest.
    """
    try:
        with open(path, "rb") as file:
            finished = file.readline().strip() == b"{"
            file.seek(0)
            document = json.loads(file.read(_LARGEST)) if finished else _document(file)
    except OSError as error:
        raise ManifestError(f"cannot read the manifest {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise ManifestError(f"{path} is no cleanup manifest: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ManifestError(f"{path} is no cleanup manifest")
    return document


def document_text(path: str) -> Iterator[str]:
    """The document that a journal amounts to, as JSON text in pieces: one of 200,000 paths is never in memory whole.

    Args:
        path: of the journal.

    Raises:
        OSError: it cannot be read.
        ValueError, LookupError: it is no journal.
    """
    with open(path, "rb") as file:
        ledger = _Ledger(file)
        start = "{\n"
        for key, value in ledger.facts().items():
            yield f"{start} {json.dumps(key)}: {json.dumps(value)}"
            start = ",\n"
        for key, entries in ledger.lists():
            yield f"{start} {json.dumps(key)}: ["
            start = "\n"
            for entry in entries:
                yield f"{start}  {json.dumps(entry)}"
                start = ",\n"
            yield "]"
            start = ",\n"
        yield "\n}\n"


def _document(file: IO[bytes]) -> dict[str, Any]:
    ledger = _Ledger(file)
    return {**ledger.facts(), **{key: list(entries) for key, entries in ledger.lists()}}


@define
class _Ledger:
    """Where in a journal each item's lines are, and what they say became of it.

    Args:
        file: the journal; read while this is used.
    """

    file: IO[bytes]
    _header: dict[str, Any] = field(factory=dict, init=False)
    _end: dict[str, Any] = field(factory=dict, init=False)
    _states: bytearray = field(factory=bytearray, init=False)
    _planned: array[int] = field(factory=lambda: array("Q"), init=False)
    _settled: array[int] = field(factory=lambda: array("Q"), init=False)
    _skipped: array[int] = field(factory=lambda: array("Q"), init=False)
    _failed: array[int] = field(factory=lambda: array("Q"), init=False)

    def __attrs_post_init__(self) -> None:
        place = 0
        for line in self.file:
            # What follows the last newline was being written when the run died, and counts as not written.
            if line.endswith(b"\n"):
                self._note(json.loads(line.decode("ascii")), place)
            place += len(line)

    def _note(self, line: dict[str, Any], place: int) -> None:
        if "format" in line:
            self._header = line
        elif "plan" in line:
            if line["plan"] != len(self._planned):
                raise ValueError(f"item {line['plan']} of the plan is out of order")
            self._planned.append(place)
            self._settled.append(0)
            self._states.append(_STATES.index("not_removed"))
        elif "begin" in line:
            self._states[self._index(line["begin"])] = _STATES.index("in_doubt")
        elif "removed" in line:
            self._settle(line["removed"], "removed", place)
        elif "kept" in line:
            self._settle(line["kept"], "kept", place)
            self._failed.append(place)
        elif "skipped" in line:
            self._skipped.append(place)
        elif "failed" in line:
            self._failed.append(place)
        elif "end" in line:
            self._end = {key: value for key, value in line.items() if key != "end"}

    def _settle(self, number: Any, state: str, place: int) -> None:
        index = self._index(number)
        self._states[index] = _STATES.index(state)
        self._settled[index] = place

    def _index(self, number: Any) -> int:
        if not isinstance(number, int) or not 0 <= number < len(self._planned):
            raise ValueError(f"item {number!r} is not in the plan")
        return number

    def facts(self) -> dict[str, Any]:
        """What holds for the run as a whole."""
        return {**self._header, "state": "running or killed", **self._end}

    def lists(self) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
        """The document's lists by name; each is used up before the next is asked for."""
        for state in _SHOWN:
            yield state, self._items(_STATES.index(state))
        skips = (self._line(place) for place in self._skipped)
        yield "skipped", ({"path": each["skipped"], "reason": each["reason"]} for each in skips)
        yield "errors", (problem for place in self._failed for problem in _problems(self._line(place)))

    def _items(self, state: int) -> Iterator[dict[str, Any]]:
        index = self._states.find(state)
        while index >= 0:
            planned = self._line(self._planned[index])
            del planned["plan"]
            path = os.path.join(planned["root"], planned["relative"])
            end = self._line(self._settled[index]) if self._settled[index] else {}
            for key in ("removed", "kept"):
                end.pop(key, None)
            yield {"index": index, "path": path, **planned, **end}
            index = self._states.find(state, index + 1)

    def _line(self, place: int) -> dict[str, Any]:
        self.file.seek(place)
        line: dict[str, Any] = json.loads(self.file.readline().decode("ascii"))
        return line


def _problems(line: dict[str, Any]) -> list[dict[str, Any]]:
    if "kept" in line:
        problems: list[dict[str, Any]] = line["problems"]
        return problems
    return [{"path": line["failed"], "reason": line["reason"]}]

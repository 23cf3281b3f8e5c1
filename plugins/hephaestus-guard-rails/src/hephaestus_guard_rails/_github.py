"""GitHub's workflow commands: groups, and annotations at the lines that tools complain about."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from hephaestus_guard_rails._result import Result
from hephaestus_guard_rails._text import harmless
from hephaestus_guard_rails.steps import Status

__all__ = ["Location", "annotation", "complaints", "group", "locations"]

# GitHub shows ten annotations of a kind for each step; more would push those of other gates out.
_MAX_ANNOTATIONS = 10
_PLACE = re.compile(r"^\s*(?:\./)?(?P<file>[^:]*[^:\s]):(?P<line>\d+)(?::(?P<column>\d+))?:?\s+(?:- )?(?P<text>\S.*)$")
_ARROW = re.compile(r"^\s*--> (?P<file>.+?):(?P<line>\d+):(?P<column>\d+)$")
_LEVEL = re.compile(r"^\W*(?P<word>warning|note|info|information|notice|help)\b", re.IGNORECASE)
_REFORMAT = re.compile(r"^Would reformat: (?P<file>.+)$")


class Location(NamedTuple):
    """A complaint: file relative to the project's root, line and column from 1 (0 for none), text."""

    file: str
    line: int
    column: int
    text: str


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def annotation(level: str, text: str, **properties: str | int) -> str:
    """One workflow command on one line; properties without a value are left out."""
    given = ",".join(f"{name}={_property(harmless(str(value)))}" for name, value in properties.items() if value)
    return f"::{level}{' ' if given else ''}{given}::{_data(harmless(text))}"


def _level(text: str) -> str:
    match = _LEVEL.match(text)
    if match is None:
        return "error"
    return "warning" if match["word"].lower() == "warning" else "notice"


def _found(output: str) -> Iterator[Location]:
    previous = ""
    for line in output.split("\n"):
        if match := _ARROW.match(line):
            yield Location(match["file"], int(match["line"]), int(match["column"]), previous)
        elif match := _REFORMAT.match(line):
            yield Location(match["file"], 0, 0, "would be reformatted")
        elif match := _PLACE.match(line):
            yield Location(match["file"], int(match["line"]), int(match["column"] or 0), match["text"])
        previous = line.strip() or previous


def locations(output: str, root: Path) -> list[Location]:
    """The complaints in a tool's output that name a file which exists below `root`; each once."""
    unique = dict.fromkeys(_found(output))
    return [each for each in unique if "\0" not in each.file and _is_file(root / each.file)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # a name too long for the system is no file's


def complaints(result: Result, root: Path, top: Path) -> list[str]:
    """The workflow commands for one failed pass: at its places, or one for the whole when it names none.

    Args:
        result: the pass.
        root: the project, which the tool's paths are relative to.
        top: the repository, which GitHub's paths are relative to.
    """
    # Errors first: what a tool only remarks must not push them out.
    places = sorted(locations(result.text, root), key=lambda place: _level(place.text) != "error")
    lines = []
    for place in places[:_MAX_ANNOTATIONS]:
        path = root / place.file
        file = str(path.relative_to(top)) if path.is_relative_to(top) else str(path)
        at: dict[str, str | int] = {"file": file, "line": place.line, "col": place.column}
        lines.append(annotation(_level(place.text), place.text, title=result.label, **at))
    if not lines:
        text = result.reason or f"{result.status} (return code {result.returncode})"
        lines.append(annotation("error", text, title=result.label))
    return lines


def group(result: Result, root: Path, top: Path, stream: TextIO) -> None:
    """Write a finished pass as a group, its output shielded from being read as commands, then its annotations."""
    stream.write(f"::group::{_data(harmless(result.label))}: {'kept' if result.cached else result.status}\n")
    token = secrets.token_hex(16)
    stream.write(f"::stop-commands::{token}\n")
    stream.write(harmless(f"$ {' '.join(result.command)}\n{result.text}").rstrip("\n") + "\n")
    if result.reason:
        stream.write(f"{harmless(result.reason)}\n")
    stream.write(f"::{token}::\n")
    stream.write("::endgroup::\n")
    if result.status.is_failure or result.status is Status.CANCELLED:
        for line in complaints(result, root, top):
            stream.write(f"{line}\n")
    stream.flush()

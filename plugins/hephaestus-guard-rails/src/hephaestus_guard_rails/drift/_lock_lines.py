"""The packages of a lock file, read line by line: the same answer as a TOML parser's, at a fraction of its time.

Locks are written by programs, one value per line. `read_lines` knows that form and nothing else, and declines whatever
strays from it; then `read_toml` decides, which also knows where a broken file is broken.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

# What a verdict needs of a package. `source` and the rest tell a package that lies in this project.
KEYS: frozenset[str] = frozenset(
    [
        "archive",
        "directory",
        "editable",
        "marker",
        "markers",
        "name",
        "path",
        "python-versions",
        "requires-python",
        "requires_python",
        "resolution-markers",
        "source",
        "vcs",
        "version",
    ]
)

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN_STRING = re.compile(r'"([^"\\\x00-\x1f\x7f]*)"')
_SUB_TABLE = re.compile(r"(\[{1,2})([A-Za-z0-9_.-]+)(\]{1,2})")
_UNINDENTED = re.compile(r"\n\S")
# Strings over several lines, and the marks of an unresolved merge, may stand where whole arrays are jumped over.
_FOREIGN = ("'''", '"""', "\n<<<<<<<", "\n=======", "\n>>>>>>>")


class LockEntry(NamedTuple):
    """One `[[package]]`: the line of its header, from 1, and those of its values that `KEYS` names."""

    line: int
    values: dict[str, Any]


def read_lines(text: str, array: str) -> list[LockEntry] | None:
    """The entries of an array of tables, `package` or `packages`; None if the text strays from the known form.

    Args:
        text: the whole file, lines ended by newlines.
        array: name of the array of tables that holds the packages.
    """
    if any(mark in text for mark in _FOREIGN):
        return None
    return _LineReader(text, array).read()


def read_toml(data: dict[str, Any], text: str, array: str) -> list[LockEntry]:
    """The same entries from parsed TOML; `text` serves to find their lines."""
    header = re.compile(rf"^[ \t]*\[\[[ \t]*{re.escape(array)}[ \t]*\]\]", re.MULTILINE)
    lines = [text.count("\n", 0, match.start()) + 1 for match in header.finditer(text)]
    tables = data.get(array)
    found = [table for table in tables if isinstance(table, dict)] if isinstance(tables, list) else []
    if len(lines) != len(found):
        lines = [1] * len(found)
    chosen = ({key: value for key, value in table.items() if key in KEYS} for table in found)
    return [LockEntry(line, values) for line, values in zip(lines, chosen, strict=True)]


class _LineReader:
    """Walks from line to line; jumps over multi-line arrays, which make up most of a lock."""

    def __init__(self, text: str, array: str) -> None:
        self.text = text
        self.array = array
        self.position = 0
        self.number = 0
        self.entries: list[LockEntry] = []
        self.table: dict[str, Any] | None = None
        self.closed: set[str] = set()

    def read(self) -> list[LockEntry] | None:
        try:
            while self.position < len(self.text):
                line = self._next_line()
                if not line or line[0] == "#":
                    continue
                if line[0] == "[":
                    self._header(line)
                else:
                    self._pair(line)
        except (ValueError, RecursionError):  # the parser's own error is a ValueError too
            return None
        return self.entries

    def _next_line(self) -> str:
        end = self.text.find("\n", self.position)
        end = len(self.text) if end < 0 else end
        line = self.text[self.position : end]
        self.position, self.number = end + 1, self.number + 1
        return line

    def _header(self, line: str) -> None:
        match = _SUB_TABLE.fullmatch(line)
        if match is None or len(match[1]) != len(match[3]):
            raise ValueError(f"line {self.number} is not as a program writes it")
        is_array, parts = match[1] == "[[", match[2].split(".")
        self.table = None
        if parts[0] != self.array:
            return
        if len(parts) == 1:
            if not is_array:
                raise ValueError(f"line {self.number} is not as a program writes it")
            self.table, self.closed = {}, set()
            self.entries.append(LockEntry(self.number, self.table))
        elif parts[1] in KEYS:
            self._enter(parts, is_array=is_array)

    def _enter(self, parts: list[str], *, is_array: bool) -> None:
        """Start a sub-table such as `[package.source]`; a second one of the same name is no valid TOML."""
        if is_array or len(parts) != 2 or not self.entries or parts[1] in self.entries[-1].values:
            raise ValueError(f"line {self.number} is not as a program writes it")
        self.table = self.entries[-1].values[parts[1]] = {}

    def _pair(self, line: str) -> None:
        key, separator, value = line.partition(" = ")
        if not separator or not _BARE_KEY.fullmatch(key):
            raise ValueError(f"line {self.number} is not as a program writes it")
        wanted = self.table is not None and (key in KEYS or self.table is not self.entries[-1].values)
        if value == "[":
            block = self._block()
            parsed = _parse(f"{line}\n{block}")[key] if wanted else None
        else:
            parsed = self._value(line, key, value, wanted=wanted)
        if wanted and self.table is not None:
            if key in self.table:
                raise ValueError(f"line {self.number} is not as a program writes it")
            self.table[key] = parsed

    def _value(self, line: str, key: str, value: str, *, wanted: bool) -> Any:
        if wanted:
            plain = _PLAIN_STRING.fullmatch(value)
            return plain[1] if plain else _parse(line)[key]
        # An array or inline table that goes on in the next line would make that line look like one of the package's.
        if (value[0:1] == "[" and value[-1:] != "]") or (value[0:1] == "{" and value[-1:] != "}"):
            raise ValueError(f"line {self.number} is not as a program writes it")
        return None

    def _block(self) -> str:
        """The rest of a multi-line array, up to the first line that starts with its closing bracket."""
        start = self.position - 1
        end = self.text.find("\n]", start)
        if end < 0:
            raise ValueError(f"line {self.number} is not as a program writes it")
        # Programs indent what an array holds: another line means that the array ended before it.
        if _UNINDENTED.search(self.text, start, end) is not None:
            raise ValueError(f"line {self.number} is not as a program writes it")
        self.number += self.text.count("\n", start, end)
        self.position = end + 1
        closing = self._next_line()
        if closing != "]":
            raise ValueError(f"line {self.number} is not as a program writes it")
        return self.text[start + 1 : end + 2]


def _parse(snippet: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(snippet)

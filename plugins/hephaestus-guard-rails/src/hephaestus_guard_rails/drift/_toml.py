"""TOML files with the line of each value, which the standard parser does not tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hephaestus_guard_rails.drift._survey import Survey

_HEADER = re.compile(r"^\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^\s."']+))\s*\.?""")
# PEP 735 and the core metadata allow no other names; they go into command lines, where `--x` would be an option.
_GROUP_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_POSITION = re.compile(r"\(at line (\d+)")


class TomlDocument:
    """A parsed file; looks up tables and arrays and notes those of the wrong type as problems."""

    def __init__(self, survey: Survey, path: Path, lines: list[str], data: dict[str, Any]) -> None:
        self.survey = survey
        self.path = path
        self.lines = lines
        self.data = data
        self._headers: list[tuple[int, tuple[str, ...]]] | None = None

    @classmethod
    def read(cls, survey: Survey, path: Path) -> TomlDocument | None:
        """Parse a file; None if it does not exist or can't be read, and the survey then knows why."""
        text = survey.text(path)
        if text is None:
            return None
        data = parse(survey, path, text)
        return None if data is None else cls(survey, path, text.splitlines(), data)

    def table(self, *keys: str) -> dict[str, Any]:
        """The table at a path of keys; empty if absent."""
        return self._find(keys, dict, "a table") or {}

    def array(self, *keys: str) -> list[Any]:
        """The array at a path of keys; empty if absent."""
        return self._find(keys, list, "an array") or []

    def string(self, *keys: str) -> str | None:
        """The string at a path of keys; None if absent."""
        found: str | None = self._find(keys, str, "a string")
        return found

    def line(self, keys: Sequence[str], needle: str = "") -> int:
        """The line, from 1, where `needle` stands under a path of keys; the nearest place known if it is not found."""
        start, rest = self._nearest_header(tuple(keys))
        for key in rest:
            pattern = re.compile(rf"""(?:^|[\s.{{,])["']?{re.escape(key)}["']?\s*[.=]""")
            start = next((n for n in range(start, len(self.lines)) if pattern.search(self.lines[n])), start)
        return next((n for n in range(start, len(self.lines)) if needle in self.lines[n]), start) + 1

    def member_of(self, kind: str, keys: tuple[str, ...]) -> tuple[str, str] | None:
        """`(kind, name)` of the group or extra at a path of keys; None, and a problem, for a name that is not valid."""
        name = keys[-1]
        if _GROUP_NAME.fullmatch(name):
            return kind, name
        self.survey.complain(self.path, self.line(keys), f"{name!r} is not a valid name of a {kind}")
        return None

    def _find(self, keys: Sequence[str], kind: type, words: str) -> Any:
        value: Any = self.data
        for depth, key in enumerate(keys):
            value = value.get(key)
            if value is None:
                return None
            wanted = kind if depth == len(keys) - 1 else dict
            if not isinstance(value, wanted):
                found, words = keys[: depth + 1], words if wanted is kind else "a table"
                self.survey.complain(self.path, self.line(found), f"{'.'.join(found)} is not {words}")
                return None
        return value

    def _nearest_header(self, keys: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        """Index of the line after the header that covers most of `keys`, and the keys that it leaves over."""
        if self._headers is None:
            matches = ((number, _HEADER.match(line)) for number, line in enumerate(self.lines, 1))
            self._headers = [(number, _split_key(match[1])) for number, match in matches if match]
        best = max(
            ((len(header), -number) for number, header in self._headers if keys[: len(header)] == header),
            default=(0, 0),
        )
        return min(-best[1], max(len(self.lines) - 1, 0)), keys[best[0] :]


def parse(survey: Survey, path: Path, text: str) -> dict[str, Any] | None:
    """Parse TOML text; None after noting a problem with the line that the parser names."""
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _POSITION.search(str(error))
        line = int(match[1]) if match else text.count("\n") + 1
        survey.complain(path, line, f"not valid TOML: {str(error).partition(' (at ')[0]}")
    except RecursionError:
        survey.complain(path, 1, "not valid TOML: nested too deeply")
    return None


def _split_key(dotted: str) -> tuple[str, ...]:
    return tuple(a or b or c for a, b, c in _KEY_PART.findall(dotted))

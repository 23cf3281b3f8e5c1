"""Versions for the tool managers asdf and mise: `.tool-versions` and `mise.toml`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hephaestus_guard_rails.drift._pin import Origin
from hephaestus_guard_rails.drift._toml import TomlDocument

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hephaestus_guard_rails.drift._survey import Survey

MISE_FILES: tuple[str, ...] = (
    "mise.toml",
    ".mise.toml",
    "mise/config.toml",
    ".mise/config.toml",
    ".config/mise.toml",
    ".config/mise/config.toml",
)

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*[A-Za-z0-9.]*)")


class ToolLine(NamedTuple):
    """A line of `.tool-versions`: a tool's name, the versions that will do, and the line from 1."""

    name: str
    versions: tuple[str, ...]
    line: int


def tool_lines(text: str) -> Iterator[ToolLine]:
    """Read `.tool-versions`: a name and one or more versions per line, `#` starts a comment."""
    for number, line in enumerate(text.splitlines(), 1):
        name, *versions = line.partition("#")[0].split() or [""]
        if name:
            yield ToolLine(name, tuple(versions), number)


def read_tool_versions(survey: Survey, path: Path) -> None:
    """Read the `.tool-versions` of asdf and mise."""
    for line in tool_lines(survey.text(path) or ""):
        _read_tool(survey, path, line.line, line.name, list(line.versions), ".tool-versions")


def read_mise(survey: Survey, path: Path) -> None:
    """Read the `[tools]` of a mise configuration: a version, a list of them, or a table with `version`."""
    document = TomlDocument.read(survey, path)
    if document is None:
        return
    for key, value in document.table("tools").items():
        versions = [_version_of(each) for each in (value if isinstance(value, list) else [value])]
        line = document.line(("tools", key), key)
        _read_tool(survey, path, line, key, [version for version in versions if version], "mise")


def _version_of(value: Any) -> str | None:
    version = value.get("version") if isinstance(value, dict) else value
    return str(version) if isinstance(version, str | int | float) else None


def _read_tool(survey: Survey, path: Path, line: int, key: str, versions: list[str], label: str) -> None:
    """`pipx:psf/black[d]` names black; a list is in order of preference and any of its versions will do."""
    name = re.sub(r"\[.*$", "", key.partition(":")[2] or key).rpartition("/")[2]
    tool = survey.wanted(name)
    if tool is None:
        return
    if not versions:
        survey.complain(path, line, f"{tool}: no version")
        return
    matches = [_VERSION.fullmatch(version) for version in versions]
    if all(matches):
        specifiers = [_specifier(match[1]) for match in matches if match]
        survey.ask(tool, specifiers, Origin.TOOL_VERSIONS, path, line, label)
    else:
        survey.note(tool, " ".join(versions), Origin.TOOL_VERSIONS, path, line, label, opaque=False)


def _specifier(version: str) -> str:
    """Both managers read `0.6` as the newest of 0.6; three numbers are one version."""
    return f"=={version}" if version.count(".") >= 2 or not version.replace(".", "").isdigit() else f"=={version}.*"

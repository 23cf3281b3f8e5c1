"""Versions written into the commands of continuous integration: `tool==X`, `uvx tool@X`, `pipx run tool==X`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hephaestus_guard_rails.drift._pin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hephaestus_guard_rails.drift._survey import Survey

_FILES = (
    ".github/workflows/*.yml",
    ".github/workflows/*.yaml",
    ".github/actions/*/action.yml",
    ".github/actions/*/action.yaml",
    ".gitlab-ci.yml",
    ".gitlab/ci/*.yml",
    ".circleci/config.yml",
    ".travis.yml",
    ".cirrus.yml",
    ".drone.yml",
    ".woodpecker.yml",
    ".woodpecker/*.yml",
    ".buildkite/*.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "appveyor.yml",
    ".appveyor.yml",
    "Jenkinsfile",
)

_COMMENT = re.compile(r"(?:^|\s)(?:#|//).*$")
_NAME = r"(?<![\w./@$-])(?P<name>[A-Za-z][\w.-]*)(?:\[[\w,. -]*\])?"
_EQUALS = re.compile(_NAME + r"\s*={2,3}\s*(?P<version>\$\{\{[^}]*\}\}|[^\s\"'`;|&)<>]+)")
_RANGE = r"\s*(?P<specifier>(?:~=|!=|<=?|>=?)[^\"';]*)"
_QUOTED = re.compile(r"[\"'](?P<name>[A-Za-z][\w.-]*)(?:\[[\w,. -]*\])?" + _RANGE + r"[\"']")
_AT = re.compile(_NAME + r"@(?P<version>\$\{\{[^}]*\}\}|[^\s\"'`;|&)<>]+)")
_RUNNER = re.compile(r"\b(?:uvx|uv\s+tool|uv\s+run|pipx|mise|rtx)\b")
_VERSION = re.compile(r"v?(\d[\w.]*(?:\.\*)?(?:\+[\w.]+)?)(?:,.*)?")


class CiPin(NamedTuple):
    """A version in a command: the tool as written, a specifier or nothing, why nothing, and the line from 1."""

    name: str
    specifier: str
    line: int
    note: str = ""


def command_pins(text: str) -> Iterator[CiPin]:
    """Find what the commands of a file ask for; works on lines, for every service has its own grammar around them."""
    for number, raw in enumerate(text.splitlines(), 1):
        if "==" not in raw and "@" not in raw and not any(sign in raw for sign in "<>~"):
            continue
        line = _COMMENT.sub("", raw)
        patterns = [_EQUALS, _AT] if _RUNNER.search(line) else [_EQUALS]
        for pattern in patterns:
            for match in pattern.finditer(line):
                pin = _pin(match["name"], match["version"].rstrip(",."), number)
                if pin is not None:
                    yield pin
        for match in _QUOTED.finditer(line):
            yield CiPin(match["name"], match["specifier"].strip(), number)


def _pin(name: str, version: str, line: int) -> CiPin | None:
    match = _VERSION.fullmatch(version)
    if match is not None:
        return CiPin(name, f"=={version.removeprefix('v')}", line)
    if version == "latest":
        return CiPin(name, "", line, "latest")
    return CiPin(name, "", line, f"a variable, {version}") if "$" in version else None


def ci_files(root: Path) -> list[Path]:
    """The files of the known services below `root`, in a fixed order."""
    return [path for pattern in _FILES for path in sorted(root.glob(pattern)) if path.is_file()]


def read_ci(survey: Survey, path: Path) -> None:
    """Note what the commands of one file ask for."""
    for pin in command_pins(survey.text(path) or ""):
        if pin.note:
            opaque = pin.note != "latest"
            survey.note(pin.name, pin.note, Origin.CI, path, pin.line, "CI command", opaque=opaque)
        else:
            survey.ask(pin.name, [pin.specifier], Origin.CI, path, pin.line, "CI command")

"""What has been gathered so far: pins, problems and the project's own names."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hephaestus_guard_rails.drift._pin import Origin, Pin
from hephaestus_guard_rails.drift._report import Problem, Source
from hephaestus_guard_rails.drift._tools import normal_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from packaging.requirements import Requirement

    from hephaestus_guard_rails.drift._target import Target

_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")


class Survey:
    """Collects what every reader of sources finds; a reader never raises for what a file contains."""

    def __init__(self, root: Path, tools: frozenset[str], target: Target) -> None:
        self.root = root
        self.tools = tools
        self.target = target
        self.pins: list[Pin] = []
        self.problems: list[Problem] = []
        self.own_names: set[str] = set()
        self.default_sets: set[tuple[str, str]] = set()

    def text(self, path: Path) -> str | None:
        """The content of a file; None if there is no such file, or a problem was noted."""
        if not path.is_file():
            return None
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self.complain(path, line, "not UTF-8 text; save the file as UTF-8")
        except OSError as error:
            self.complain(path, 1, f"cannot be read: {error.strerror}")
        return None

    def complain(self, path: Path, line: int, message: str) -> None:
        """Note a source, or a line of it, that could not be read; once, though it may be read in two roles."""
        problem = Problem(self.relative(path), line, message)
        if problem not in self.problems:
            self.problems.append(problem)

    def relative(self, path: Path) -> str:
        """A path as reports show it: relative to the project root, with forward slashes."""
        return os.path.relpath(path, self.root).replace(os.sep, "/")

    def wanted(self, name: str) -> str | None:
        """The normal form of `name` if it is one of the tools looked for."""
        normal = normal_name(name)
        return normal if normal in self.tools else None

    def ask(
        self,
        name: str,
        specifiers: Iterable[str],
        origin: Origin,
        path: Path,
        line: int,
        label: str,
        *,
        member_of: tuple[str, str] | None = None,
    ) -> None:
        """Note that a line asks for a version of a tool; names that are no tools are passed over."""
        tool = self.wanted(name)
        if tool is None:
            return
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            sets = tuple(SpecifierSet(specifier) for specifier in specifiers)
        except InvalidSpecifier as error:
            self.complain(path, line, f"{tool}: {str(error)[:200]}")
            return
        if not all(len(each) for each in sets):
            sets = ()  # one alternative allows everything, so all of them together do
        source = Source(self.relative(path), line, label)
        self.pins.append(Pin(tool, origin, source, sets, member_of=member_of))

    def note(
        self,
        name: str,
        reason: str,
        origin: Origin,
        path: Path,
        line: int,
        label: str,
        *,
        opaque: bool,
        member_of: tuple[str, str] | None = None,
    ) -> None:
        """Note that a line names a tool without a version that could be read."""
        tool = self.wanted(name)
        if tool is not None:
            source = Source(self.relative(path), line, label)
            self.pins.append(Pin(tool, origin, source, note=reason, opaque=opaque, member_of=member_of))

    def require(
        self,
        requirement: str,
        origin: Origin,
        path: Path,
        line: int,
        label: str,
        *,
        member_of: tuple[str, str] | None = None,
    ) -> None:
        """Note a PEP 508 requirement; one whose marker does not hold here is passed over."""
        match = _REQUIREMENT_NAME.match(requirement)
        if match is None or self.wanted(match[1]) is None:
            return
        parsed = self._parse(requirement, path, line)
        if parsed is None or not self.target.applies(str(parsed.marker or "")):
            return
        if parsed.url:
            self.note(parsed.name, "a direct reference", origin, path, line, label, opaque=True, member_of=member_of)
        else:
            self.ask(parsed.name, [str(parsed.specifier)], origin, path, line, label, member_of=member_of)

    def _parse(self, requirement: str, path: Path, line: int) -> Requirement | None:
        from packaging.requirements import InvalidRequirement, Requirement

        try:
            return Requirement(requirement)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            self.complain(path, line, f"not a requirement: {requirement.strip()!r}: {reason}")
            return None

"""What a drift check found, as data: the report, its findings and the files that could not be read."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kind(Enum):
    """How a tool strays; `UNPINNED` is a note and never drift."""

    VIOLATION = "violation"
    DIVERGENCE = "divergence"
    MISSING = "missing"
    UNPINNED = "unpinned"


class Source(NamedTuple):
    """Where a version is written: `file` relative to the project root (POSIX form), `line` from 1, `label` in words."""

    file: str
    line: int
    label: str

    def __str__(self) -> str:
        """The clickable form, `file:line`."""
        return f"{self.file}:{self.line}"


class Finding(NamedTuple):
    """One way in which one tool strays, or a note about it.

    `expected` is a specifier (`==0.6.9`, `>=8,<9`) or words such as "latest"; `installed` is None when the tool is
    not in the environment, or no environment is known; `hint` says in one sentence what to do.
    `against` is the source that a divergence contradicts.
    """

    tool: str
    kind: Kind
    expected: str
    source: Source
    installed: str | None
    hint: str
    against: Source | None = None

    def to_json(self) -> dict[str, Any]:
        """The finding as a dictionary of JSON types."""
        against = self.against._asdict() if self.against is not None else None
        return {**self._asdict(), "kind": self.kind.value, "source": self.source._asdict(), "against": against}


class Problem(NamedTuple):
    """A source, or a line of one, that could not be read; everything else was judged without it."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """One line for a person: `file:line: message`."""
        return f"{self.file}:{self.line}: {self.message}"


class DriftReport(NamedTuple):
    """The outcome of one drift check.

    `compared` are the declared tools that could be compared, `uncompared` those that could not, both sorted. `absent`
    are compared ones that are not installed and not missed: they belong to a set of dependencies (an extra, a group, a
    requirements file) that this environment leaves out. `mend` are argument lists, to be run in order from the
    project root without a shell; it is empty when no command can mend what was found (a divergence is a decision for a
    person).
    """

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    compared: tuple[str, ...] = ()
    uncompared: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    mend: Sequence[Sequence[str]] = ()

    @property
    def drifted_tools(self) -> list[str]:
        """Names of the tools that drifted, sorted, each once; notes do not count."""
        return sorted({finding.tool for finding in self.findings if finding.kind is not Kind.UNPINNED})

    @property
    def comparable(self) -> bool:
        """True when every declared tool could be compared and every source was read."""
        return not self.uncompared and not self.problems

    def to_json(self) -> dict[str, Any]:
        """The report as a dictionary of JSON types; keys are stable."""
        return {
            "drifted_tools": self.drifted_tools,
            "comparable": self.comparable,
            "compared": list(self.compared),
            "uncompared": list(self.uncompared),
            "absent": list(self.absent),
            "findings": [finding.to_json() for finding in self.findings],
            "problems": [problem._asdict() for problem in self.problems],
            "mend": [list(command) for command in self.mend],
        }

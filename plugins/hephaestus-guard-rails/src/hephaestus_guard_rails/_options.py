"""What was asked for on the command line, without click, and which wishes contradict each other."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hephaestus_guard_rails.errors import GuardRailsUsageError

__all__ = ["Options"]


class Options(NamedTuple):
    """The command line, parsed. None and empty mean: not given."""

    path: Path = Path()
    skip_format: bool = False
    drift: bool = False
    remediate: bool = False
    steps: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    fail_fast: bool = False
    jobs: int | None = None
    timeout: float | None = None
    plan: bool = False
    why: str = ""
    reuse: bool | None = None
    output: str = "text"
    junit: Path | None = None
    report: Path | None = None

    def refuse_contradictions(self) -> None:
        """Compare the wishes with each other.

        Raises:
            GuardRailsUsageError: two of them exclude each other.
        """
        if self.remediate and not self.drift:
            raise GuardRailsUsageError("--remediate mends drift", hint="add --drift")
        gates = self.steps or self.skip or self.plan or self.why or self.junit or self.report
        if self.drift and gates:
            raise GuardRailsUsageError(
                "--drift runs no gates, so it goes with none of --step, --skip, --plan, --why, --junit, --report",
                hint="run twice: once with --drift, once without",
            )

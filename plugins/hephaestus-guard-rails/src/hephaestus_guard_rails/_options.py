"""What was asked for on the command line, without click, and which wishes contradict each other."""

from __future__ import annotations

from pathlib import Path

from hephaestus_guard_rails._value import Value
from hephaestus_guard_rails.errors import GuardRailsUsageError

__all__ = ["Options"]


class Options(Value):
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
        if self.drift and (given := self._gate_options()):
            raise GuardRailsUsageError(
                f"--drift runs no gates, so {given[0]} means nothing to it",
                hint="run twice: once with --drift, once without",
            )
        if self.plan and self.why:
            raise GuardRailsUsageError("--plan and --why exclude each other", hint="choose one of the two")
        if (self.plan or self.why) and (self.junit or self.report):
            raise GuardRailsUsageError(
                "--plan and --why run nothing, so there is nothing to report",
                hint="leave --junit and --report out; --plan --output json is for machines",
            )

        if self.junit is not None and self.junit == self.report:
            raise GuardRailsUsageError(
                f"--junit and --report are both to be {self.junit}", hint="give each a path of its own"
            )

    def _gate_options(self) -> list[str]:
        """The given options that concern gates alone."""
        values: dict[str, object] = {
            "--step": self.steps,
            "--skip": self.skip,
            "--plan": self.plan,
            "--why": self.why,
            "--fail-fast": self.fail_fast,
            "--jobs": self.jobs,
            "--timeout": self.timeout,
            "--junit": self.junit,
            "--report": self.report,
        }
        cache = [] if self.reuse is None else ["--cache" if self.reuse else "--no-cache"]
        return [name for name, value in values.items() if value] + cache

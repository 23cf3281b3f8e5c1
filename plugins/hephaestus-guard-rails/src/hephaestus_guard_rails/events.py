"""The events of a guard-rails run, as constants.

Pairs: `cli.guard-rails.start` is followed by exactly one of `cli.guard-rails.complete` and `cli.guard-rails.failed`;
`guard-rails.step.start` by exactly one `guard-rails.step.complete` of the same step and phase.
"""

from __future__ import annotations

from hephaestus.event import TelemetryEvent

__all__ = [
    "ALL",
    "CLI_GUARD_RAILS_COMPLETE",
    "CLI_GUARD_RAILS_DRIFT",
    "CLI_GUARD_RAILS_DRIFT_OK",
    "CLI_GUARD_RAILS_FAILED",
    "CLI_GUARD_RAILS_START",
    "GUARD_RAILS_STEP_COMPLETE",
    "GUARD_RAILS_STEP_SKIPPED",
    "GUARD_RAILS_STEP_START",
]

CLI_GUARD_RAILS_START = TelemetryEvent(
    "cli.guard-rails.start",
    "A guard-rails run began.",
    required_fields={"skip_format": bool},
)
CLI_GUARD_RAILS_COMPLETE = TelemetryEvent(
    "cli.guard-rails.complete",
    "Every gate of a guard-rails run passed.",
    required_fields={"skip_format": bool},
)
CLI_GUARD_RAILS_FAILED = TelemetryEvent(
    "cli.guard-rails.failed",
    "A guard-rails run failed; names the first failing step in plan order and its raw return code.",
    required_fields={"step": str, "returncode": int},
    optional_fields={"level": str},
)
CLI_GUARD_RAILS_DRIFT = TelemetryEvent(
    "cli.guard-rails.drift",
    "Installed tool versions differ from the versions that the project asks for.",
    required_fields={"drifted_tools": list[str]},
)
CLI_GUARD_RAILS_DRIFT_OK = TelemetryEvent(
    "cli.guard-rails.drift.ok",
    "Every tool was compared and none has drifted.",
)
GUARD_RAILS_STEP_START = TelemetryEvent(
    "guard-rails.step.start",
    "A step's command is about to run, or its kept pass is about to be reused.",
    required_fields={"step": str, "phase": str},
    optional_fields={"command": list[str]},
)
GUARD_RAILS_STEP_COMPLETE = TelemetryEvent(
    "guard-rails.step.complete",
    "A step ended, by itself or because it was stopped.",
    required_fields={
        "step": str,
        "phase": str,
        "status": str,
        "returncode": int,
        "duration_ms": float,
        "cached": bool,
    },
    optional_fields={"reason": str, "changed_files": int},
)
GUARD_RAILS_STEP_SKIPPED = TelemetryEvent(
    "guard-rails.step.skipped",
    "A step of the plan did not run.",
    required_fields={"step": str, "phase": str, "reason": str},
)

ALL = (
    CLI_GUARD_RAILS_START,
    CLI_GUARD_RAILS_COMPLETE,
    CLI_GUARD_RAILS_FAILED,
    CLI_GUARD_RAILS_DRIFT,
    CLI_GUARD_RAILS_DRIFT_OK,
    GUARD_RAILS_STEP_START,
    GUARD_RAILS_STEP_COMPLETE,
    GUARD_RAILS_STEP_SKIPPED,
)

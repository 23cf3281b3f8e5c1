"""The nine events of cleanup: what the command says, and what the engine says of each path."""

from __future__ import annotations

from pathlib import Path

from hephaestus.event import TelemetryEvent

__all__ = [
    "CLEANUP_PATH_ERROR",
    "CLEANUP_PATH_PREVIEW",
    "CLEANUP_PATH_REMOVED",
    "CLEANUP_PATH_SKIPPED",
    "CLEANUP_RUN_COMPLETE",
    "CLEANUP_RUN_START",
    "CLI_CLEANUP_COMPLETE",
    "CLI_CLEANUP_FAILED",
    "CLI_CLEANUP_START",
    "EVENTS",
]

_FLAGS = {
    "include_git": bool,
    "include_poetry_env": bool,
    "python_cache": bool,
    "build_artifacts": bool,
    "node_modules": bool,
}

CLI_CLEANUP_START = TelemetryEvent(
    name="cli.cleanup.start",
    description="The cleanup command started, with these effective flags.",
    required_fields={**_FLAGS, "deep_clean": bool, "extra_paths": list, "dry_run": bool},
    optional_fields={"root": Path, "audit_manifest": Path},
)
CLI_CLEANUP_COMPLETE = TelemetryEvent(
    name="cli.cleanup.complete",
    description="The cleanup command ended without an error (exit code 0).",
    required_fields={"removed": int, "skipped": int, "errors": int},
    optional_fields={"audit_manifest": Path},
)
CLI_CLEANUP_FAILED = TelemetryEvent(
    name="cli.cleanup.failed",
    description="The cleanup command was refused, declined or interrupted, or it met errors.",
    required_fields={"errors": int},
)
CLEANUP_RUN_START = TelemetryEvent(
    name="cleanup.run.start",
    description="The engine starts its sweep over the search roots.",
    required_fields={"search_roots": list[Path], **_FLAGS, "extra_paths": list[Path], "dry_run": bool},
)
CLEANUP_RUN_COMPLETE = TelemetryEvent(
    name="cleanup.run.complete",
    description="The engine ended its sweep.",
    required_fields={"removed": int, "skipped": int, "errors": int, "dry_run": bool},
    optional_fields={"audit_manifest": Path},
)
CLEANUP_PATH_SKIPPED = TelemetryEvent(
    name="cleanup.path.skipped",
    description="A search root or a protected path was left alone.",
    required_fields={"path": Path, "reason": str},
)
CLEANUP_PATH_ERROR = TelemetryEvent(
    name="cleanup.path.error",
    description="The operating system refused to read or to remove a path.",
    required_fields={"path": Path, "reason": str},
)
CLEANUP_PATH_PREVIEW = TelemetryEvent(
    name="cleanup.path.preview",
    description="A dry run names a path that a real run would remove.",
    required_fields={"path": Path, "dry_run": bool},
)
CLEANUP_PATH_REMOVED = TelemetryEvent(
    name="cleanup.path.removed",
    description="A path was removed, with everything beneath it.",
    required_fields={"path": Path, "dry_run": bool},
)

EVENTS = (
    CLI_CLEANUP_START,
    CLI_CLEANUP_COMPLETE,
    CLI_CLEANUP_FAILED,
    CLEANUP_RUN_START,
    CLEANUP_RUN_COMPLETE,
    CLEANUP_PATH_SKIPPED,
    CLEANUP_PATH_ERROR,
    CLEANUP_PATH_PREVIEW,
    CLEANUP_PATH_REMOVED,
)

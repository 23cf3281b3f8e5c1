"""The public face of the event system.

Every event that an installed plugin contributes is here under its constant: `telemetry.CLEANUP_PATH_REMOVED` is the
cleanup plugin's `cleanup.path.removed`. Constants are resolved on first touch; nothing is loaded before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hephaestus.errors import UnknownEventError
from hephaestus.event import TelemetryEvent
from hephaestus.plugins import contributed_events
from hephaestus.registry import TelemetryRegistry

if TYPE_CHECKING:
    from hephaestus._constants import *  # noqa: F403
    from hephaestus.context import (
        bind_context,
        child_environment,
        current_context,
        generate_operation_id,
        generate_run_id,
        operation_context,
        set_run,
    )
    from hephaestus.emit import Emitted, add_listener, emit_event

__all__ = [
    "Emitted",
    "TelemetryEvent",
    "TelemetryRegistry",
    "add_listener",
    "bind_context",
    "child_environment",
    "current_context",
    "emit_event",
    "generate_operation_id",
    "generate_run_id",
    "operation_context",
    "registry",
    "set_run",
]

#: The process's registry: events registered by hand, over those of the installed plugins.
registry = TelemetryRegistry(contributed_events)

# Plugins define their events at each start, and emit them at few: what only emitting needs comes with its first touch.
_LATER = {
    **dict.fromkeys(("Emitted", "add_listener", "emit_event"), "hephaestus.emit"),
    **dict.fromkeys(
        ("bind_context", "child_environment", "current_context", "operation_context"), "hephaestus.context"
    ),
    **dict.fromkeys(("generate_operation_id", "generate_run_id", "set_run"), "hephaestus.context"),
}

if not TYPE_CHECKING:  # a type checker knows the constants from the generated stub, and must see a typo

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            # Kept, so that the next touch does not come here.
            value = globals()[name] = getattr(import_module(_LATER[name]), name)
            return value
        if not name.isupper() or name.startswith("_"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            return registry.constant(name)
        except UnknownEventError as error:
            raise AttributeError(f"module {__name__!r}: {error}", name=name) from None


def __dir__() -> list[str]:
    return sorted({*__all__, *(event.constant for event in registry)})

"""What the cleanup plugin contributes: nine events, two commands, two hooks, a configuration table, a quality gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hephaestus.plugins import Command, ConfigTable, hookimpl, hookspecs, implements
from hephaestus_cleanup import hookspecs as cleanup_hookspecs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hephaestus.event import TelemetryEvent
    from hephaestus_cleanup.rules import Rule

__all__: list[str] = []


@implements(hookspecs.hephaestus_events)
def hephaestus_events() -> Iterable[TelemetryEvent]:
    """The nine cleanup events."""
    from hephaestus_cleanup.events import EVENTS

    return EVENTS


@implements(hookspecs.hephaestus_commands)
def hephaestus_commands() -> Iterable[Command]:
    """`hephaestus cleanup` and `hephaestus cleanup-runs`."""
    return [
        Command("cleanup", "hephaestus_cleanup.cli:cleanup", "Remove build leftovers from a workspace."),
        Command("cleanup-runs", "hephaestus_cleanup.cli:cleanup_runs", "List, show and undo recorded cleanup runs."),
    ]


@implements(hookspecs.hephaestus_hookspecs)
def hephaestus_hookspecs() -> Iterable[object]:
    """The hooks of `hephaestus_cleanup.hookspecs`."""
    return [cleanup_hookspecs]


@implements(hookspecs.hephaestus_config_tables)
def hephaestus_config_tables() -> Iterable[ConfigTable]:
    """`[tool.hephaestus.cleanup]`."""
    return [ConfigTable("cleanup", "hephaestus_cleanup._config:CleanupConfig")]


@implements(cleanup_hookspecs.hephaestus_cleanup_rules)
def hephaestus_cleanup_rules() -> Iterable[Rule]:
    """The rules that come with the plugin."""
    from hephaestus_cleanup._builtin_rules import BUILTIN_RULES

    return BUILTIN_RULES


@hookimpl(optionalhook=True)
def hephaestus_guard_rails_steps() -> Iterable[Mapping[str, object]]:
    """The gate `cleanup` of `hephaestus guard-rails`, where that is installed: nothing is left to clean."""
    from hephaestus_cleanup._gate import CLEANUP_GATE

    return [CLEANUP_GATE]

"""What the guard-rails plugin contributes: events, a command, a hook, a table of the configuration."""

from __future__ import annotations

from hephaestus.plugins import Command, ConfigTable, hookspecs, implements
from hephaestus_guard_rails import hookspecs as guard_rails_hookspecs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from hephaestus.event import TelemetryEvent

__all__: list[str] = []


@implements(hookspecs.hephaestus_events)
def hephaestus_events() -> Iterable[TelemetryEvent]:
    """The events of a run, of its steps and of drift."""
    from hephaestus_guard_rails.events import ALL

    return ALL


@implements(hookspecs.hephaestus_commands)
def hephaestus_commands() -> Iterable[Command]:
    """`hephaestus guard-rails`."""
    return [Command("guard-rails", "hephaestus_guard_rails.cli:guard_rails", "Run every quality gate of a project.")]


@implements(hookspecs.hephaestus_hookspecs)
def hephaestus_hookspecs() -> Iterable[object]:
    """The hooks of `hephaestus_guard_rails.hookspecs`."""
    return [guard_rails_hookspecs]


@implements(hookspecs.hephaestus_config_tables)
def hephaestus_config_tables() -> Iterable[ConfigTable]:
    """`[tool.hephaestus.guard-rails]`."""
    return [ConfigTable("guard-rails", "hephaestus_guard_rails._config:GuardRailsConfig")]

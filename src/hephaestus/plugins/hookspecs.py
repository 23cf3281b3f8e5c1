"""The core's hooks: what a plugin may contribute and what it may listen to.

Implement them in the module that your entry point names, with `implements`, so that a type checker compares your
signature with the specification::

    from hephaestus.plugins import Command, hookspecs, implements

    @implements(hookspecs.hephaestus_commands)
    def hephaestus_commands():
        return [Command("greet", "my_plugin.cli:greet", "Greet somebody.")]

Every implementation is called by itself: one that raises is reported in one line and left out, the others count.
Specifications have no code of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hephaestus.plugins._markers import hookspec

if TYPE_CHECKING:
    from hephaestus.config import ConfigTable
    from hephaestus.emit import Emitted
    from hephaestus.event import TelemetryEvent
    from hephaestus.plugins._command import Command

__all__ = [
    "hephaestus_commands",
    "hephaestus_config_tables",
    "hephaestus_events",
    "hephaestus_hookspecs",
    "hephaestus_on_event",
]


@hookspec
def hephaestus_events() -> Iterable[TelemetryEvent]:  # type: ignore[empty-body]
    """Contribute event definitions.

    When: once, when an event is first looked up (a listing, a constant of `hephaestus.telemetry`).
    Returns: the definitions. A name that another plugin has defined differently is refused and reported.
    Cost: runs on every `--list-events`; import nothing heavy.

    Example::

        GREETED = TelemetryEvent("my-plugin.greeted", "Somebody was greeted.", {"name": str})

        @implements(hookspecs.hephaestus_events)
        def hephaestus_events():
            return [GREETED]
    """


@hookspec
def hephaestus_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Contribute sub-commands of `hephaestus`.

    When: once in each invocation of the command line.
    Returns: `Command(name, target, summary)`; the target is imported only when the command runs or shows its help.
    A name that is taken is refused and reported.

    Example::

        @implements(hookspecs.hephaestus_commands)
        def hephaestus_commands():
            return [Command("greet", "my_plugin.cli:greet", "Greet somebody.")]
    """


@hookspec
def hephaestus_hookspecs() -> Iterable[object]:  # type: ignore[empty-body]
    """Offer hooks of the plugin's own.

    When: once, before any other hook; plugins are being loaded, so call no hook in here.
    Returns: modules (or other namespaces) whose functions are marked with `hookspec`. Hook names begin with
    `hephaestus_` and the plugin's name.

    Example::

        @implements(hookspecs.hephaestus_hookspecs)
        def hephaestus_hookspecs():
            from my_plugin import hookspecs

            return [hookspecs]
    """


@hookspec
def hephaestus_config_tables() -> Iterable[ConfigTable]:  # type: ignore[empty-body]
    """Declare the plugin's table of the configuration.

    When: once, when configuration is first read.
    Returns: `ConfigTable(name, target)`: `[tool.hephaestus.<name>]` is structured into the attrs class or NamedTuple at
    `target`, which is imported only when the table is used. Every attribute needs a default.

    Example::

        @implements(hookspecs.hephaestus_config_tables)
        def hephaestus_config_tables():
            return [ConfigTable("greet", "my_plugin._config:GreetConfig")]
    """


@hookspec
def hephaestus_on_event(emitted: Emitted) -> None:
    """Hear of each event that is emitted at an enabled level, after logging has had it.

    When: on the emitting thread, for each event of a command; keep it short.
    Arguments: `emitted`: event, payload, level, message, logger, run_id; do not change it.
    Returns: nothing. An exception is reported once and never reaches the emitter; what a listener emits itself is
    logged but told to no listener.

    Example::

        @implements(hookspecs.hephaestus_on_event)
        def hephaestus_on_event(emitted):
            if emitted.event.name == "cleanup.path.removed":
                count_removal(emitted.payload["path"])
    """

"""One installed plugin and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hephaestus.event import TelemetryEvent
    from hephaestus.plugins._command import Command
    from hephaestus.plugins._discovery import PluginSource
    from hephaestus.plugins._report import Problem

__all__ = ["Plugin"]


class Plugin:
    """A plugin, from its entry point to its contributions.

    Attributes:
        source: name, distribution and version.
        module: the imported plugin; None while disabled or where the import failed.
        disabled: True when it was not to be loaded.
        problems: what went wrong, in the order in which it was seen.
        hooks: names of the hooks that it implements.
        events, commands: what the host accepted of its contributions.
        import_seconds: how long the import took.
    """

    def __init__(self, source: PluginSource, *, disabled: bool = False) -> None:
        self.source = source
        self.disabled = disabled
        self.module: object | None = None
        self.problems: list[Problem] = []
        self.hooks: tuple[str, ...] = ()
        self.events: list[TelemetryEvent] = []
        self.commands: list[Command] = []
        self.import_seconds = 0.0

    @property
    def name(self) -> str:
        """The entry point's name."""
        return self.source.name

    @property
    def state(self) -> str:
        """`ok`, `disabled`, or `broken` where there is any problem."""
        if self.disabled:
            return "disabled"
        return "broken" if self.problems else "ok"

    def __repr__(self) -> str:
        return f"<Plugin {self.name} {self.state}>"

"""The root's sub-commands: the core's own and those of plugins, each imported only when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from hephaestus.cli._session import CORE_COMMANDS, session_of
from hephaestus.errors import Interrupted, PluginError

if TYPE_CHECKING:
    from hephaestus.plugins import Command, Plugin

__all__ = ["RootGroup", "load"]

# Target and summary by name.
_CORE = {
    "events": ("hephaestus.cli._events:events", "List, show and compare the defined events."),
    "plugins": ("hephaestus.cli._plugins:plugins", "Show the installed plugins and their state."),
}


class RootGroup(click.Group):
    """Finds sub-commands in the core and in plugins; `--help` lists them without importing any."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all sub-commands, sorted."""
        return sorted((*CORE_COMMANDS, *session_of(ctx).host.commands))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a sub-command; None where there is none of that name.

        Raises:
            PluginError: the plugin's command cannot be imported.
        """
        if cmd_name in _CORE:
            return load(_CORE[cmd_name][0])
        found = session_of(ctx).host.commands.get(cmd_name)
        if found is None:
            return None
        plugin, command = found
        try:
            return load(command.target)
        except (KeyboardInterrupt, Interrupted):
            raise
        except BaseException as error:  # a plugin's SystemExit at import is a broken plugin, too
            from hephaestus.plugins._report import one_line

            name = plugin.source.distribution
            raise PluginError(
                f"command {command.name!r} of plugin {plugin.name} ({name}) cannot be loaded: {one_line(error)}",
                hint=f"upgrade or uninstall {name}",
            ) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the sub-command that the arguments name.

        Raises:
            click.UsageError: there is none; the nearest is named, or the plugin that would have it.
        """
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            ctx.fail(f"No such command {name!r}.{self._advice(ctx, name)}")
        return super().resolve_command(ctx, args)

    def _advice(self, ctx: click.Context, name: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(name, self.list_commands(ctx), n=1)
        if near:
            return f" Did you mean {near[0]!r}?"
        for plugin in session_of(ctx).host.plugins:
            if plugin.name == name and plugin.state != "ok":
                return f" Its plugin is {plugin.state}; see hephaestus plugins."
        return " Is its plugin installed? See hephaestus plugins."

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of sub-commands from their summaries, importing none."""
        found: dict[str, tuple[Plugin, Command]] = dict(session_of(ctx).host.commands)
        rows = [(name, summary) for name, (_, summary) in _CORE.items()]
        rows += [(name, command.summary) for name, (_, command) in found.items()]
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows))
        session_of(ctx).report_problems()


def load(target: str) -> click.Command:
    """Import the command that a target names.

    Raises:
        TypeError: it is none; whatever the import raises.
    """
    module, _, attribute = target.partition(":")
    loaded: Any = getattr(import_module(module), attribute)
    if not isinstance(loaded, click.Command):
        raise TypeError(f"{target} is no click command")
    return loaded

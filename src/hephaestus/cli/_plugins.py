"""`hephaestus plugins`: what is installed, in what state, what it contributes; and the beginning of a new one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from hephaestus.cli._listing import dumps
from hephaestus.cli._session import CORE_COMMANDS, current_session
from hephaestus.cli._style import styled, writable
from hephaestus.errors import UsageError
from hephaestus.plugins import Plugin

__all__ = ["plugins"]

_COLOURS = {"ok": "green", "disabled": "yellow", "broken": "red"}


@click.group(invoke_without_command=True)
@click.option("--timings", is_flag=True, help="Show how long each plugin took to import.")
@click.option("--json", "as_json", is_flag=True, help="Write a list of objects instead.")
def plugins(timings: bool, as_json: bool) -> None:
    """Show the installed plugins: state, distribution, version, contributions.

    A broken plugin is shown with the reason and the mend; it takes nothing else down.

    \b
    Examples:
      hephaestus plugins --timings
      hephaestus --disable-plugin cleanup plugins
    """
    if click.get_current_context().invoked_subcommand is not None:
        if timings or as_json:
            raise UsageError("--timings and --json are about the list of plugins", hint="leave them out")
        return
    host = current_session().host
    host.definitions()
    commands, tables = host.commands, host.config_tables
    del commands, tables  # asked for what they report
    if as_json:
        click.echo(dumps([_as_json(each) for each in host.plugins]), nl=False)
        return
    for plugin in host.plugins:
        click.echo(_describe(plugin, timings=timings), nl=False)
    if not host.plugins:
        click.echo("No plugin is installed. Try: pip install hephaestus-cleanup; or: hephaestus plugins new NAME")


@plugins.command("new")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to write it, hephaestus-NAME by default.")
def new_command(name: str, folder: Path | None) -> None:
    """Write the project of a new plugin: an event, a command, and tests that pass.

    NAME is the command's name, too: lower-case words that hyphens join. The folder must not exist yet.

    \b
    Example:
      hephaestus plugins new todo
      cd hephaestus-todo
      python -m pip install --editable '.[dev]'
      python -m pytest
      hephaestus todo README.md
    """
    from hephaestus.cli._scaffold import plugin_name, write_plugin

    host = current_session().host
    taken = {*CORE_COMMANDS, *host.commands, *(plugin.name for plugin in host.plugins)}
    name = plugin_name(name, taken)
    folder, written = write_plugin(name, folder)
    for path in written:
        click.echo(writable(str(folder / path)))
    following = [
        f"cd {shlex.quote(writable(str(folder)))}",
        "python -m pip install --editable '.[dev]'",
        "python -m pytest",
        f"hephaestus {name} README.md",
    ]
    click.echo("\n  ".join(["\nNext:", *following]))


def _describe(plugin: Plugin, *, timings: bool) -> str:
    source = plugin.source
    state = styled(plugin.state, _COLOURS[plugin.state])
    lines = [f"{plugin.name}  {state}  {source.distribution} {source.version}"]
    if timings and plugin.module is not None:
        lines.append(f"  imported in {plugin.import_seconds * 1000:.1f} ms")
    lines += [f"  problem   {problem.reason}; {problem.mend}" for problem in plugin.problems]
    for label, names in (
        ("commands", [each.name for each in plugin.commands]),
        ("events", [each.name for each in plugin.events]),
        ("hooks", list(plugin.hooks)),
    ):
        if names:
            lines.append(f"  {label:9} {', '.join(names)}")
    return "\n".join(lines) + "\n"


def _as_json(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "state": plugin.state,
        "distribution": plugin.source.distribution,
        "version": plugin.source.version,
        "import_ms": round(plugin.import_seconds * 1000, 3),
        "problems": [{"reason": each.reason, "mend": each.mend} for each in plugin.problems],
        "commands": [each.name for each in plugin.commands],
        "events": [each.name for each in plugin.events],
        "hooks": list(plugin.hooks),
    }

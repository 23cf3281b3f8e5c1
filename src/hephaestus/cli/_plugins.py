"""`hephaestus plugins`: what is installed, in what state, and what it contributes."""

from __future__ import annotations

from typing import Any

import click

from hephaestus.cli._listing import dumps
from hephaestus.cli._session import current_session
from hephaestus.cli._style import styled
from hephaestus.plugins import Plugin

__all__ = ["plugins"]

_COLOURS = {"ok": "green", "disabled": "yellow", "broken": "red"}


@click.command()
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
        click.echo("No plugin is installed. Try: pip install hephaestus-cleanup")


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

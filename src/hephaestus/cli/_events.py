"""`hephaestus events`: list, show and compare definitions, and show a log's events as a tree."""

from __future__ import annotations

from typing import BinaryIO

import click

from hephaestus.cli import _listing
from hephaestus.cli._session import current_session
from hephaestus.cli._style import styled, writable
from hephaestus.errors import UnknownEventError, UsageError

__all__ = ["events"]


@click.group()
def events() -> None:
    """List, show and compare the defined events, and read a log of them."""


@events.command("list")
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json", "markdown", "jsonschema"]),
    default="table",
    show_default=True,
    help="How to write them.",
)
@click.option("--plugin", "only", multiple=True, metavar="NAME", help="Only this plugin's events; may be repeated.")
def list_command(output: str, only: tuple[str, ...]) -> None:
    """List every event of every installed plugin.

    \b
    Examples:
      hephaestus events list --format json | jq '.[].name'
      hephaestus events list --format jsonschema --plugin cleanup
    """
    host = current_session().host
    known = {name for each in host.plugins for name in (each.name, each.source.distribution)}
    for name in only:
        if name not in known:
            raise UsageError(f"no installed plugin is called {name!r}", hint="hephaestus plugins")
    if output == "table":
        text = _listing.table(host, only)
    elif output == "markdown":
        text = _listing.markdown(host, only)
    else:
        text = _listing.dumps(_listing.as_json(host, only) if output == "json" else _listing.json_schema(host, only))
    click.echo(text, nl=False)


@events.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Write the event's JSON Schema.")
@click.option("--source", is_flag=True, help="Write the Python that is generated to check, write and emit it.")
def show_command(name: str, as_json: bool, source: bool) -> None:
    """Show one event: NAME or its constant.

    \b
    Examples:
      hephaestus events show cleanup.path.removed
      hephaestus events show CLEANUP_PATH_REMOVED --json
      hephaestus events show cleanup.path.removed --source
    """
    if as_json and source:
        raise UsageError("--json and --source exclude each other", hint="choose one of the two")
    from hephaestus.telemetry import registry

    try:
        event = registry.constant(name) if name.isupper() else registry.get(name)
    except UnknownEventError as error:
        raise UsageError(error.message, hint="hephaestus events list") from error
    if as_json:
        click.echo(_listing.dumps(event.json_schema()), nl=False)
        return
    if source:
        from hephaestus._source import PARTS, source_of

        click.echo("\n\n".join(source_of(event, part) for part in PARTS), nl=False)
        return
    click.echo(f"{_listing.describe(event)}      constant  {event.constant}")
    click.echo(f"      plugin    {registry.definition(event.name).owner}")


@events.command("check")
@click.argument("baseline", type=click.Path(exists=True, dir_okay=False))
def check_command(baseline: str) -> None:
    """Compare the definitions with BASELINE, a file made by `events list --format json`.

    Exits 1 where an event or field went, came to be required or optional, or changed its type: each breaks readers or
    emitters. New events and new optional fields break nobody.

    \b
    Example:
      hephaestus events list --format json > events.json   # once, committed
      hephaestus events check events.json                  # in CI
    """
    from hephaestus.cli._compatibility import breaking_changes, read_baseline

    changes = breaking_changes(read_baseline(baseline), _listing.as_json(current_session().host))
    for change in changes:
        click.echo(change)
    if changes:
        click.get_current_context().exit(1)
    click.echo("compatible with the baseline")


@events.command("tree")
@click.argument("log", type=click.File("rb"))
@click.option("--run", "run_id", metavar="ID", help="Only this run.")
def tree_command(log: BinaryIO, run_id: str | None) -> None:
    """Show a JSON log as a tree of runs, operations and events.

    LOG is a file, or - for standard input. Operations of child processes stand in the operation that started them.
    Times are UTC.

    \b
    Examples:
      hephaestus --log-file events.jsonl cleanup --dry-run
      hephaestus events tree events.jsonl
    """
    from hephaestus.cli._tree import draw, grow, read_line

    lines, others = [], 0
    for text in log:
        line = read_line(text)
        if line is None:
            others += text.strip() != b""
        elif run_id in (None, line.run_id):
            lines.append(line)
    if not lines:
        raise UsageError(
            f"{getattr(log, 'name', '-')}: no line of {'a JSON log' if run_id is None else f'the run {run_id}'}",
            hint="--log-file FILE writes such a log",
        )
    plain = writable("├─└│") != "├─└│"
    for run in grow(lines):
        click.echo(writable("\n".join(draw(run, plain=plain))))
    if others:
        count = "1 line is" if others == 1 else f"{others} lines are"
        click.echo(f"{styled('warning:', 'yellow')} {count} left out, being no log's", err=True)

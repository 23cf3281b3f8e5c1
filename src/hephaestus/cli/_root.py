"""The root command: options that hold for every sub-command."""

from __future__ import annotations

import click

from hephaestus import __version__
from hephaestus.cli._group import RootGroup
from hephaestus.cli._session import session_of

__all__ = ["root"]

_EPILOG = """\b
Examples:
  hephaestus --list-events
  hephaestus --log-format json --log-file events.jsonl COMMAND
  hephaestus plugins

Logs go to stderr, results to stdout. Exit codes: 0 done, 1 failed or refused, 2 usage, 130 interrupted, 128+n on a
signal. Settings also come from [tool.hephaestus] in pyproject.toml or from hephaestus.toml, and from the environment
(HEPHAESTUS_LOG_FORMAT, HEPHAESTUS_DISABLED_PLUGINS, ...)."""

# `hephaestus.config.LOG_LEVELS`, which `--version` need not import.
_LEVELS = ("debug", "info", "warning", "error", "critical")


@click.group(
    cls=RootGroup,
    invoke_without_command=True,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="hephaestus", message="%(prog)s %(version)s")
@click.option("--list-events", is_flag=True, help="Show every event of every installed plugin, and exit.")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="Write log lines to stderr in this format.")
@click.option(
    "--log-level", type=click.Choice(_LEVELS, case_sensitive=False), help="Write log lines of this level and above."
)
@click.option("--log-file", type=click.Path(dir_okay=False), metavar="PATH", help="Append JSON log lines to this file.")
@click.option("--run-id", metavar="ID", help="Correlate the run's events by this id instead of a new one.")
@click.option(
    "--disable-plugin",
    multiple=True,
    is_eager=True,  # so that a --help behind it heeds it
    metavar="NAME",
    help="Do not load this plugin; may be given several times.",
)
@click.option("--debug", is_flag=True, envvar="HEPHAESTUS_DEBUG", help="Show tracebacks of errors.")
@click.pass_context
def root(ctx: click.Context, /, list_events: bool, **_options: object) -> None:
    """Trusted tools for dangerous, boring jobs.

    Every action is a validated event, and every command comes from a plugin.
    """
    if list_events:
        from hephaestus.cli._listing import table

        session = session_of(ctx)
        click.echo(table(session.host), nl=False)
        session.report_problems()
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        ctx.exit(2)
    session_of(ctx).start()

"""`hephaestus guard-rails`: the options; `_invocation` does what they say."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from hephaestus.cli import current_session

__all__ = ["guard_rails"]

_EPILOG = """\b
Exit codes: 0 passed, 1 a gate failed, 2 usage or configuration, 3 drift, 124 time-out, 127 tool missing,
130 and 143 ended by Ctrl-C and SIGTERM."""


def _finite(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    # click's range lets "nan" and "inf" through.
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of seconds")
    return value


@click.command("guard-rails", epilog=_EPILOG)
@click.argument("path", type=click.Path(path_type=Path), default=".")
@click.option("--no-format", "skip_format", is_flag=True, help="Leave the passes out that rewrite files; still check.")
@click.option("--drift", is_flag=True, help="Compare tool versions with the project's pins instead of running gates.")
@click.option("--remediate", is_flag=True, help="With --drift: run the commands that mend it, then compare again.")
@click.option("--step", "steps", multiple=True, metavar="NAME", help="Run only this step, group or tool; repeatable.")
@click.option("--skip", multiple=True, metavar="NAME", help="Leave this step, group or tool out; repeatable.")
@click.option("--fail-fast", is_flag=True, help="Stop everything at the first failure.")
@click.option("--jobs", type=click.IntRange(min=1), help="Cores to use.  [default: all]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    callback=_finite,
    metavar="SECONDS",
    help="Stop each step after so many seconds.",
)
@click.option("--plan", is_flag=True, help="Show what would run, and why; run nothing.")
@click.option("--why", default="", metavar="NAME", help="Say why a step would run again; run nothing.")
@click.option(
    "--cache/--no-cache", "reuse", default=None, help="Reuse passes of unchanged inputs.  [default: not in CI]"
)
@click.option("--output", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option("--junit", type=click.Path(path_type=Path), help="Write a JUnit XML report.")
@click.option("--report", type=click.Path(path_type=Path), help="Write a JSON report.")
@click.pass_context
def guard_rails(context: click.Context, /, **options: Any) -> None:
    """Run every quality gate of the project at PATH, side by side.

    The project is the nearest one at or above PATH. Which gates apply is read from its files; --plan shows it.
    """
    from hephaestus_guard_rails._invocation import invoke
    from hephaestus_guard_rails._options import Options

    context.exit(invoke(Options(**options), current_session()))

"""The options of `hephaestus cleanup` and `hephaestus cleanup-runs`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hephaestus.cli import current_session
from hephaestus.errors import UsageError

if TYPE_CHECKING:
    from hephaestus_cleanup._consent import Ask
    from hephaestus_cleanup._engine import Outcome
    from hephaestus_cleanup._options import CleanupOptions

__all__ = ["cleanup", "cleanup_runs"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _flag(name: str, text: str) -> Callable[[_Command], _Command]:
    return click.option(f"--{name}/--no-{name}", default=None, help=text)


@click.command()
@click.argument("root", required=False)
@_flag("include-git", "Remove operating-system litter inside .git too; never refs, objects or .git itself.")
@_flag("include-poetry-env", "Remove caches inside .venv and Poetry's environment; never installed packages.")
@_flag("python-cache", "Remove __pycache__, *.pyc and the caches of pytest, mypy and ruff.")
@_flag("build-artifacts", "Remove build/, dist/, target/, *.egg-info and the like, where evidence shows that they are.")
@_flag("node-modules", "Remove node_modules beside a package.json.")
@_flag("deep-clean", "All of these except --include-git.")
@click.option("--extra-path", "extra_paths", multiple=True, metavar="PATH", help="Sweep this folder too. Repeatable.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed and touch nothing.")
@click.option("-y", "--yes", is_flag=True, help="Consent beforehand to what would be asked.")
@click.option("--audit-manifest", metavar="PATH", help="Write the audit manifest here instead of the state folder.")
@click.option("--max-depth", type=click.IntRange(min=1), metavar="N", help="Look no deeper than N levels below a root.")
@_flag("quarantine", "Move into a quarantine within ROOT instead of deleting, so that the run can be undone.")
@_flag("exact", "Measure every file's size instead of sampling large folders.")
@click.option("--max-entries", type=click.IntRange(min=0), metavar="N", help="Ask before removing more entries.")
@click.option("--max-bytes", type=click.IntRange(min=0), metavar="N", help="Ask before removing more bytes.")
@click.option(
    "--max-share", type=click.FloatRange(0, 1, min_open=True), metavar="X", help="Ask before removing more of the tree."
)
@click.option("--workers", type=click.IntRange(1, 16), metavar="N", help="Threads that remove (default 2).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option("--print0", is_flag=True, help="Print the paths, each ended by a NUL byte.")
def cleanup(
    root: str | None,
    extra_paths: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    audit_manifest: str | None,
    as_json: bool,
    print0: bool,
    **flags: Any,
) -> None:
    """Remove build leftovers from ROOT.

    ROOT is by default the git repository's top level, else the current folder. Without a flag only the operating
    system's litter (.DS_Store, ._*, Thumbs.db, ...) goes. Tracked files, nested repositories and environments stay.
    """
    from hephaestus_cleanup._consent import Consent
    from hephaestus_cleanup._invocation import cleanup_workspace
    from hephaestus_cleanup._options import effective_options
    from hephaestus_cleanup._roots import choose_root

    if as_json and print0:
        raise UsageError("--json and --print0 exclude each other", hint="choose one of the two")
    session = current_session()
    place = choose_root(root)
    config = session.table("cleanup", root=Path(place))
    options = effective_options(
        config, flags, extra_paths=extra_paths, dry_run=dry_run, yes=yes, audit_manifest=audit_manifest
    )
    watch = None
    if session.show_progress:
        from hephaestus_cleanup._progress import TerminalWatch

        watch = TerminalWatch(session.stderr_console(), dry_run=dry_run)
    run_id = session.run_id

    cleanup_workspace(
        place,
        options,
        session.host,
        consent=Consent(yes, _asking(session.interactive)),
        run_id=run_id,
        watch=watch,
        finished=lambda outcome: _print(outcome, options, run_id, place, as_json=as_json, print0=print0),
    )


@click.group()
def cleanup_runs() -> None:
    """List, show and undo recorded cleanup runs."""


@cleanup_runs.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_runs(as_json: bool) -> None:
    """List recorded runs, the newest first."""
    from hephaestus_cleanup._render import displayed
    from hephaestus_cleanup._runs import recorded_runs

    runs = recorded_runs()
    if as_json:
        keys = ("run", "when", "root", "state", "counts", "quarantine", "manifest", "problem")
        click.echo(json.dumps([{key: each[key] for key in keys if key in each} for each in runs], indent=1))
        return
    for each in runs:
        if "problem" in each:
            click.echo(f"{displayed(each['run'])}  unreadable: {displayed(each['problem'])}")
            continue
        kind = "quarantined" if each.get("quarantine") else "removed"
        what = f"{len(each['removed'])} {kind}, {len(each['in_doubt'])} in doubt"
        shown = (displayed(str(each[key])) for key in ("run", "when", "state"))
        click.echo("  ".join((*shown, what, displayed(each["root"]))))


@cleanup_runs.command("show")
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as one JSON object.")
@click.option("--print0", is_flag=True, help="Print the removed paths, each ended by a NUL byte.")
def show_run(run: str | None, as_json: bool, print0: bool) -> None:
    """Show what RUN (an id or a manifest; by default the newest) did with each path."""
    from hephaestus_cleanup._render import displayed
    from hephaestus_cleanup._runs import find_record

    record = find_record(run)
    if as_json:
        click.echo(json.dumps(record, indent=1))
        return
    if print0:
        _print_nul([each["path"] for each in record["removed"]])
        return
    click.echo(displayed(f"run {record['run']} of {record['when']}: {record['state']}, {record['root']}"))
    labels = {"removed": "removed", "in_doubt": "in doubt", "kept": "kept", "not_removed": "not removed"}
    for key, label in labels.items():
        for each in record[key]:
            click.echo(displayed(f"{label} {each['path']}  [{each['rule']}: {each['evidence']}]"))
    for key, label in (("skipped", "skipped"), ("errors", "error")):
        for each in record[key]:
            click.echo(displayed(f"{label} {each['path']}: {each['reason']}"))


@cleanup_runs.command("undo")
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.pass_context
def undo(context: click.Context, run: str | None, as_json: bool) -> None:
    """Restore what RUN (by default the newest) moved to the quarantine; nothing is overwritten."""
    from hephaestus_cleanup._render import displayed
    from hephaestus_cleanup._runs import find_record, undo_run

    record = find_record(run)
    undone = undo_run(record)
    if as_json:
        left = [{"path": each.path, "reason": each.reason} for each in undone.left]
        click.echo(json.dumps({"run": record["run"], "restored": undone.restored, "left": left}, indent=1))
    else:
        for path in undone.restored:
            click.echo(f"restored {displayed(path)}")
        for note in undone.left:
            click.echo(f"left in the quarantine: {displayed(f'{note.path}: {note.reason}')}", err=True)
        click.echo(f"{len(undone.restored)} paths restored, {len(undone.left)} left")
    if undone.left:
        context.exit(1)


def _asking(interactive: bool) -> Ask | None:
    def ask(question: str) -> str:
        # Not click.prompt: that turns Ctrl-C into a plain "no", and the two end with different exit codes.
        click.echo(question, nl=False, err=True)
        return sys.stdin.readline()

    return ask if interactive else None


def _print(outcome: Outcome, options: CleanupOptions, run_id: str, root: str, *, as_json: bool, print0: bool) -> None:
    from hephaestus_cleanup._render import outcome_document, plan_lines, summary_lines

    if as_json:
        click.echo(json.dumps(outcome_document(outcome, options, run_id, root), indent=1))
    elif print0:
        items = outcome.plan.items if options.dry_run else [each.item for each in outcome.removed]
        _print_nul([each.path for each in items])
    else:
        listed = plan_lines(outcome.plan) if options.dry_run else ()
        for line in (*listed, *summary_lines(outcome, options, run_id)):
            click.echo(line)


def _print_nul(paths: list[str]) -> None:
    with click.open_file("-", "wb") as stream:
        stream.write(b"".join(os.fsencode(path) + b"\0" for path in paths))

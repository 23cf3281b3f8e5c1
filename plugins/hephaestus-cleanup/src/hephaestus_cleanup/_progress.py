"""What a person sees on a terminal while a cleanup runs: the plan, then a bar."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hephaestus_cleanup._crew import Result
from hephaestus_cleanup._engine import Watch
from hephaestus_cleanup._plan import Plan
from hephaestus_cleanup._render import displayed, human_size, plan_lines

__all__ = ["TerminalWatch"]

_PREVIEWED = 20


class TerminalWatch(Watch):
    """Draws on a console.

    Args:
        console: stderr's.
        dry_run: nothing will be removed, so no bar is drawn and the list is left to the result.
    """

    def __init__(self, console: Console, *, dry_run: bool) -> None:
        self._console = console
        self._dry_run = dry_run
        self._entries = self._size = 0
        self._approximate = False
        self._progress: Progress | None = None

    def planned(self, plan: Plan) -> None:
        """Show the plan."""
        for note in plan.skips:
            self._line(f"kept {displayed(note.path)}: {displayed(note.reason)}", "dim")
        for note in plan.errors:
            self._line(f"failed at {displayed(note.path)}: {displayed(note.reason)}", "red")
        if self._dry_run:
            return
        for line in plan_lines(plan, limit=_PREVIEWED):
            self._line(line)
        self._total = len(plan.items)

    def done(self, result: Result) -> None:
        """Move the bar on."""
        if self._progress is None:
            columns = (TextColumn("removing"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
            self._progress = Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True)
            self._task = self._progress.add_task("", total=self._total)
            self._progress.start()
        self._entries += result.tally.entries
        self._size += result.tally.size
        self._approximate |= result.tally.approximate
        for path, reason in result.tally.problems[:1]:
            self._line(f"failed at {displayed(path)}: {displayed(reason)}", "red")
        text = f"{self._entries} entries, {human_size(self._size, approximate=self._approximate)}"
        self._progress.update(self._task, advance=1, description=text)

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()

    def _line(self, text: str, style: str | None = None) -> None:
        # Names are data: no markup in them is interpreted, and no line is folded.
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

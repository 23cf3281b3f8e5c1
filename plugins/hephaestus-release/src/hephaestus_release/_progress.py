"""What a person at a terminal sees: a bar with bytes while the archive arrives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from hephaestus_release._fetch import OnBytes

__all__ = ["download_bar"]


@contextmanager
def download_bar(console: Console | None) -> Iterator[OnBytes]:
    """A function to call with the bytes so far and the bytes in all.

    Args:
        console: where to draw; None to draw nothing.
    """
    if console is None:
        yield lambda _now, _all: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = TextColumn("Downloading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("download", total=None)
        yield lambda now, whole: progress.update(task, completed=now, total=whole)

"""Contenders measured side by side, and what came of it.

The contenders of a comparison take turns within each round, and each round begins with another one, so that a busy
machine slows them alike; a ratio of minima is then worth more than any time. A contender is a name and a function that
runs it once and returns seconds: `benchmarks._commands` makes them of whole commands, `benchmarks._calls` of calls
inside a process, and a benchmark with a set-up of its own writes the function itself::

    def fresh_copy() -> float:
        copy(tree)
        with stopwatch() as watch:
            remove(tree)
        return watch.seconds

    comparison = compare("removal", [Contender("ours", fresh_copy), *peers], rounds=5, bases=["rm -rf"])
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

__all__ = ["Comparison", "Contender", "LeftOut", "Target", "compare", "stopwatch"]


class LeftOut(Exception):
    """A contender cannot be measured here; the message says why, e.g. `tox is not installed`."""


class Contender(NamedTuple):
    """One of those that are compared.

    Attributes:
        name: as the table shows it.
        measure: runs it once and returns the seconds that one run (or one call) took. It may raise `LeftOut`.
    """

    name: str
    measure: Callable[[], float]


class Target(NamedTuple):
    """A promise: the minimum of `contender` is at most `at_most` times that of `base`."""

    contender: str
    base: str
    at_most: float


class Comparison(NamedTuple):
    """What one run of a comparison gave.

    Attributes:
        title: what was compared.
        samples: the seconds of each round, by contender, in the order of the table.
        bases: the contenders that ratios are given to, one column each.
        targets: the promises that can be checked here.
        notes: contenders that were left out and why, and what else the reader has to know, one line each.
    """

    title: str
    samples: Mapping[str, Sequence[float]]
    bases: Sequence[str]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()

    def minimum(self, name: str) -> float:
        """Seconds of the contender's fastest round."""
        return min(self.samples[name])

    def median(self, name: str) -> float:
        """Seconds of the contender's median round."""
        return statistics.median(self.samples[name])

    def ratio(self, name: str, base: str) -> float:
        """How many times `base` the contender takes, by their minima."""
        return self.minimum(name) / self.minimum(base)


def compare(
    title: str,
    contenders: Sequence[Contender],
    *,
    rounds: int,
    bases: Sequence[str],
    targets: Sequence[Target] = (),
    notes: Sequence[str] = (),
) -> Comparison:
    """Measure the contenders in `rounds` interleaved rounds, after one that does not count.

    Args:
        title: what is compared.
        contenders: with names of their own; one that raises `LeftOut` in the first round becomes a note.
        rounds: how often each is measured.
        bases: contenders that ratios are given to; one that was left out is no base.
        targets: promises; those about a contender that was left out are not checked.
        notes: further lines under the table.
    """
    said = list(notes)
    present = []
    for contender in contenders:
        try:
            contender.measure()
        except LeftOut as reason:
            said.append(f"left out: {contender.name}: {reason}")
        else:
            present.append(contender)
    samples: dict[str, list[float]] = {contender.name: [] for contender in present}
    for number in range(rounds):
        turn = number % len(present) if present else 0
        for contender in (*present[turn:], *present[:turn]):
            samples[contender.name].append(contender.measure())
    return Comparison(
        title,
        samples,
        [base for base in bases if base in samples],
        [target for target in targets if target.contender in samples and target.base in samples],
        said,
    )


class Watch:
    """Seconds between the beginning and the end of a `stopwatch` block."""

    seconds = 0.0


@contextmanager
def stopwatch() -> Iterator[Watch]:
    """Time a block."""
    watch = Watch()
    begun = time.perf_counter()
    yield watch
    watch.seconds = time.perf_counter() - begun

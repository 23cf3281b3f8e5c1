"""Race a run against a process that swaps what it is about to touch, and show that nothing outside is ever harmed.

The swapper exchanges (renameat2, RENAME_EXCHANGE) a path of the workspace with a link to a victim, or with a real one
that isn't planned, as fast as the kernel lets it, from before the scan until after the removal::

    python plugins/hephaestus-cleanup/tests/sweeps/races.py FOLDER --races 10000

Prints for each combination how many races were run, how many exchanges happened, how many runs met one (saw something
else than was planned), and how many escaped. Exits 1 if one did.
"""

from __future__ import annotations

import argparse
import ctypes
import itertools
import logging
import multiprocessing
import os
import shutil
import sys
import time
from ctypes import c_long
from typing import Any, NamedTuple

from hephaestus_cleanup._beneath import OpenFolder, open_by_components, open_by_kernel
from hephaestus_cleanup._builtin_rules import BUILTIN_RULES
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._engine import Engine, Outcome
from hephaestus_cleanup._options import effective_options
from hephaestus_cleanup._roots import search_roots

OPENERS: dict[str, OpenFolder] = {"openat2": open_by_kernel, "components": open_by_components}
# What is exchanged: the folder above a match, the match, a folder within it, a file that is a match.
PLACES = {"parent": "src", "match": "src/__pycache__", "within": "src/__pycache__/deep", "file": "src/z.pyc"}
# With what: a link to the victim, or a folder (a file) that lies elsewhere in the workspace and isn't planned.
DECOYS = ("link", "decoy")
VICTIM = ("__pycache__/a.pyc", "z.pyc", "deep/a.pyc", "m/__pycache__/c.pyc")
DECOYED = ("b.py", "deep/a.py", "a.py")
_EXCHANGE = 2
_REST, _SWAP, _END = range(3)


class Tally(NamedTuple):
    """What the races of one combination came to."""

    races: int
    swaps: int
    met: int
    escapes: int


class Swapper:
    """A process that exchanges two paths without a pause while it is told to.

    Attributes:
        count: successful exchanges.
    """

    def __init__(self, one: str, other: str) -> None:
        context = multiprocessing.get_context("fork")
        self.count: Any
        self._phase: Any
        self._resting: Any
        self.count, self._phase, self._resting = (context.Value(c_long, 0, lock=False) for _ in range(3))
        self._process = context.Process(target=self._swap, args=(one.encode(), other.encode()))
        self._process.start()

    def go(self) -> None:
        """Swap from now on."""
        self._phase.value = _SWAP

    def rest(self) -> None:
        """Stop swapping; returns when it has stopped."""
        self._phase.value = _REST
        while not self._resting.value:
            time.sleep(0.0001)

    def end(self) -> None:
        """End the process."""
        self._phase.value = _END
        self._process.join()

    def _swap(self, one: bytes, other: bytes) -> None:
        rename, here = ctypes.CDLL(None).renameat2, -100  # AT_FDCWD: the paths are absolute
        while self._phase.value != _END:
            if self._phase.value == _REST:
                self._resting.value = 1
                time.sleep(0.0001)
                continue
            self._resting.value = 0
            self.count.value += sum(rename(here, one, here, other, _EXCHANGE) == 0 for _ in range(20))


def build(base: str, place: str, decoy: str) -> int:
    """A workspace with a few leftovers and the decoy; returns the decoy's inode."""
    root = f"{base}/ws"
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    for file in ("src/__pycache__/deep/a.pyc", "src/__pycache__/b.pyc", "src/m/__pycache__/c.pyc", "src/z.pyc"):
        _write(f"{root}/{file}")
    if decoy == "link":
        os.symlink("../victim/z.pyc" if place == "file" else "../victim", f"{root}/other")
    elif place == "file":
        _write(f"{root}/other")
    else:
        # Nothing in it matches by itself; what a rule names lies in it as precious work.
        for file in DECOYED:
            _write(f"{root}/other/{file}")
    return os.lstat(f"{root}/other").st_ino


def harmed(base: str, place: str, *, decoy: bool) -> list[str]:
    """What is missing of what must never go; `decoy`: the decoy, a folder, is part of that."""
    precious = [f"{base}/victim/{file}" for file in VICTIM]
    if decoy:
        spots = (f"{base}/ws/other", f"{base}/ws/{PLACES[place]}")
        found = next((each for each in spots if os.path.lexists(f"{each}/b.py")), spots[0])
        precious += [f"{found}/{file}" for file in DECOYED]
    return [path for path in precious if not os.path.lexists(path)]


def races(base: str, opener: str, place: str, decoy: str, number: int, workers: int) -> Tally:
    """Run some races of one combination."""
    root = f"{base}/ws"
    for file in VICTIM:
        _write(f"{base}/victim/{file}")
    build(base, place, decoy)
    met = escapes = 0
    swapper = Swapper(f"{root}/{PLACES[place]}", f"{root}/other")
    try:
        for race in range(number):
            swapper.rest()
            inode = build(base, place, decoy)
            swapper.go()
            outcome = _run(root, opener, workers, f"{opener}-{place}-{decoy}-{race}")
            swapper.rest()
            met += bool(outcome.errors or outcome.skipped) or len(outcome.removed) != 3
            # A folder in the match's place when the plan was made is what was planned; one within the match when that
            # is erased has become part of it, and a file that takes a planned name is what a last look cannot exclude.
            planned = inode in {each.inode for each in outcome.plan.items}
            precious = decoy == "decoy" and place in ("parent", "match") and not planned
            escapes += bool(harmed(base, place, decoy=precious))
    finally:
        swapper.end()
    return Tally(number, int(swapper.count.value), met, escapes)


def _run(root: str, opener: str, workers: int, run_id: str) -> Outcome:
    options = effective_options(CleanupConfig(), {"python_cache": True, "workers": workers}, yes=True)
    roots, consent = search_roots(root, options), Consent(True)
    engine = Engine(roots, options, BUILTIN_RULES, consent=consent, run_id=run_id, open_folder=OPENERS[opener])
    outcome = engine.run()
    if outcome.manifest:
        os.unlink(outcome.manifest)
    return outcome


def _write(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w"):
        pass


def main() -> int:
    """Race; prints a line for each combination and a sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--races", type=int, default=400, help="of all combinations together")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    base = os.path.realpath(options.folder)
    os.environ["XDG_STATE_HOME"] = f"{base}/state"
    logging.getLogger("hephaestus").setLevel(logging.CRITICAL)
    combinations = list(itertools.product(OPENERS, PLACES, DECOYS))
    tallies = []
    for opener, place, decoy in combinations:
        number = -(-options.races // len(combinations))
        tally = races(base, opener, place, decoy, number, options.workers)
        sys.stdout.write(f"{opener} {place} {decoy}: {_words(tally)}\n")
        sys.stdout.flush()
        tallies.append(tally)
    total = Tally(*(sum(column) for column in zip(*tallies, strict=True)))
    sys.stdout.write(f"all: {_words(total)}\n")
    return 1 if total.escapes else 0


def _words(tally: Tally) -> str:
    return f"{tally.races} races, {tally.swaps} swaps, {tally.met} met, {tally.escapes} escapes"


if __name__ == "__main__":
    raise SystemExit(main())

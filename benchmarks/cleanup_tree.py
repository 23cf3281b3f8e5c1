"""Cleanup beside its peers, on a workspace of its own making.

Dry scans, removals of the same set of paths, what the events of a run take, and memory. The floors are a C program,
compiled with the system's `cc`; peers that are not installed are left out and named.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks._cleanup_trees import LEFTOVERS, build_litter, build_workspace, leftovers
from benchmarks._measure import Comparison, LeftOut, Target

__all__ = ["QUICK", "add_options", "measure"]

QUICK = ("--files", "2000", "--matches", "1000", "--rounds", "1")

_HERE = Path(__file__).parent
_FLOOR = "C, nothing else"
_RM = "rm -rf"
_SCAN, _GUARDED = "ours, no repository", "ours, with the git guard"
_ONE, _TWO, _MOVED = "ours, 1 worker", "ours, 2 workers", "ours, quarantine"
_LOGGED, _LESS, _SILENT = "events to a JSON log", "the same run less its events", "a run without any event"


class Sample(NamedTuple):
    """Seconds of wall clock and of processor (children included) that something took."""

    wall: float
    processor: float


class Once(NamedTuple):
    """What `_cleanup_once.py` prints; seconds, and KiB of memory."""

    wall: float
    processor: float
    run: float
    events: float
    matches: int
    peak: int
    before: int


Run = Callable[[Path], Sample]
"""Works on a tree once."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--files", type=int, default=200_000, help="files of the workspace (%(default)s)")
    parser.add_argument(
        "--matches", type=int, default=200_000, help="files of the tree of stray bytecode (%(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of removals; scans get five times as many")
    parser.add_argument("--folder", type=Path, help="where to build; a temporary folder by default")


def measure(options: argparse.Namespace) -> Iterator[Comparison]:
    """Build the trees and run everything."""
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(os.path.realpath(name))
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        floor = _compiled(folder)
        tracked, plain, litter = folder / "tracked", folder / "plain", folder / "litter"
        build_workspace(tracked, options.files, tracked=True)
        build_workspace(plain, options.files, tracked=False)
        scans = {name: (run, plain if name != _GUARDED else tracked) for name, run in _scans(floor).items()}
        scans["git clean -fdXn"] = (lambda root: _timed(["git", "-C", str(root), "clean", "-qfdXn"]), tracked)
        samples = _interleaved(scans, options.rounds * 5)
        wanted = [Target(_SCAN, _FLOOR, 4.0), Target(_GUARDED, _FLOOR, 5.0)]
        yield from _both(f"dry scan, {options.files} files", samples, [_FLOOR], wall=wanted, processor=wanted)
        shutil.rmtree(plain)
        copies = {name: (_on_a_copy(run, folder / "copy"), tracked) for name, run in _removals(floor).items()}
        samples = _interleaved(copies, options.rounds)
        yield from _both(
            f"removal, {options.files} files",
            samples,
            [_RM, _ONE],
            wall=[Target(_TWO, _RM, 0.85), Target(_MOVED, _ONE, 0.05)],
            processor=[Target(_ONE, _RM, 1.25)],
        )
        build_litter(litter, options.matches)
        for tree, what, targets, most in (
            (tracked, f"{options.files} files", [Target(_LOGGED, _LESS, 1.05)], 25),
            (litter, f"{options.matches} matches", [], 60),
        ):
            yield _whole_run(f"a whole run, {what}", tree, folder, options.rounds, targets, most)


# ---- contenders ----------------------------------------------------------------------------------------------------


def _scans(floor: str | None) -> dict[str, Run]:
    find = " -o ".join(f"-name {name}" for name in LEFTOVERS).split()
    return {
        _FLOOR: lambda root: _timed([_needed(floor, "cc"), "scan", str(root)]),
        _SCAN: lambda root: _ours(root, "scan"),
        _GUARDED: lambda root: _ours(root, "scan"),
        "find -prune": lambda root: _timed(["find", str(root), "(", *find, ")", "-prune", "-print0"]),
        "fd --prune": lambda root: _timed(
            [
                _needed(shutil.which("fd") or shutil.which("fdfind"), "fd"),
                *("--unrestricted", "--prune", "-0", f"^({'|'.join(LEFTOVERS)})$", str(root)),
            ]
        ),
    }


def _removals(floor: str | None) -> dict[str, Run]:
    find = " -o ".join(f"-name {name}" for name in LEFTOVERS).split()
    return {
        _RM: lambda root: _timed(["xargs", "-0", "rm", "-rf"], leftovers(root)),
        _FLOOR: lambda root: _timed([_needed(floor, "cc")], leftovers(root)),
        _ONE: lambda root: _ours(root, "delete"),
        _TWO: lambda root: _ours(root, "delete", workers=2),
        _MOVED: lambda root: _ours(root, "quarantine"),
        "git clean -fdX": lambda root: _timed(["git", "-C", str(root), "clean", "-qfdX"]),
        "find -exec rm": lambda root: _timed(
            ["find", str(root), "(", *find, ")", "-prune", "-exec", "rm", "-rf", "{}", "+"]
        ),
        "pyclean (bytecode only)": lambda root: _timed([_needed(_tool("pyclean"), "pyclean"), "-q", str(root)]),
    }


def _ours(root: Path, mode: str, *, workers: int = 1) -> Sample:
    once = _once(root, mode, workers=workers)
    return Sample(once.wall, once.processor)


def _once(root: Path, mode: str, *, workers: int = 1, log: str = "-", events: str = "events") -> Once:
    command = [sys.executable, str(_HERE / "_cleanup_once.py"), str(root), mode, str(workers), log, events]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return Once(**json.loads(done.stdout))


def _timed(command: list[str], text: bytes | None = None) -> Sample:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, input=text, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Sample(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _on_a_copy(run: Run, copy: Path) -> Run:
    def measured(tree: Path) -> Sample:
        subprocess.run(["cp", "-a", str(tree), str(copy)], check=True)
        os.sync()
        try:
            return run(copy)
        finally:
            subprocess.run(["rm", "-rf", str(copy)], check=True)

    return measured


def _compiled(folder: Path) -> str | None:
    if shutil.which("cc") is None:
        return None
    floor = str(folder / "floor")
    subprocess.run(["cc", "-O2", "-o", floor, str(_HERE / "_cleanup_floor.c")], check=True)
    return floor


def _tool(name: str) -> str | None:
    """A program beside the interpreter, else one of the system."""
    return shutil.which(name, path=os.path.dirname(sys.executable)) or shutil.which(name)


def _needed(program: str | None, name: str) -> str:
    if program is None:
        raise LeftOut(f"{name} is not installed")
    return program


# ---- comparisons ---------------------------------------------------------------------------------------------------


class _Samples(NamedTuple):
    rows: Mapping[str, Sequence[Sample]]
    notes: Sequence[str]


def _interleaved(runs: Mapping[str, tuple[Run, Path]], rounds: int) -> _Samples:
    rows: dict[str, list[Sample]] = {}
    notes: dict[str, str] = {}
    for number in range(rounds):
        names = [name for name in runs if name not in notes]
        turn = number % len(names)
        for name in (*names[turn:], *names[:turn]):
            run, tree = runs[name]
            try:
                sample = run(tree)
            except LeftOut as reason:
                notes[name] = f"left out: {name}: {reason}"
            else:
                rows.setdefault(name, []).append(sample)
    return _Samples({name: rows[name] for name in runs if name in rows}, list(notes.values()))


def _both(
    title: str, samples: _Samples, bases: list[str], *, wall: list[Target], processor: list[Target]
) -> Iterator[Comparison]:
    """One comparison by the wall clock, and one by the processor's time."""
    for clock, targets in (("wall", wall), ("processor", processor)):
        times = {name: [float(getattr(each, clock)) for each in row] for name, row in samples.rows.items()}
        yield Comparison(
            f"{title}, {clock}",
            times,
            [base for base in bases if base in times],
            [target for target in targets if target.contender in times and target.base in times],
            samples.notes,
        )


def _whole_run(title: str, tree: Path, folder: Path, rounds: int, targets: list[Target], most: int) -> Comparison:
    """Processor's time of plan and removal with events, the same less the time within them, and of one without any.

    Args:
        title: of the comparison.
        tree: what is copied and cleaned.
        folder: where to.
        rounds: how often.
        targets: promises.
        most: MiB that a run may take more than the imported program does.
    """
    times: dict[str, list[float]] = {_LOGGED: [], _LESS: [], _SILENT: []}
    log = folder / "log.jsonl"
    scanned = _once(tree, "scan")
    for _ in range(rounds):
        logged = _copied(tree, folder / "copy", log=str(log))
        lines = log.read_bytes().count(b"\n")
        log.unlink()
        times[_LOGGED].append(logged.run)
        times[_LESS].append(logged.run - logged.events)
        times[_SILENT].append(_copied(tree, folder / "copy", events="none").run)
    notes = [f"{lines} lines, {logged.events / lines * 1e6:.1f} µs each", _memory("scan", scanned, most)]
    return Comparison(f"{title}, processor", times, [_LESS, _SILENT], targets, [*notes, _memory("run", logged, most)])


def _memory(what: str, once: Once, most: int) -> str:
    grown = (once.peak - once.before) / 1024
    verdict = "met" if grown <= most else "MISSED"
    return (
        f"{verdict}: {what} of {once.matches} matches: at its peak {grown:.1f} MiB more than before it"
        f" ({once.peak / 1024:.1f} in all); at most {most} more wanted"
    )


def _copied(tree: Path, copy: Path, **how: str) -> Once:
    subprocess.run(["cp", "-a", str(tree), str(copy)], check=True)
    os.sync()
    try:
        return _once(copy, "delete", workers=2, **how)
    finally:
        subprocess.run(["rm", "-rf", str(copy)], check=True)

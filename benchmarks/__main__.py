"""Run the benchmarks, each beside its peers; print their tables and write one JSON file.

    make bench                                   # all of them
    make bench ARGS="--quick"                    # all, in small sizes
    make bench ARGS="start_up --rounds 5"        # one, with its options
    make bench ARGS="start_up --help"            # what these are

A benchmark is a module of this folder with two functions: `add_options(parser)` declares its options, and
`measure(options)` yields the comparisons; its `QUICK` holds the options of a small run.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from benchmarks._measure import Comparison
from benchmarks._report import Result, table, targets, write

_FOLDER = Path(__file__).parent


class Benchmark(Protocol):
    """What a module of this folder offers."""

    QUICK: Sequence[str]

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Declare the benchmark's own options."""

    def measure(self, options: argparse.Namespace) -> Iterator[Comparison]:
        """Measure, and yield each comparison as soon as it is made."""


def names() -> list[str]:
    """The benchmarks of this folder."""
    return sorted(file.stem for file in _FOLDER.glob("[a-z]*.py"))


def load(name: str) -> Benchmark:
    """Import a benchmark, whose docstring says what it measures."""
    return cast("Benchmark", import_module(f"benchmarks.{name}"))


def run(name: str, arguments: Sequence[str], *, quick: bool) -> Iterator[Result]:
    """Run one benchmark and print the table of each comparison."""
    benchmark = load(name)
    given = [*(getattr(benchmark, "QUICK", ()) if quick else ()), *arguments]
    if not hasattr(benchmark, "measure"):
        _run_script(name, given)
        return
    parser = argparse.ArgumentParser(
        f"python -m benchmarks {name}",
        description=benchmark.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    benchmark.add_options(parser)
    for comparison in benchmark.measure(parser.parse_args(given)):
        print(f"\n{name}: {table(comparison)}", end="", flush=True)
        yield Result(name, comparison)


def _run_script(name: str, arguments: Sequence[str]) -> None:
    """Run a module that prints tables of its own, which are in no JSON file."""
    print(f"\n{name}", flush=True)
    sys.argv = [str(_FOLDER / f"{name}.py"), *arguments]
    runpy.run_path(sys.argv[0], run_name="__main__")


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments ask for; returns the exit code. A missed target is no failure."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        usage="%(prog)s [--quick] [--json FILE] [NAME [OPTION ...]]",
        description=__doc__,
        epilog=f"benchmarks: {', '.join(names())}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds: does it run at all?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write there instead of into benchmarks/results")
    given, rest = parser.parse_known_args(arguments)
    if rest[:1] in (["-h"], ["--help"]):
        parser.print_help()
        return 0
    name, options = (rest[0], rest[1:]) if rest else (None, [])
    if name is not None and name not in names():
        parser.error(f"no benchmark is called {name!r}; there are {', '.join(names())}")
    results: list[Result] = []
    try:
        for each in [name] if name else names():
            results.extend(run(each, options, quick=given.quick))
    except KeyboardInterrupt:
        print("interrupted; what was measured so far is kept", file=sys.stderr)
        return 130
    finally:
        if results:
            print(f"\n{targets(results)}\nwritten to {write(results, given.json)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Whole commands as contenders: from the start of the process until it has ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks._measure import Contender, LeftOut

__all__ = ["OWN_BIN", "command", "environment"]

#: The folder of the running interpreter's scripts, where hephaestus and most peers are.
OWN_BIN = Path(sys.executable).parent

# What would make one machine's commands behave unlike another's; the last slows every start down.
_FOREIGN = ("CI", "COLUMNS", "FORCE_COLOR", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
_FOREIGN_PREFIXES = ("COVERAGE_", "HEPHAESTUS_", "PYTEST_")


def environment(**more: str) -> dict[str, str]:
    """The variables that measured commands get: the caller's without what changes their behaviour, and `more`.

    The scripts beside the running interpreter come first on PATH, and bytecode is cached as it is for users.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _FOREIGN and not name.startswith(_FOREIGN_PREFIXES)
    }
    path = f"{OWN_BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "NO_COLOR": "1", **more}


def command(
    name: str,
    arguments: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    before: Callable[[], object] = lambda: None,
) -> Contender:
    """A contender that runs a command; its output is dropped.

    Args:
        name: as the table shows it.
        arguments: the program, looked up on the environment's PATH, and its arguments.
        cwd: where it runs.
        env: all of its variables; `environment()` by default.
        before: what has to happen before each run, not measured.

    Returns:
        A contender that is left out where the program is not installed, and that raises `RuntimeError` with what the
        command wrote to stderr where it fails: a failure is no result.
    """
    variables = environment() if env is None else env

    def measure() -> float:
        program = shutil.which(arguments[0], path=variables.get("PATH"))
        if program is None:
            raise LeftOut(f"{arguments[0]} is not installed")
        before()
        begun = time.perf_counter()
        done = subprocess.run(
            [program, *arguments[1:]],
            cwd=cwd,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        seconds = time.perf_counter() - begun
        if done.returncode != 0:
            raise RuntimeError(f"{name} exited {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
        return seconds

    return Contender(name, measure)

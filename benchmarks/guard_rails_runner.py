"""Guard-rails beside other runners of quality gates: no-op steps, real gates warm and cold, an unchanged rerun.

    python benchmarks/guard_rails_runner.py [--rounds N] [--only noop|real]

Needs hephaestus, ruff, mypy and pytest beside the running interpreter. The peers (pre-commit, prek, nox, tox, make)
are measured where they are installed, beside the interpreter or on PATH, and named as left out where they are not.
All runners of a table take turns within each round, so that a busy machine slows them alike.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["QUICK", "main"]

QUICK = ("--rounds", "2", "--only", "noop")

_OWN_BIN = str(Path(sys.executable).parent)
_PATH = f"{_OWN_BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
_CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache")
_GATES = {
    "ruff check": "ruff check --no-fix .",
    "ruff format": "ruff format --check .",
    "mypy": "mypy src",
    "pytest": "pytest -q",
}
_UNWANTED = ("CI", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")


class Contender(NamedTuple):
    """A runner: name, command, folder, and what has to happen before each measurement."""

    name: str
    command: Sequence[str]
    folder: Path
    before: Callable[[], object] = lambda: None


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
    folders = {"XDG_CACHE_HOME": "cache", "PRE_COMMIT_HOME": "pre-commit", "PREK_HOME": "prek"}
    caches = {name: str(home / folder) for name, folder in folders.items()}
    return {**kept, **caches, "PATH": _PATH, "NO_COLOR": "1"}


def _run(contender: Contender, environment: Mapping[str, str]) -> float:
    contender.before()
    begun = time.perf_counter()
    done = subprocess.run(
        contender.command, cwd=contender.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True
    )
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        raise SystemExit(f"{contender.name} failed:\n{done.stdout.decode()}\n{done.stderr.decode()}")
    return seconds


def _compare(contenders: Sequence[Contender], rounds: int, home: Path) -> dict[str, list[float]]:
    environment = _environment(home)
    for contender in contenders:
        _run(contender, environment)
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        turn = number % len(contenders)
        for contender in (*contenders[turn:], *contenders[:turn]):
            times[contender.name].append(_run(contender, environment))
    return times


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _table(title: str, times: Mapping[str, Sequence[float]]) -> None:
    _say(f"\n{title}\n{'':24}{'median ms':>12}{'min ms':>12}")
    for name, measured in times.items():
        _say(f"{name:24}{statistics.median(measured) * 1000:12.0f}{min(measured) * 1000:12.0f}")


def _git(folder: Path) -> None:
    identity = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "sample"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)


def _hooks(steps: Mapping[str, str]) -> str:
    always = "language: system, always_run: true, pass_filenames: false"
    hooks = "".join(
        f"  - {{id: s{number}, name: '{name}', {always}, entry: {command}}}\n"
        for number, (name, command) in enumerate(steps.items())
    )
    return f"repos:\n- repo: local\n  hooks:\n{hooks}"


def _nox(steps: Mapping[str, str]) -> str:
    sessions = "".join(
        f"\n@nox.session(venv_backend='none', name='s{number}')\ndef s{number}(session):\n"
        f"    session.run(*{command.split()!r}, external=True)\n"
        for number, command in enumerate(steps.values())
    )
    return f"import nox\n{sessions}"


def _tox(steps: Mapping[str, str]) -> str:
    commands = "".join(f"    {command}\n" for command in steps.values())
    environment = "[testenv]\nskip_install = true\nallowlist_externals = *"
    return f"[tox]\nskipsdist = true\nenvlist = all\n{environment}\ncommands =\n{commands}"


def _make(steps: Mapping[str, str]) -> str:
    names = [f"s{number}" for number in range(len(steps))]
    rules = "".join(f"{name}:\n\t@{command}\n" for name, command in zip(names, steps.values(), strict=True))
    return f"all: {' '.join(names)}\n{rules}"


def _own(steps: Mapping[str, str]) -> str:
    return "".join(
        f"[[tool.hephaestus.guard-rails.steps]]\nname = '{name}'\ncommand = {command.split()!r}\n"
        for name, command in steps.items()
    )


def _peers(folder: Path, steps: Mapping[str, str], before: Callable[[], object] = lambda: None) -> list[Contender]:
    """The peers that are installed, each with its configuration written into the folder."""
    jobs = str(os.cpu_count() or 1)
    files = {
        "pre-commit": (".pre-commit-config.yaml", _hooks, ["pre-commit", "run", "--all-files"]),
        "prek": (".pre-commit-config.yaml", _hooks, ["prek", "run", "--all-files"]),
        "nox": ("noxfile.py", _nox, ["nox", "-f", "noxfile.py"]),
        "tox": ("tox.ini", _tox, ["tox", "-q"]),
        f"make -j{jobs}": ("Makefile", _make, ["make", "-s", f"-j{jobs}", "all"]),
    }
    found = []
    for name, (file, text, command) in files.items():
        if shutil.which(command[0], path=_PATH) is None:
            _say(f"left out: {command[0]} is not installed")
            continue
        (folder / file).write_text(text(steps))
        found.append(Contender(name, command, folder, before))
    return found


def _noop(rounds: int, home: Path) -> None:
    for count in (1, 10, 50):
        folder = home / f"noop{count}"
        folder.mkdir()
        steps = {f"step {number}": "/bin/true" for number in range(count)}
        (folder / "pyproject.toml").write_text(_own(steps))
        peers = _peers(folder, steps)
        _git(folder)
        script = "; ".join(steps.values())
        contenders = [
            Contender("python -c pass", [sys.executable, "-c", "pass"], folder),
            Contender("hephaestus --version", ["hephaestus", "--version"], folder),
            Contender("sh", ["sh", "-ec", script], folder),
            Contender("hephaestus guard-rails", ["hephaestus", "guard-rails"], folder),
            *peers,
        ]
        _table(f"{count} no-op steps", _compare(contenders, rounds, home))


_MODULE = '''"""Module {number}."""


def total(values: list[int], *, start: int = {number}) -> int:
    """Sum with an offset."""
    return sum(values, start)


class Counter{number}:
    """Counts."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {{}}

    def add(self, name: str) -> int:
        """Count one."""
        self.seen[name] = self.seen.get(name, 0) + 1
        return self.seen[name]
'''
_TEST = """import time

from sample.m{number} import Counter{number}, total


def test_total() -> None:
    time.sleep(0.02)
    assert total([1, 2]) == 3 + {number}


def test_counter() -> None:
    assert Counter{number}().add("x") == 1
"""
_CONFIG = """[tool.ruff]
line-length = 120
extend-exclude = ["noxfile.py"]
[tool.mypy]
strict = true
[tool.pytest.ini_options]
pythonpath = ["src"]
addopts = ["--import-mode=importlib"]
"""


def _sample(folder: Path, modules: int = 60) -> None:
    (folder / "src" / "sample").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "src" / "sample" / "__init__.py").write_text('"""Sample."""\n')
    for number in range(modules):
        (folder / "src" / "sample" / f"m{number}.py").write_text(_MODULE.format(number=number))
        (folder / "tests" / f"test_m{number}.py").write_text(_TEST.format(number=number))
    (folder / "pyproject.toml").write_text(_CONFIG)
    (folder / ".gitignore").write_text(".venv\n__pycache__\n.*_cache\n.tox\n.nox\n")
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "ruff", "mypy", "pytest"):
        (folder / ".venv" / "bin" / name).symlink_to(Path(_OWN_BIN) / name)


def _real(rounds: int, home: Path) -> None:
    folder = home / "real"
    _sample(folder)
    peers = _peers(folder, _GATES)
    _git(folder)

    def wipe() -> None:
        for name in _CACHES:
            shutil.rmtree(folder / name, ignore_errors=True)

    for title, before, turns in (("warm", lambda: None, rounds), ("cold", wipe, max(2, rounds // 3))):
        begun = " ".join(f'{command} & pids="$pids $!";' for command in _GATES.values())
        side_by_side = f"{begun} for pid in $pids; do wait $pid; done"
        own = ["hephaestus", "guard-rails", "--no-format", "--no-cache"]
        contenders = [
            *(Contender(f"only {name}", command.split(), folder, before) for name, command in _GATES.items()),
            Contender("sh, one by one", ["sh", "-ec", "; ".join(_GATES.values())], folder, before),
            Contender("sh, side by side", ["sh", "-ec", side_by_side], folder, before),
            Contender("hephaestus guard-rails", own, folder, before),
            *(peer._replace(before=before) for peer in peers),
        ]
        times = _compare(contenders, turns, home)
        _table(f"real gates, {title}", times)
        critical = max(statistics.median(times[f"only {name}"]) for name in _GATES)
        taken = statistics.median(times["hephaestus guard-rails"])
        _say(f"critical path {critical * 1000:.0f} ms; guard-rails takes {taken / critical:.2f} of it")
    unchanged = [
        Contender("hephaestus --version", ["hephaestus", "--version"], folder),
        Contender("unchanged rerun", ["hephaestus", "guard-rails", "--no-format", "--cache"], folder),
        Contender("drift", ["hephaestus", "guard-rails", "--drift"], folder),
    ]
    _table("nothing changed", _compare(unchanged, rounds, home))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=["noop", "real"])
    options = parser.parse_args(arguments)
    missing = [name for name in ("hephaestus", "ruff", "mypy", "pytest") if shutil.which(name, path=_OWN_BIN) is None]
    if missing:
        raise SystemExit(f"not installed beside {sys.executable}: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as scratch:
        for name, measure in (("noop", _noop), ("real", _real)):
            if options.only in (None, name):
                measure(options.rounds, Path(scratch))


if __name__ == "__main__":
    main()

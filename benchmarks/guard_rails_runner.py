"""Guard-rails beside other runners of quality gates: no-op steps, real gates warm and cold, an unchanged rerun, drift.

Needs hephaestus, ruff, mypy and pytest beside the running interpreter.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks._commands import OWN_BIN, command, environment
from benchmarks._measure import Comparison, Contender, Target, compare

__all__ = ["QUICK", "add_options", "measure"]

QUICK = ("--rounds", "2", "--only", "noop")

_OWN = "hephaestus guard-rails"
_START = "hephaestus --version"
_CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache")
_GATES = {
    "ruff check": "ruff check --no-fix .",
    "ruff format": "ruff format --check .",
    "mypy": "mypy src",
    "pytest": "pytest -q",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=["noop", "real"])


def measure(options: argparse.Namespace) -> Iterator[Comparison]:
    """Make the sample projects and measure the runners on each."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        folders = {"XDG_CACHE_HOME": "cache", "PRE_COMMIT_HOME": "pre-commit", "PREK_HOME": "prek"}
        variables = environment(**{name: str(home / folder) for name, folder in folders.items()})
        if options.only in (None, "noop"):
            yield from _noop(options.rounds, home, variables)
        if options.only in (None, "real"):
            yield from _real(options.rounds, home, variables)


def _git(folder: Path) -> None:
    identity = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "--allow-empty", "-m", "sample"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def _hooks(steps: Mapping[str, str]) -> str:
    always = "language: system, always_run: true, pass_filenames: false"
    hooks = "".join(
        f"  - {{id: s{number}, name: '{name}', {always}, entry: {line}}}\n"
        for number, (name, line) in enumerate(steps.items())
    )
    return f"repos:\n- repo: local\n  hooks:\n{hooks}"


def _nox(steps: Mapping[str, str]) -> str:
    sessions = "".join(
        f"\n@nox.session(venv_backend='none', name='s{number}')\ndef s{number}(session):\n"
        f"    session.run(*{line.split()!r}, external=True)\n"
        for number, line in enumerate(steps.values())
    )
    return f"import nox\n{sessions}"


def _tox(steps: Mapping[str, str]) -> str:
    commands = "".join(f"    {line}\n" for line in steps.values())
    environment = "[testenv]\nskip_install = true\nallowlist_externals = *"
    return f"[tox]\nskipsdist = true\nenvlist = all\n{environment}\ncommands =\n{commands}"


def _make(steps: Mapping[str, str]) -> str:
    names = [f"s{number}" for number in range(len(steps))]
    rules = "".join(f"{name}:\n\t@{line}\n" for name, line in zip(names, steps.values(), strict=True))
    return f"all: {' '.join(names)}\n{rules}"


def _own(steps: Mapping[str, str]) -> str:
    return "".join(
        f"[[tool.hephaestus.guard-rails.steps]]\nname = '{name}'\ncommand = {line.split()!r}\n"
        for name, line in steps.items()
    )


def _peers(
    folder: Path, steps: Mapping[str, str], variables: Mapping[str, str], before: Callable[[], object] = lambda: None
) -> list[Contender]:
    """The peers, each with its configuration written into the folder."""
    jobs = str(os.cpu_count() or 1)
    files = {
        "pre-commit": (".pre-commit-config.yaml", _hooks, ["pre-commit", "run", "--all-files"]),
        "prek": (".pre-commit-config.yaml", _hooks, ["prek", "run", "--all-files"]),
        "nox": ("noxfile.py", _nox, ["nox", "-f", "noxfile.py"]),
        "tox": ("tox.ini", _tox, ["tox", "-q"]),
        f"make -j{jobs}": ("Makefile", _make, ["make", "-s", f"-j{jobs}", "all"]),
    }
    for file, text, _ in files.values():
        (folder / file).write_text(text(steps))
    return [command(name, line, cwd=folder, env=variables, before=before) for name, (_, _, line) in files.items()]


def _noop(rounds: int, home: Path, variables: Mapping[str, str]) -> Iterator[Comparison]:
    seconds = {}
    for count in (1, 10, 50):
        folder = home / f"noop{count}"
        folder.mkdir()
        steps = {f"step {number}": "/bin/true" for number in range(count)}
        (folder / "pyproject.toml").write_text(_own(steps))
        peers = _peers(folder, steps, variables)
        _git(folder)
        own = {
            "python -c pass": ["python", "-c", "pass"],
            _START: _START.split(),
            "sh": ["sh", "-ec", "; ".join(steps.values())],
            _OWN: _OWN.split(),
        }
        contenders = [command(name, line, cwd=folder, env=variables) for name, line in own.items()]
        comparison = compare(f"{count} no-op steps", [*contenders, *peers], rounds=rounds, bases=[_START])
        seconds[count] = comparison.minimum(_OWN)
        yield comparison._replace(notes=[*comparison.notes, *_promises(seconds)])


def _promises(seconds: Mapping[int, float]) -> Iterator[str]:
    """The promises in milliseconds, once what they compare is measured."""
    if 50 in seconds:
        yield f"each further step: {(seconds[50] - seconds[10]) / 40 * 1000:.1f} ms; at most 2 wanted"
    elif 10 in seconds:
        yield f"10 steps: {seconds[10] * 1000:.0f} ms; at most 150 wanted"


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
        (folder / ".venv" / "bin" / name).symlink_to(OWN_BIN / name)


def _real(rounds: int, home: Path, variables: Mapping[str, str]) -> Iterator[Comparison]:
    folder = home / "real"
    _sample(folder)
    (folder / "Makefile").write_text(_make(_GATES))

    def wipe() -> None:
        for name in _CACHES:
            shutil.rmtree(folder / name, ignore_errors=True)

    together = " ".join(f'{line} & pids="$pids $!";' for line in _GATES.values())
    lines = {
        **{f"only {name}": line.split() for name, line in _GATES.items()},
        "sh, one by one": ["sh", "-ec", "; ".join(_GATES.values())],
        "sh, side by side": ["sh", "-ec", f"{together} for pid in $pids; do wait $pid; done"],
        _OWN: [*_OWN.split(), "--no-format", "--no-cache"],
    }
    for title, before, turns in (("warm", lambda: None, rounds), ("cold", wipe, max(2, rounds // 3))):
        contenders = [command(name, line, cwd=folder, env=variables, before=before) for name, line in lines.items()]
        peers = _peers(folder, _GATES, variables, before)
        _git(folder)
        comparison = compare(f"real gates, {title}", [*contenders, *peers], rounds=turns, bases=["sh, side by side"])
        critical = max((name for name in lines if name.startswith("only ")), key=comparison.minimum)
        yield comparison._replace(
            bases=[critical, *comparison.bases],
            targets=[Target(_OWN, critical, 1.1)],
            notes=[*comparison.notes, f"the critical path is {critical}"],
        )
    yield _unchanged(folder, rounds, variables)


def _unchanged(folder: Path, rounds: int, variables: Mapping[str, str]) -> Comparison:
    lines = {
        _START: _START.split(),
        "unchanged rerun": [*_OWN.split(), "--no-format", "--cache"],
        "drift": [*_OWN.split(), "--drift"],
    }
    contenders = [command(name, line, cwd=folder, env=variables) for name, line in lines.items()]
    comparison = compare("nothing changed", contenders, rounds=rounds, bases=[_START])
    over = (comparison.minimum("unchanged rerun") - comparison.minimum(_START)) * 1000
    drift = comparison.minimum("drift") * 1000
    notes = [
        f"unchanged rerun: {over:.0f} ms over the start; at most 100 wanted",
        f"drift: {drift:.0f} ms; at most 150 wanted",
    ]
    return comparison._replace(notes=[*comparison.notes, *notes])

"""The start of the command line beside a bare click program, the floor of an interpreter, and other tools' starts.

Everything runs as a user's installation does: wheels in virtual environments made for the purpose, console scripts as
pip writes them, bytecode compiled. `click hello` is the smallest honest peer: a function under `click.command` that
echoes one word, installed in the same environment. It is the base for `--help`, too, where its own help is shown.

Two environments: the three first-party plugins alone, and a crowded one of 300 distributions, 20 of them third-party
plugins written as the tutorial says, with 10 events each. The peers run where they are installed, in environments
smaller than these.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks._commands import command, environment
from benchmarks._installation import DISTRIBUTIONS, Installation, build_wheel
from benchmarks._measure import Comparison, Contender, Target, compare

QUICK = ("--rounds", "2", "--plugins", "2", "--distributions", "60")

HELLO = """
import click


@click.command()
def main() -> None:
    click.echo("hello")
"""

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hello"
version = "1"

[project.scripts]
hello = "hello:main"
"""

EVENTS = '''
"""The events of plugin {number}."""

from __future__ import annotations

from pathlib import Path

from hephaestus.telemetry import TelemetryEvent

EVENTS = [
    TelemetryEvent(
        f"third-{number}.thing.happened-{{index}}",
        "A thing was found, looked at and left where it was.",
        required_fields={{"path": Path, "count": int, "kind": str}},
        optional_fields={{"reasons": list[str], "seconds": float | None}},
    )
    for index in range(10)
]
'''

PLUGIN = '''
"""What plugin {number} contributes."""

from __future__ import annotations

from collections.abc import Iterable

from hephaestus.plugins import Command, hookspecs, implements
from hephaestus.telemetry import TelemetryEvent

from third_{number}.events import EVENTS


@implements(hookspecs.hephaestus_events)
def hephaestus_events() -> Iterable[TelemetryEvent]:
    return EVENTS


@implements(hookspecs.hephaestus_commands)
def hephaestus_commands() -> Iterable[Command]:
    return [Command("third-{number}", "third_{number}.cli:main", "Find things and leave them where they are.")]
'''

LISTINGS = ("--version", "--help", "--list-events")
COMMANDS = ("cleanup --dry-run", "guard-rails --plan")
PEERS = ("pytest --version", "nox --help", "tox --help", "hatch --help", "pre-commit --help")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--plugins", type=int, default=20, help="third-party plugins of the crowded environment")
    parser.add_argument("--distributions", type=int, default=300, help="distributions of the crowded environment")


def measure(options: argparse.Namespace) -> Iterator[Comparison]:
    """Make the environments and measure what starts in each."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        projects = (*DISTRIBUTIONS, _hello(folder / "hello"))
        wheels = [build_wheel(project, folder / "wheels") for project in projects]
        workspace = _workspace(folder / "workspace")

        plain = Installation(folder / "plain", wheels)
        own = [_started(plain, workspace, f"hephaestus {rest}") for rest in COMMANDS]
        peers = [command(peer, peer.split(), cwd=workspace) for peer in PEERS]
        yield _compare("the three plugins", plain, workspace, [*own, *peers], options.rounds, at_most=1.5)

        crowded = Installation(folder / "crowded", wheels)
        for number in range(options.plugins):
            name = f"third_{number}"
            modules = {"events": EVENTS.format(number=number), "plugin": PLUGIN.format(number=number)}
            crowded.add(name, f"[hephaestus.plugins]\nthird-{number} = {name}.plugin\n", **modules)
        crowded.fill(options.distributions)
        crowded.compile()
        title = f"{crowded.distributions()} distributions, {options.plugins} third-party plugins"
        yield _compare(title, crowded, workspace, [], options.rounds, at_most=2.0)


def _compare(
    title: str, where: Installation, workspace: Path, more: list[Contender], rounds: int, at_most: float
) -> Comparison:
    bases = ["click hello", "click hello --help"]
    names = ["python -c pass", *bases, *(f"hephaestus {option}" for option in LISTINGS)]
    contenders = [*(_started(where, workspace, name) for name in names), *more]
    targets = [Target(f"hephaestus {option}", "click hello", at_most) for option in LISTINGS]
    return compare(title, contenders, rounds=rounds, bases=bases, targets=targets)


def _started(where: Installation, workspace: Path, line: str) -> Contender:
    """A command of the installation, in the workspace; named as it is typed."""
    program, *arguments = line.removeprefix("click ").split()
    return command(line, [str(where.scripts / program), *arguments], cwd=workspace)


def _hello(folder: Path) -> Path:
    (folder / "hello").mkdir(parents=True)
    (folder / "hello" / "__init__.py").write_text(HELLO.lstrip())
    (folder / "pyproject.toml").write_text(PROJECT.lstrip())
    return folder


def _workspace(folder: Path) -> Path:
    """A small repository without configuration, with something to clean and something to check."""
    (folder / "src" / "sample" / "__pycache__").mkdir(parents=True)
    (folder / "src" / "sample" / "__init__.py").touch()
    (folder / "src" / "sample" / "__pycache__" / "__init__.cpython-311.pyc").touch()
    (folder / "pyproject.toml").write_text("[project]\nname = 'sample'\nversion = '1'\n")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, env=environment(), check=True)
    return folder

"""Installing 30 wheels: `hephaestus release install` and its install step, against pip and uv alone.

"alone" is the same installer on the same folder: no index, no dependencies, bytecode as the installer does by default.
"step" checks each wheel's RECORD, pins every hash, runs the installer and its check; "command" is the whole command,
from the look-up on a local GitHub to the receipt. Each run has a fresh environment.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks._commands import environment
from benchmarks._measure import Comparison, Contender, LeftOut, Target, compare, stopwatch

from hephaestus_release._install import install_wheels
from hephaestus_release._target import find_target
from hephaestus_release._wheels import check_wheel
from hephaestus_release.testing.github import LocalGitHub
from hephaestus_release.testing.published import publish_wheelhouse
from hephaestus_release.testing.wheels import build_wheel

QUICK = ("--rounds", "1", "--wheels", "3")

_MODULE = b"\n".join(b"def function_%d(first, second):\n    return first + second * %d\n" % (n, n) for n in range(60))


def alone(installer: str, wheels: list[Path], python: Path) -> None:
    common = ["--no-index", "--no-deps", *map(str, wheels)]
    if installer == "pip":
        command = [str(python), "-I", "-m", "pip", "--isolated", "install", "--disable-pip-version-check", *common]
    else:
        command = [str(_uv()), "pip", "install", "--no-cache", "--python", str(python), *common]
    subprocess.run(command, check=True, capture_output=True)


def _uv() -> str | None:
    return shutil.which("uv", path=environment()["PATH"])


def step(installer: str, wheels: list[Path], python: Path) -> None:
    target = find_target(str(python))
    checked = [check_wheel(wheel) for wheel in wheels]
    install_wheels(checked, wheels[0].parent, target, installer=installer, upgrade=True)


def command(installer: str, github: LocalGitHub, python: Path) -> None:
    home = str(python.parents[1] / "home")
    arguments = ["--installer", installer, "--python", str(python), "--api-url", github.api_url, "--loopback-http"]
    subprocess.run(
        [sys.executable, "-m", "hephaestus", "release", "install", "octo/widgets", *arguments],
        check=True, capture_output=True,
        env=environment(XDG_CACHE_HOME=home, XDG_STATE_HOME=home),
    )  # fmt: skip


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--wheels", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)


def measure(options: argparse.Namespace) -> Iterator[Comparison]:
    """Publish a wheelhouse and install it in each way, by each installer."""
    with tempfile.TemporaryDirectory() as name, LocalGitHub() as github:
        folder = Path(name)
        (folder / "wheels").mkdir()
        files = {f"module{number}.py": _MODULE for number in range(40)}
        wheels = [
            build_wheel(folder / "wheels", f"package{n}", files={f"package{n}/{file}": files[file] for file in files})
            for n in range(options.wheels)
        ]
        publish_wheelhouse(github, folder, wheels=wheels)
        venv.create(folder / "template", with_pip=True, symlinks=True)
        for installer in ("pip", "uv"):
            ways: dict[str, Callable[[Path], None]] = {
                f"{installer} alone": partial(alone, installer, wheels),
                "install step": partial(step, installer, wheels),
                "whole command": partial(command, installer, github),
            }
            yield compare(
                f"{options.wheels} wheels by {installer}",
                [Contender(way, partial(_fresh, installer, run, folder)) for way, run in ways.items()],
                rounds=options.rounds,
                bases=[f"{installer} alone"],
                targets=[Target("install step", f"{installer} alone", 1.15)],
            )


_numbers = count()


def _fresh(installer: str, run: Callable[[Path], None], folder: Path) -> float:
    """Run with an environment of its own with pip, copied so that all start alike; it goes again."""
    if installer == "uv" and _uv() is None:
        raise LeftOut("uv is not installed")
    place = folder / f"run{next(_numbers)}"
    shutil.copytree(folder / "template", place, symlinks=True)
    with stopwatch() as watch:
        run(place / "bin" / "python")
    shutil.rmtree(place)
    return watch.seconds

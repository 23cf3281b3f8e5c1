"""Installing 30 wheels: `hephaestus release install` and its install step, against pip and uv alone.

    python benchmarks/release_install.py [--rounds 3]

"alone" is the same installer on the same folder: no index, no dependencies, bytecode as the installer does by default.
"step" checks each wheel's RECORD, pins every hash, runs the installer and its check; "command" is the whole command,
from the look-up on a local GitHub to the receipt. Each round has fresh environments; the fastest of each counts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hephaestus_release._install import install_wheels
from hephaestus_release._target import find_target
from hephaestus_release._wheels import check_wheel
from hephaestus_release.testing.github import LocalGitHub
from hephaestus_release.testing.published import publish_wheelhouse
from hephaestus_release.testing.wheels import build_wheel

_MODULE = b"\n".join(b"def function_%d(first, second):\n    return first + second * %d\n" % (n, n) for n in range(60))


def environment(template: Path, folder: Path) -> Path:
    """The interpreter of a fresh environment with pip, copied so that all start alike."""
    shutil.copytree(template, folder, symlinks=True)
    return folder / "bin" / "python"


def alone(installer: str, wheels: list[Path], python: Path) -> None:
    common = ["--no-index", "--no-deps", *map(str, wheels)]
    if installer == "pip":
        command = [str(python), "-I", "-m", "pip", "--isolated", "install", "--disable-pip-version-check", *common]
    else:
        uv = shutil.which("uv", path=os.pathsep.join([*os.get_exec_path(), os.path.dirname(sys.executable)]))
        assert uv is not None, "uv is not installed"
        command = [uv, "pip", "install", "--no-cache", "--python", str(python), *common]
    subprocess.run(command, check=True, capture_output=True)


def step(installer: str, wheels: list[Path], python: Path) -> None:
    target = find_target(str(python))
    checked = [check_wheel(wheel) for wheel in wheels]
    install_wheels(checked, wheels[0].parent, target, installer=installer, upgrade=True)


def command(installer: str, github: LocalGitHub, home: Path, python: Path) -> None:
    arguments = ["--installer", installer, "--python", str(python), "--api-url", github.api_url, "--loopback-http"]
    subprocess.run(
        [sys.executable, "-m", "hephaestus", "release", "install", "octo/widgets", *arguments],
        check=True, capture_output=True,
        env={**os.environ, "XDG_CACHE_HOME": str(home), "XDG_STATE_HOME": str(home)},
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    best: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as name, LocalGitHub() as github:
        folder = Path(name)
        (folder / "wheels").mkdir()
        wheels = [
            build_wheel(
                folder / "wheels", f"package{n}", files={f"package{n}/module{m}.py": _MODULE for m in range(40)}
            )
            for n in range(30)
        ]
        publish_wheelhouse(github, folder, wheels=wheels)
        venv.create(folder / "template", with_pip=True, symlinks=True)
        for turn in range(rounds):
            for installer in ("pip", "uv"):
                home = folder / f"home-{installer}-{turn}"
                ways: dict[str, Callable[[Path], None]] = {
                    "alone": partial(alone, installer, wheels),
                    "step": partial(step, installer, wheels),
                    "command": partial(command, installer, github, home),
                }
                for way, run in ways.items():
                    python = environment(folder / "template", folder / f"{installer}-{way}-{turn}")
                    before = time.perf_counter()
                    run(python)
                    seconds = time.perf_counter() - before
                    best[installer, way] = min(best.get((installer, way), seconds), seconds)
    for (installer, way), seconds in best.items():
        print(f"{installer:4} {way:8} {seconds:6.2f} s  {seconds / best[installer, 'alone']:5.2f}")


if __name__ == "__main__":
    main()

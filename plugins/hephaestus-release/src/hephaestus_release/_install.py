"""Installing verified wheels: by pip or uv, from the folder alone, with the hash of each."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import frozen
from packaging.utils import canonicalize_name

from hephaestus.telemetry import emit_event
from hephaestus_release._dependencies import Project, misfits
from hephaestus_release._target import Target, clean_environment
from hephaestus_release._text import one_line
from hephaestus_release._wheels import Wheel, one_version_each
from hephaestus_release.errors import InstallError
from hephaestus_release.events import RELEASE_INSTALL_COMPLETE, RELEASE_INSTALL_INVOKE, RELEASE_INSTALL_START

__all__ = ["Installation", "install_wheels"]

logger = logging.getLogger("hephaestus.release")

_LONGEST_REASON: Final = 400
_HINT: Final = "does the wheelhouse hold wheels for this Python and platform?"


@frozen
class Installation:
    """What was done.

    Attributes:
        command: the installer's command; empty when there was nothing to do.
        python: interpreter of the environment.
        installed: `name==version` of each project that was put in place.
    """

    command: tuple[str, ...]
    python: str
    installed: tuple[str, ...]


def install_wheels(
    wheels: Sequence[Wheel], directory: Path, target: Target, *, installer: str, upgrade: bool
) -> Installation:
    """Install one build of each project.

    Args:
        wheels: verified wheels, below `directory`.
        directory: where they are, for events.
        target: the environment; its `installed` must be filled when `upgrade` is false.
        installer: which program does it.
        upgrade: replace what is installed already; else such projects are left as they are.

    Raises:
        WheelError: two versions of one project.
        InstallError: the dependencies would not fit, or the installer is missing or refuses.
    """
    projects = one_version_each(wheels)
    emit_event(
        logger,
        RELEASE_INSTALL_START,
        message="Installing wheels",
        wheels=len(wheels),
        directory=directory,
        upgrade=upgrade,
        python_executable=str(target.python),
    )
    if not upgrade:
        present = {canonicalize_name(project.name) for project in target.installed}
        projects = {name: builds for name, builds in projects.items() if name not in present}
    _check_dependencies(projects, target)
    command = _run_installer(projects, target, installer, upgrade=upgrade) if projects else ()
    emit_event(logger, RELEASE_INSTALL_COMPLETE, message="Installed wheels", wheels=len(projects), directory=directory)
    pinned = tuple(f"{name}=={builds[0].version}" for name, builds in projects.items())
    return Installation(command, str(target.python), pinned)


def _check_dependencies(projects: dict[str, list[Wheel]], target: Target) -> None:
    """Refuse before anything is changed; what only some builds of a project require is passed over."""
    new = []
    for name, builds in projects.items():
        shared = set(builds[0].requires).intersection(*(build.requires for build in builds))
        new.append(Project(name, builds[0].version, tuple(text for text in builds[0].requires if text in shared)))
    if found := misfits(new, target.installed, target.environment):
        raise InstallError(
            f"the dependencies do not fit: {one_line('; '.join(found), _LONGEST_REASON)}",
            hint="the wheelhouse must hold every dependency that the environment lacks",
        )


def _run_installer(
    projects: dict[str, list[Wheel]], target: Target, installer: str, *, upgrade: bool
) -> tuple[str, ...]:
    """Run the installer in an empty folder of its own."""
    program = _program(installer, target)
    with tempfile.TemporaryDirectory(prefix="hephaestus-install-") as name:
        requirements = Path(name) / "requirements.txt"
        requirements.write_text("".join(_pin(project, builds) for project, builds in projects.items()))
        command = [*program, *_arguments(installer, target, projects, upgrade=upgrade), "-r", str(requirements)]
        emit_event(logger, RELEASE_INSTALL_INVOKE, message=f"Running {installer}", command=command)
        result = _run(command, name)
        if result.returncode != 0:
            raise InstallError(f"{installer} failed: {_reason(result.stdout + result.stderr)}", hint=_HINT)
    return tuple(command)


def _program(installer: str, target: Target) -> list[str]:
    if installer == "pip":
        if not target.has_pip:
            raise InstallError(
                f"{target.python} has no pip", hint=f"run {target.python} -m ensurepip, or --installer uv"
            )
        # -I: a folder called pip in the working directory would otherwise be run.
        return [str(target.python), "-I", "-m", "pip", "--isolated"]
    # Never from the working directory, which a relative entry of PATH would mean.
    folders = [folder for folder in (*os.get_exec_path(), os.path.dirname(sys.executable)) if os.path.isabs(folder)]
    uv = shutil.which("uv", path=os.pathsep.join(folders))
    if uv is None:
        raise InstallError("uv is not installed", hint="install uv, or use --installer pip")
    return [uv]


def _where(installer: str, target: Target) -> list[str]:
    return ["--python", str(target.python), "--no-config"] if installer == "uv" else []


def _arguments(installer: str, target: Target, projects: dict[str, list[Wheel]], *, upgrade: bool) -> list[str]:
    """Nothing from an index, nothing but wheels, nothing without its hash."""
    folders = sorted({str(build.path.parent) for builds in projects.values() for build in builds})
    links = [argument for folder in folders for argument in ("--find-links", folder)]
    common = ["--no-index", "--no-deps", "--only-binary", ":all:", "--require-hashes", *links]
    if installer == "uv":
        again = ["--reinstall"] if upgrade else []
        return ["pip", "install", *_where(installer, target), "--no-cache", *common, *again]
    # Without --force-reinstall, pip keeps what has the same version, whatever its content.
    again = ["--upgrade", "--force-reinstall"] if upgrade else []
    return ["install", "--no-input", "--no-cache-dir", "--disable-pip-version-check", *common, *again]


def _pin(project: str, builds: Sequence[Wheel]) -> str:
    hashes = "".join(f" --hash=sha256:{digest}" for digest in sorted({build.sha256 for build in builds}))
    return f"{project}=={builds[0].version}{hashes}\n"


def _run(command: Sequence[str], folder: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, env=clean_environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
    except OSError as error:
        raise InstallError(f"{command[0]} cannot be run: {error.strerror or error}") from None


def _reason(output: str) -> str:
    """What an installer's output says is wrong, in one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return one_line(" ".join(errors or lines[-6:]) or "it said nothing", _LONGEST_REASON)

"""The Python environment that the wheels go into."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from attrs import frozen

from hephaestus.errors import UsageError
from hephaestus_release._dependencies import Project

__all__ = ["Target", "clean_environment", "find_target"]

# Run in the target: it must work without anything installed there.
_QUESTION: Final = """
import importlib.util, json, os, platform, sys
from importlib import metadata
managed = False
if sys.prefix == sys.base_prefix:
    import sysconfig
    managed = os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED"))
version = sys.implementation.version
number = f"{version.major}.{version.minor}.{version.micro}"
if version.releaselevel != "final":
    number += version.releaselevel[0] + str(version.serial)
print(json.dumps({
    "managed": managed,
    "has_pip": importlib.util.find_spec("pip") is not None,
    "prefix": sys.prefix,
    "installed": [[d.metadata["Name"], d.version, d.requires or []] for d in metadata.distributions()],
    "environment": {
        "implementation_name": sys.implementation.name,
        "implementation_version": number,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "platform_python_implementation": platform.python_implementation(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    },
}))
"""
_SECRETS: Final = frozenset({"GITHUB_TOKEN", "GH_TOKEN"})
_PREFIXES: Final = ("PIP_", "UV_", "PYTHON", "VIRTUAL_ENV", "HEPHAESTUS_")


@frozen
class Target:
    """A Python environment.

    Attributes:
        python: its interpreter, absolute, links kept: a virtual environment is known by the link's place.
        prefix: its folder.
        has_pip: whether pip can be run in it.
        installed: what is installed.
        environment: values of the environment markers.
    """

    python: Path
    prefix: Path
    has_pip: bool
    installed: tuple[Project, ...]
    environment: dict[str, str]


def clean_environment() -> dict[str, str]:
    """This process's environment without whatever configures pip, uv or Python, and without the tokens."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_PREFIXES) and k not in _SECRETS}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_NO_CONFIG": "1"}


def find_target(python: str | None) -> Target:
    """The named interpreter's environment, else the active virtual environment.

    The environment that Hephaestus itself runs in is never taken unless it is active or named: it may be a tool's
    private one, or the system's.

    Args:
        python: path of an interpreter or of a virtual environment, or a command's name; None for the active one.

    Raises:
        UsageError: there is none, it does not run, or it is managed by somebody else.
    """
    executable = _executable(python)
    command = [str(executable), "-I", "-c", _QUESTION]
    try:
        run = subprocess.run(command, env=clean_environment(), capture_output=True, check=True, timeout=60, cwd="/")
        answer = json.loads(run.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        raise UsageError(f"not a Python that runs: {executable}", hint="give another one with --python") from None
    if answer["managed"]:
        raise UsageError(
            f"{executable} is managed by the system, which forbids installing into it",
            hint="make a virtual environment and give its interpreter with --python",
        )
    listed = (Project(name, str(version), tuple(requires)) for name, version, requires in answer["installed"] if name)
    return Target(executable, Path(answer["prefix"]), answer["has_pip"], tuple(listed), answer["environment"])


def _executable(python: str | None) -> Path:
    if python is None:
        active = os.environ.get("VIRTUAL_ENV")
        if not active:
            raise UsageError(
                "no environment to install into",
                hint=f"activate a virtual environment, or name an interpreter with --python, e.g. {sys.executable}",
            )
        python = active
    path = Path(python).expanduser()
    if path.is_dir():
        path = path / "bin" / "python"
    elif os.sep not in python:
        path = Path(shutil.which(python) or python)
    if not path.is_file():
        raise UsageError(f"no Python there: {path}", hint="give an interpreter or a virtual environment with --python")
    return Path(os.path.abspath(path))

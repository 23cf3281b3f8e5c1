"""Where a step's tool comes from: the project's own environment, and PATH only when that is said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from hephaestus_guard_rails._environment import Environment, canonical_name
from hephaestus_guard_rails._project import Project
from hephaestus_guard_rails.steps import Step, Tool

__all__ = ["Found", "child_path", "find_command", "find_tool"]


class Found(NamedTuple):
    """How to start a tool.

    Args:
        argv: the beginning of the command; empty when the tool is missing.
        origin: where it was found, or why it was not, for people.
        version: of the installed distribution; empty when unknown.
        outside: it does not come from the project's own environment, which output has to say.
    """

    argv: tuple[str, ...]
    origin: str
    version: str = ""
    outside: bool = False


def _executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _which(name: str, path: str) -> str | None:
    """What `shutil.which` answers; that module's import costs more than all else that is done here."""
    for folder in path.split(os.pathsep):
        if folder and _executable(candidate := Path(folder, name)):
            return os.path.abspath(candidate)
    return None


def _in_environment(tool: Tool, environment: Environment) -> Found | None:
    version = environment.distributions.get(canonical_name(tool.distribution), "")
    script = environment.bin / tool.executable
    if _executable(script):
        return Found((str(script),), environment.found_by, version)
    if environment.has_module(tool.module):
        return Found((str(environment.python), "-m", tool.module), f"{environment.found_by}, as a module", version)
    return None


def find_tool(tool: Tool, project: Project) -> Found:
    """The way to start `tool` for `project`.

    First the project's environment: its script, then `python -m`. PATH is asked only for a project that has no
    environment and for tools that are no Python programs, and `outside` is then set: the version may be another than
    the project's.
    """
    environment = project.environment
    if environment is not None:
        found = _in_environment(tool, environment)
        if found is not None:
            return found
        if not tool.system:
            return Found((), f"not in {environment.prefix}")
    path = _which(tool.executable, os.environ.get("PATH", os.defpath))
    if path is None:
        return Found((), "the project has no environment, and PATH has none" if environment is None else "not on PATH")
    return Found((path,), "PATH", outside=not tool.system)


def find_command(step: Step, project: Project) -> Found:
    """The way to start a step that names no tool: its own first argument, looked up as the step would see it."""
    name = step.check[0]
    if os.sep in name:
        path = project.root / name
        return Found((str(path),), name) if _executable(path) else Found((), f"{path} is no executable file")
    path_found = _which(name, child_path(project))
    if path_found is None:
        return Found((), f"{name} is not on PATH")
    return Found((path_found,), os.path.dirname(path_found))


def child_path(project: Project) -> str:
    """PATH for steps: the project's environment first, as if it were activated."""
    inherited = os.environ.get("PATH", os.defpath)
    return inherited if project.environment is None else f"{project.environment.bin}{os.pathsep}{inherited}"

"""The command that gives a project a tool that it lacks, in the words of whoever manages its dependencies."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from hephaestus_guard_rails._declared import Declaration
from hephaestus_guard_rails._project import Project
from hephaestus_guard_rails.steps import Tool

__all__ = ["install_command"]


def install_command(tool: Tool, project: Project) -> str:
    """A line for a shell: of the lock's manager, else of pip in the project's environment or a new one."""
    name = tool.distribution
    for lock, command in _MANAGERS.items():
        if project.has(lock) or (project.top / lock).is_file():
            declared = project.declared.get(name)
            # Named by a hook or by tox, it is no dependency that the manager knows.
            return command(name, declared if declared is not None and declared.file == "pyproject.toml" else None)
    environment = project.environment
    if environment is None:
        return f"python3 -m venv .venv && .venv/bin/python -m pip install {name}"
    python = shlex.quote(str(environment.python))
    if environment.has_module("pip"):
        return f"{python} -m pip install {name}"
    # Environments that uv makes hold no pip.
    return f"uv pip install --python {python} {name}"


def _options(group_option: str, extra_option: str, declared: Declaration) -> str:
    group = f" {group_option} {declared.group}" if declared.group else ""
    return group + (f" {extra_option} {declared.extra}" if declared.extra else "")


def _uv(name: str, declared: Declaration | None) -> str:
    if declared is None:
        return f"uv add --dev {name}"
    return f"uv sync --inexact{_options('--group', '--extra', declared)}"


def _poetry(name: str, declared: Declaration | None) -> str:
    if declared is None:
        return f"poetry add --group dev {name}"
    return f"poetry install{_options('--with', '--extras', declared)}"


def _pdm(name: str, declared: Declaration | None) -> str:
    if declared is None:
        return f"pdm add --dev {name}"
    return f"pdm install{_options('--group', '--group', declared)}"


_MANAGERS: dict[str, Callable[[str, Declaration | None], str]] = {
    "uv.lock": _uv,
    "poetry.lock": _poetry,
    "pdm.lock": _pdm,
}

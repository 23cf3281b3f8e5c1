"""Which distributions a project asks for, by name: enough to know which gates it uses. Versions are drift's matter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hephaestus_guard_rails._environment import canonical_name

if TYPE_CHECKING:
    from hephaestus_guard_rails._project import Project

__all__ = ["declared_distributions", "requirement_name"]

_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?=$|[\s\[<>=!~;@(,#])")
_HOOK = re.compile(r"^\s*-?\s*id:\s*['\"]?([\w.-]+)", re.MULTILINE)
_TOX_DEPENDENCY = re.compile(r"^\s+([A-Za-z][\w.-]*)", re.MULTILINE)


def requirement_name(line: str) -> str:
    """Canonical name of the distribution in a requirement line; empty for options, URLs, paths and comments."""
    match = _NAME.match(line)
    return canonical_name(match.group(1)) if match else ""


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def _tables(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield from (table for table in value.values() if isinstance(table, dict))


def _pyproject_requirements(project: Project) -> Iterator[str]:
    metadata = project.table("project") or {}
    yield from _strings(metadata.get("dependencies"))
    places = (("project", "optional-dependencies"), ("dependency-groups",), ("tool", "pdm", "dev-dependencies"))
    for group in (project.table(*place) for place in places):
        for requirements in (group or {}).values():
            yield from _strings(requirements)
    yield from _strings((project.table("tool", "uv") or {}).get("dev-dependencies"))
    for hatch_environment in _tables(project.table("tool", "hatch", "envs")):
        yield from _strings(hatch_environment.get("dependencies"))
        yield from _strings(hatch_environment.get("extra-dependencies"))


def _poetry_names(project: Project) -> Iterator[str]:
    poetry = project.table("tool", "poetry") or {}
    groups = [group.get("dependencies") for group in _tables(poetry.get("group"))]
    for table in (poetry.get("dependencies"), poetry.get("dev-dependencies"), *groups):
        if isinstance(table, dict):
            yield from table


def _requirements_files(project: Project) -> Iterator[str]:
    for pattern in ("*requirements*.txt", "*requirements*.in", "requirements/*.txt", "requirements/*.in"):
        yield from (str(path.relative_to(project.root)) for path in sorted(project.root.glob(pattern)))


def _sources(project: Project) -> Iterator[tuple[str, Iterable[str]]]:
    yield "pyproject.toml", map(requirement_name, _pyproject_requirements(project))
    yield "pyproject.toml", map(canonical_name, _poetry_names(project))
    for name in _requirements_files(project):
        yield name, map(requirement_name, project.read(name).splitlines())
    for name in (".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml"):
        yield name, map(canonical_name, _HOOK.findall(project.read(name)))
    for name in ("tox.ini", "setup.cfg"):
        yield name, map(canonical_name, _TOX_DEPENDENCY.findall(project.read(name)))


def declared_distributions(project: Project) -> dict[str, str]:
    """Canonical name → first file that names it, over pyproject.toml, requirements files, hooks, tox.ini, setup.cfg.

    Hook ids count as names ("ruff-format" is one). Whatever is no requirement is passed over: this only decides which
    gates apply, and `--plan` shows it.
    """
    found: dict[str, str] = {}
    for source, names in _sources(project):
        for name in names:
            if name:
                found.setdefault(name, source)
    return found

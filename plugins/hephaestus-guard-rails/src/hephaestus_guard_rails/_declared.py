"""Which distributions a project asks for, by name: enough to know which gates it uses. Versions are drift's matter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hephaestus_guard_rails._environment import canonical_name

if TYPE_CHECKING:
    from hephaestus_guard_rails._project import Project

__all__ = ["Declaration", "declared_distributions", "requirement_name"]

_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?=$|[\s\[<>=!~;@(,#])")
_HOOK = re.compile(r"^\s*-?\s*id:\s*['\"]?([\w.-]+)", re.MULTILINE)
_TOX_DEPENDENCY = re.compile(r"^\s+([A-Za-z][\w.-]*)", re.MULTILINE)


class Declaration(NamedTuple):
    """Where a distribution is named: the file, and in pyproject.toml the dependency group or the extra, if one."""

    file: str
    group: str = ""
    extra: str = ""

    def __str__(self) -> str:
        """As `--plan` shows it."""
        if not self.group and not self.extra:
            return self.file
        return f"{self.file}, {f'group {self.group}' if self.group else f'extra {self.extra}'}"


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


def _pyproject_requirements(project: Project) -> Iterator[tuple[Declaration, Iterable[str]]]:
    here = Declaration("pyproject.toml")
    yield here, _strings((project.table("project") or {}).get("dependencies"))
    for extra, requirements in (project.table("project", "optional-dependencies") or {}).items():
        yield here._replace(extra=extra), _strings(requirements)
    for place in (("dependency-groups",), ("tool", "pdm", "dev-dependencies")):
        for group, requirements in (project.table(*place) or {}).items():
            yield here._replace(group=group), _strings(requirements)
    yield here, _strings((project.table("tool", "uv") or {}).get("dev-dependencies"))
    for hatch_environment in _tables(project.table("tool", "hatch", "envs")):
        yield here, _strings(hatch_environment.get("dependencies"))
        yield here, _strings(hatch_environment.get("extra-dependencies"))


def _poetry_names(project: Project) -> Iterator[tuple[Declaration, Iterable[str]]]:
    here = Declaration("pyproject.toml")
    poetry = project.table("tool", "poetry") or {}
    groups = poetry.get("group")
    for name, group in groups.items() if isinstance(groups, dict) else ():
        if isinstance(group, dict) and isinstance(group.get("dependencies"), dict):
            yield here._replace(group=name), group["dependencies"]
    for key, place in (("dependencies", here), ("dev-dependencies", here._replace(group="dev"))):
        if isinstance(table := poetry.get(key), dict):
            yield place, table


def _requirements_files(project: Project) -> Iterator[str]:
    for pattern in ("*requirements*.txt", "*requirements*.in", "requirements/*.txt", "requirements/*.in"):
        yield from (str(path.relative_to(project.root)) for path in sorted(project.root.glob(pattern)))


def _sources(project: Project) -> Iterator[tuple[Declaration, Iterable[str]]]:
    yield from ((place, map(requirement_name, lines)) for place, lines in _pyproject_requirements(project))
    yield from ((place, map(canonical_name, names)) for place, names in _poetry_names(project))
    for name in _requirements_files(project):
        yield Declaration(name), map(requirement_name, project.read(name).splitlines())
    for name in (".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml"):
        yield Declaration(name), map(canonical_name, _HOOK.findall(project.read(name)))
    for name in ("tox.ini", "setup.cfg"):
        yield Declaration(name), map(canonical_name, _TOX_DEPENDENCY.findall(project.read(name)))


def declared_distributions(project: Project) -> dict[str, Declaration]:
    """Canonical name → first place that names it, over pyproject.toml, requirements files, hooks, tox.ini, setup.cfg.

    Hook ids count as names ("ruff-format" is one). Whatever is no requirement is passed over: this only decides which
    gates apply, and `--plan` shows it.
    """
    found: dict[str, Declaration] = {}
    for source, names in _sources(project):
        for name in names:
            if name:
                found.setdefault(name, source)
    return found

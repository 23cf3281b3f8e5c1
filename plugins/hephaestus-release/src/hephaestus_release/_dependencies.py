"""Whether dependencies will fit once the wheels are in their environment: `pip check` before anything changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

__all__ = ["Project", "misfits"]


@frozen
class Project:
    """A project that is installed, or will be.

    Attributes:
        name: as written.
        version: as written.
        requires: its requirements, as its metadata has them.
    """

    name: str
    version: str
    requires: tuple[str, ...]


def misfits(new: Iterable[Project], installed: Iterable[Project], environment: Mapping[str, str]) -> list[str]:
    """What would be missing or of the wrong version, one line each.

    Troubles between projects that are installed already are left out: they are not the new ones' fault.

    Args:
        new: the projects that will be put in, each once.
        installed: what is there; a project of the same name is replaced.
        environment: values of the environment markers, e.g. `{"python_version": "3.12", …}`.
    """
    coming = {canonicalize_name(project.name): project for project in new}
    staying = {canonicalize_name(project.name): project for project in installed}
    after = {**staying, **coming}
    found = []
    for name, project in after.items():
        for requirement in _requirements(project, environment):
            wanted = canonicalize_name(requirement.name)
            if name not in coming and wanted not in coming:
                continue
            if wanted not in after:
                found.append(f"{project.name} {project.version} requires {requirement}, which is missing")
            elif not _fits(there := after[wanted].version, requirement):
                found.append(f"{project.name} {project.version} requires {requirement}, but there would be {there}")
    return found


def _requirements(project: Project, environment: Mapping[str, str]) -> list[Requirement]:
    """Those that hold in the environment without any extra; what cannot be read is passed over, as pip does."""
    found = []
    for text in project.requires:
        try:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({**environment, "extra": ""}):
                requirement.marker = None
                found.append(requirement)
        except (InvalidRequirement, InvalidVersion):
            continue
    return found


def _fits(version: str, requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True

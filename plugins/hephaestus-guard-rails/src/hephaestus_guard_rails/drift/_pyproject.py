"""What `pyproject.toml` asks for, in the tables of every manager, and the versions that tools' own settings require."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hephaestus_guard_rails.drift._pin import Origin
from hephaestus_guard_rails.drift._poetry import read_poetry
from hephaestus_guard_rails.drift._sets import is_development_set
from hephaestus_guard_rails.drift._toml import TomlDocument

if TYPE_CHECKING:
    from pathlib import Path

    from hephaestus_guard_rails.drift._survey import Survey


def read_pyproject(survey: Survey, path: Path) -> TomlDocument | None:
    """Read one `pyproject.toml`; returns it for those who need its other tables."""
    document = TomlDocument.read(survey, path)
    if document is None:
        return None
    for name in (document.table("project").get("name"), document.table("tool", "poetry").get("name")):
        if isinstance(name, str):
            survey.own_names.add(name)
    _read_array(document, ("project", "dependencies"), "dependencies")
    for extra in document.table("project", "optional-dependencies"):
        _read_array(document, ("project", "optional-dependencies", extra), f"extra {extra}", kind="extra")
    _read_groups(document)
    _read_managers(document)
    _read_hatch(document, ("tool", "hatch", "envs"))
    read_poetry(document)
    _read_ruff(document, "tool", "ruff")
    _read_black(document)
    _read_pytest(document)
    return document


def read_hatch_file(survey: Survey, path: Path) -> None:
    """Read `hatch.toml`, which holds the tables of `[tool.hatch]` at its top level."""
    document = TomlDocument.read(survey, path)
    if document is not None:
        _read_hatch(document, ("envs",))


def read_ruff_file(survey: Survey, path: Path) -> None:
    """Read `ruff.toml` or `.ruff.toml` for `required-version`."""
    document = TomlDocument.read(survey, path)
    if document is not None:
        _read_ruff(document)


def _read_ruff(document: TomlDocument, *keys: str) -> None:
    if version := document.string(*keys, "required-version"):
        specifier = version if re.match(r"\s*[=!<>~]", version) else f"=={version}"
        _setting(document, "ruff", specifier, (*keys, "required-version"))


def _read_black(document: TomlDocument) -> None:
    keys = ("tool", "black", "required-version")
    if version := document.string(*keys):
        # Black takes a bare number for "any release of that year".
        _setting(document, "black", f"=={version}" if "." in version else f"=={version}.*", keys)


def _read_pytest(document: TomlDocument) -> None:
    for table in (("tool", "pytest", "ini_options"), ("tool", "pytest")):
        version = document.table(*table).get("minversion")
        if isinstance(version, str | float | int):
            _setting(document, "pytest", f">={version}", (*table, "minversion"))


def _setting(document: TomlDocument, tool: str, specifier: str, keys: tuple[str, ...]) -> None:
    line = document.line(keys)
    document.survey.ask(tool, [specifier], Origin.SETTING, document.path, line, keys[-1])


def _read_array(
    document: TomlDocument,
    keys: tuple[str, ...],
    label: str,
    *,
    origin: Origin = Origin.PROJECT,
    kind: str | None = None,
) -> None:
    member_of = document.member_of(kind, keys) if kind is not None else None
    for entry in document.array(*keys):
        if isinstance(entry, str):
            line = document.line(keys, entry)
            document.survey.require(entry, origin, document.path, line, label, member_of=member_of)
        elif not (isinstance(entry, dict) and "include-group" in entry):
            document.survey.complain(document.path, document.line(keys), f"{label}: not a requirement: {entry!r}")


def _read_groups(document: TomlDocument) -> None:
    """Every group is read by itself, so an include adds nothing; it is checked that it leads somewhere."""
    groups = document.table("dependency-groups")
    includes = {_normal(name): _included(entries) for name, entries in groups.items()}
    _note_defaults(document, includes)
    for name in groups:
        keys = ("dependency-groups", name)
        _read_array(document, keys, f"group {name}", kind="group")
        for other in includes[_normal(name)]:
            if other not in includes:
                document.survey.complain(document.path, document.line(keys, other), f"no dependency group {other!r}")
            elif _reaches(includes, other, _normal(name)):
                line = document.line(keys, "include-group")
                document.survey.complain(document.path, line, f"dependency group {name!r} includes itself")


def _note_defaults(document: TomlDocument, includes: dict[str, list[str]]) -> None:
    """Groups that uv installs unasked, those named for development, and all that these include."""
    chosen = document.table("tool", "uv").get("default-groups", [])
    names = {_normal(name) for name in chosen if isinstance(name, str)} if isinstance(chosen, list) else set()
    for name in document.table("dependency-groups"):
        roots = {each for each in includes if chosen == "all" or each in names or is_development_set(each)}
        if any(_reaches(includes, root, _normal(name)) for root in roots):
            document.survey.default_sets.add(("group", name))


def _included(entries: Any) -> list[str]:
    if not isinstance(entries, list):
        return []
    names = (entry.get("include-group") for entry in entries if isinstance(entry, dict))
    return [_normal(name) for name in names if isinstance(name, str)]


def _reaches(includes: dict[str, list[str]], start: str, goal: str) -> bool:
    seen, waiting = set[str](), [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting += includes.get(name, [])
    return False


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _read_managers(document: TomlDocument) -> None:
    _read_array(document, ("tool", "uv", "dev-dependencies"), "uv dev-dependencies")
    for key in ("constraint-dependencies", "override-dependencies"):
        _read_array(document, ("tool", "uv", key), f"uv {key}", origin=Origin.CONSTRAINTS)
    _read_array(document, ("tool", "rye", "dev-dependencies"), "rye dev-dependencies")
    for group in document.table("tool", "pdm", "dev-dependencies"):
        keys = ("tool", "pdm", "dev-dependencies", group)
        document.survey.default_sets.add(("group", group))
        _read_array(document, keys, f"pdm group {group}", kind="group")


def _read_hatch(document: TomlDocument, envs: tuple[str, ...]) -> None:
    """Hatch keeps an environment per table; only the default one can be the project's own."""
    for name, table in document.table(*envs).items():
        origin = Origin.PROJECT if name == "default" else Origin.OWN_ENVIRONMENT
        for key in ("dependencies", "extra-dependencies") if isinstance(table, dict) else ():
            _read_array(document, (*envs, name, key), f"hatch environment {name}", origin=origin)

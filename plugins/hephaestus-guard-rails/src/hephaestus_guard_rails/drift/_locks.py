"""What `uv.lock`, `poetry.lock`, `pdm.lock` and `pylock*.toml` fix for the tools that a project declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hephaestus_guard_rails.drift._lock_lines import LockEntry, read_lines, read_toml
from hephaestus_guard_rails.drift._pin import Origin
from hephaestus_guard_rails.drift._toml import parse

if TYPE_CHECKING:
    from pathlib import Path

    from hephaestus_guard_rails.drift._survey import Survey
    from hephaestus_guard_rails.drift._target import Target

_LOCAL_SOURCES = ("editable", "virtual", "directory", "workspace")
_PYTHON_KEYS = ("requires-python", "requires_python", "python-versions")


def read_lock(survey: Survey, path: Path) -> None:
    """Note the versions of every tool in a lock file; those that only other packages need are dropped later."""
    text = survey.text(path)
    if text is None:
        return
    array = "packages" if path.name.startswith("pylock") else "package"
    entries = read_lines(text, array)
    if entries is None:
        data = parse(survey, path, text)
        if data is None:
            return
        entries = read_toml(data, text, array)
    by_tool: dict[str, list[LockEntry]] = {}
    for entry in entries:
        name = entry.values.get("name")
        if not isinstance(name, str):
            survey.complain(path, entry.line, "a package without a name")
        elif _is_local(entry.values):
            survey.own_names.add(name)
        elif (tool := survey.wanted(name)) is not None and "version" in entry.values:
            by_tool.setdefault(tool, []).append(entry)
    for tool, found in by_tool.items():
        chosen = _for_target(found, survey.target)
        versions = dict.fromkeys(str(entry.values["version"]) for entry in chosen)
        specifiers = [f"=={version}" for version in versions]
        survey.ask(tool, specifiers, Origin.LOCK, path, chosen[0].line, path.name)


def _is_local(values: dict[str, Any]) -> bool:
    """True for the project itself and its neighbours in the same repository, by each manager's way of saying so."""
    source = values.get("source")
    if isinstance(source, dict) and (source.get("type") == "directory" or any(key in source for key in _LOCAL_SOURCES)):
        return True
    return bool(values.get("editable") or values.get("path") or values.get("directory"))


def _for_target(entries: list[LockEntry], target: Target) -> list[LockEntry]:
    """Of several versions of one package, those for the target's Python; all of them if none says so."""
    if len(entries) == 1:
        return entries
    fitting = [entry for entry in entries if _fits(entry.values, target)]
    return fitting or entries


def _fits(values: dict[str, Any], target: Target) -> bool:
    for key in _PYTHON_KEYS:
        requires = values.get(key)
        if isinstance(requires, str) and not target.satisfies(requires):
            return False
    markers = _markers(values)
    return not markers or any(target.applies(marker) for marker in markers)


def _markers(values: dict[str, Any]) -> list[str]:
    """The markers of an entry, any of which makes it apply: uv lists forks, poetry has one per group."""
    found: list[Any] = [values.get("marker")]
    for key in ("markers", "resolution-markers"):
        value = values.get(key)
        found += value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return [marker for marker in found if isinstance(marker, str) and marker]

"""Poetry's dependency tables and its own way of writing version constraints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hephaestus_guard_rails.drift._pin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hephaestus_guard_rails.drift._toml import TomlDocument

_PART = re.compile(r"\s*(\^|~=|~|===|==|=|!=|<=|>=|<|>)?\s*([0-9A-Za-z.*+!_-]+)\s*,?")
_LEADING = re.compile(r"v?(\d+(?:\.\d+)*)")
_DIRECT = ("git", "path", "url", "file")


def read_poetry(document: TomlDocument) -> None:
    """Note what `[tool.poetry]` asks for: main, legacy dev and group dependencies."""
    _read_table(document, ("tool", "poetry", "dependencies"), None)
    _read_table(document, ("tool", "poetry", "dev-dependencies"), ("group", "dev"))
    for group in document.table("tool", "poetry", "group"):
        keys = ("tool", "poetry", "group", group)
        if document.table(*keys).get("optional") is not True:
            document.survey.default_sets.add(("group", group))
        _read_table(document, (*keys, "dependencies"), document.member_of("group", keys))


def _read_table(document: TomlDocument, keys: tuple[str, ...], member_of: tuple[str, str] | None) -> None:
    label = f"poetry group {member_of[1]}" if member_of else "poetry dependencies"
    for name, value in document.table(*keys).items():
        if document.survey.wanted(name) is None:
            continue
        line = document.line((*keys, name), name)
        for entry in value if isinstance(value, list) else [value]:
            _read_entry(document, name, entry, line, label, member_of or _extra(document, name))


def _read_entry(
    document: TomlDocument, name: str, entry: Any, line: int, label: str, member_of: tuple[str, str] | None
) -> None:
    survey, path = document.survey, document.path
    table: dict[str, Any] = {"version": entry} if isinstance(entry, str) else entry if isinstance(entry, dict) else {}
    version = table.get("version", "*" if any(key in table for key in _DIRECT) else None)
    if not isinstance(version, str):
        survey.complain(path, line, f"{name}: neither a version nor a table with a version")
        return
    try:
        if not _applies(document, table):
            return
        if any(key in table for key in _DIRECT):
            survey.note(name, "a direct reference", Origin.PROJECT, path, line, label, opaque=True, member_of=member_of)
        else:
            survey.ask(name, to_specifiers(version), Origin.PROJECT, path, line, label, member_of=member_of)
    except ValueError as error:
        survey.complain(path, line, f"{name}: {error}")


def _applies(document: TomlDocument, table: dict[str, Any]) -> bool:
    target = document.survey.target
    python, markers, platform = (table.get(key, "") for key in ("python", "markers", "platform"))
    conditions = [isinstance(markers, str) and target.applies(markers)]
    if isinstance(python, str) and python:
        conditions.append(any(target.satisfies(specifier) for specifier in to_specifiers(python)))
    if isinstance(platform, str) and platform:
        conditions.append(target.applies(f"sys_platform == '{platform}'"))
    return all(conditions)


def _extra(document: TomlDocument, name: str) -> tuple[str, str] | None:
    """The extra of `[tool.poetry.extras]` that brings an optional dependency."""
    for extra, members in document.table("tool", "poetry", "extras").items():
        if isinstance(members, list) and name in members:
            return document.member_of("extra", ("tool", "poetry", "extras", extra))
    return None


def to_specifiers(constraint: str) -> tuple[str, ...]:
    """A poetry constraint as PEP 440 specifiers, one per alternative of `||`.

    `^0.6` gives `>=0.6,<0.7`, `~1.2.3` gives `>=1.2.3,<1.3`, `1.2.3` gives `==1.2.3` and `*` gives the empty specifier.

    Raises:
        ValueError: the text is no constraint.
    """
    alternatives = re.split(r"\|\|?", constraint)
    return tuple(",".join(_parts(alternative, constraint)) for alternative in alternatives)


def _parts(alternative: str, constraint: str) -> Iterator[str]:
    position, text = 0, alternative.strip()
    if not text:
        raise ValueError(f"not a version constraint: {constraint!r}")
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise ValueError(f"not a version constraint: {constraint!r}")
        position = match.end()
        yield from _part(match[1] or "", match[2], constraint)


def _part(operator: str, version: str, constraint: str) -> Iterator[str]:
    if version == "*":
        if operator not in ("", "=", "=="):
            raise ValueError(f"not a version constraint: {constraint!r}")
        return
    if operator in ("^", "~"):
        yield f">={version}"
        yield f"<{_upper_bound(operator, version, constraint)}"
    else:
        yield f"{'==' if operator in ('', '=') else operator}{version}"


def _upper_bound(operator: str, version: str, constraint: str) -> str:
    match = _LEADING.match(version)
    if match is None or "*" in version:
        raise ValueError(f"not a version constraint: {constraint!r}")
    release = [int(number) for number in match[1].split(".")]
    if operator == "~":
        keep = min(len(release), 2)
    else:  # a caret lets everything change to the right of the first number that is not zero
        keep = next((n for n, number in enumerate(release, 1) if number), len(release))
    return ".".join(map(str, [*release[: keep - 1], release[keep - 1] + 1]))

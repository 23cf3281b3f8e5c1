"""Which of a project's optional sets of dependencies an environment holds, so that the others' tools are not missed.

A project may declare a set for documentation, for benchmarks or for one CI job, and nobody installs them all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hephaestus_guard_rails.drift._pin import Pin

_DEVELOPMENT = re.compile(r"(?:^|[-_./])dev(?:el|elop|elopment)?(?:$|[-_./])", re.IGNORECASE)


def is_development_set(name: str) -> bool:
    """True for a set that every working environment holds by its name: `dev`, `requirements-dev`, `requirements`."""
    return name == "requirements" or _DEVELOPMENT.search(name) is not None


def absent_tools(
    pins: Mapping[str, Collection[Pin]], installed: Collection[str], defaults: Collection[tuple[str, str]]
) -> set[str]:
    """Tools that are not installed because no set that declares them is.

    A set is there if it is a default, or one of the tools that it alone declares is installed. In an environment with
    none of the declared tools, every set counts as wanted: it has yet to be filled.

    Args:
        pins: all pins by tool.
        installed: the tools found.
        defaults: sets that installing the project for development brings without being asked.
    """
    declaring = {tool: _sets(each) for tool, each in pins.items()}
    declaring = {tool: sets for tool, sets in declaring.items() if sets}
    if not any(tool in installed for tool in declaring):
        return set()
    present = {None, *defaults}
    present |= {next(iter(sets)) for tool, sets in declaring.items() if len(sets) == 1 and tool in installed}
    return {
        tool
        for tool, sets in declaring.items()
        if tool not in installed and not any(_is_in(each, present) for each in sets)
    }


def _sets(pins: Collection[Pin]) -> set[tuple[str, str] | None]:
    return {pin.member_of for pin in pins if pin.origin.declares}


def _is_in(each: tuple[str, str] | None, present: Collection[tuple[str, str] | None]) -> bool:
    return each in present or (each is not None and is_development_set(each[1]))

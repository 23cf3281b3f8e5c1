"""A sub-command that a plugin contributes, by reference."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Command"]


class Command(NamedTuple):
    """A click command that is imported only when it is used.

    Attributes:
        name: as typed on the command line, e.g. `cleanup`.
        target: `package.module:attribute` of the click command or group.
        summary: one sentence for the list of commands in `hephaestus --help`.
    """

    name: str
    target: str
    summary: str

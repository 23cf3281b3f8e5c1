"""What the author of a plugin imports, and the host that loads plugins.

A plugin is a module (or another object) named by an entry point of the group `hephaestus.plugins`; its hooks are
described in `hephaestus.plugins.hookspecs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hephaestus.config import ConfigTable
from hephaestus.plugins import hookspecs
from hephaestus.plugins._command import Command
from hephaestus.plugins._discovery import PluginSource, discover
from hephaestus.plugins._host import Answer, PluginHost
from hephaestus.plugins._markers import hookimpl, hookspec, implements
from hephaestus.plugins._plugin import Plugin
from hephaestus.plugins._report import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hephaestus.registry import Definition

__all__ = [
    "Answer",
    "Command",
    "ConfigTable",
    "Plugin",
    "PluginHost",
    "PluginSource",
    "Problem",
    "contributed_events",
    "current_host",
    "discover",
    "hookimpl",
    "hookspec",
    "hookspecs",
    "implements",
    "use_host",
]

_current: PluginHost | None = None


def current_host() -> PluginHost:
    """Return the process's host: the one given to `use_host`, else one over all installed plugins."""
    global _current
    if _current is None:
        _current = PluginHost()
    return _current


def use_host(host: PluginHost | None) -> PluginHost | None:
    """Make `host` the process's host and return the one before; None makes the next look-up start afresh."""
    global _current
    previous, _current = _current, host
    return previous


def contributed_events() -> Mapping[str, Definition]:
    """The events that the plugins of the current host contribute, by name."""
    return current_host().definitions()

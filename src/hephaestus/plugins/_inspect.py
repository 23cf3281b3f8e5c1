"""Reading a plugin's hooks before pluggy registers them: misspelt, unmarked, or of a kind that is not called."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pluggy

__all__ = ["hook_faults", "implemented_hooks"]

_PREFIX = "hephaestus_"


def implemented_hooks(manager: pluggy.PluginManager, plugin: object) -> dict[str, Callable[..., Any]]:
    """Return the functions that a plugin marks as hooks, by the hook's name."""
    return {name: function for name, function, _ in _marked(manager, plugin)}


def hook_faults(manager: pluggy.PluginManager, plugin: object) -> Iterator[tuple[str, str]]:
    """Find what is wrong with a plugin's hooks; yields (reason, mend)."""
    for name, _, options in _marked(manager, plugin):
        if options.get("wrapper") or options.get("hookwrapper"):
            yield f"{name} is a hook wrapper, and these are not called", "return the value from a plain implementation"
        caller = getattr(manager.hook, name, None)
        if (caller is None or not caller.has_spec()) and not options.get("optionalhook"):
            yield f"implements unknown hook {name}{_nearest(manager, name)}", "correct the name or install its plugin"
    for name, value in _members(plugin):
        looks_like_one = name.startswith(_PREFIX) and inspect.isfunction(value) and _is_own(plugin, value)
        if looks_like_one and manager.parse_hookimpl_opts(plugin, name) is None:
            yield f"{name} looks like a hook but is not marked", "decorate it with @implements(...) or rename it"


def _marked(manager: pluggy.PluginManager, plugin: object) -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    for attribute, function in _members(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            yield options.get("specname") or attribute, function, dict(options)


def _members(plugin: object) -> Iterator[tuple[str, Any]]:
    for name in dir(plugin):
        yield name, getattr(plugin, name, None)


def _is_own(plugin: object, function: Any) -> bool:
    return getattr(function, "__module__", None) == getattr(plugin, "__name__", type(plugin).__module__)


def _nearest(manager: pluggy.PluginManager, name: str) -> str:
    from difflib import get_close_matches

    known = [each for each, caller in vars(manager.hook).items() if not each.startswith("_") and caller.has_spec()]
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""

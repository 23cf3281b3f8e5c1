"""Reading a plugin's hooks before pluggy registers them: misspelt, unmarked, or of a kind that is not called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pluggy

__all__ = ["Marked", "hook_faults", "marked_hooks"]

_PREFIX = "hephaestus_"


class Marked(NamedTuple):
    """A function that a plugin marks as a hook: the hook's name, the function, and the options of the mark."""

    name: str
    function: Callable[..., Any]
    options: dict[str, Any]


def marked_hooks(manager: pluggy.PluginManager, plugin: object) -> list[Marked]:
    """Find the functions that a plugin marks as hooks, in the order of their attributes' names."""
    found = []
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            name = options.get("specname") or attribute
            found.append(Marked(name, getattr(plugin, attribute, None), dict(options)))  # type: ignore[arg-type]
    return found


def hook_faults(manager: pluggy.PluginManager, plugin: object, marked: Iterable[Marked]) -> Iterator[tuple[str, str]]:
    """Find what is wrong with a plugin's hooks, given those that it marks; yields (reason, mend)."""
    for name, _, options in marked:
        if options.get("wrapper") or options.get("hookwrapper"):
            yield f"{name} is a hook wrapper, and these are not called", "return the value from a plain implementation"
        caller = getattr(manager.hook, name, None)
        if (caller is None or not caller.has_spec()) and not options.get("optionalhook"):
            yield f"implements unknown hook {name}{_nearest(manager, name)}", "correct the name or install its plugin"
    for name in dir(plugin):
        if name.startswith(_PREFIX) and manager.parse_hookimpl_opts(plugin, name) is None:
            value = getattr(plugin, name, None)
            if inspect.isfunction(value) and _is_own(plugin, value):
                yield f"{name} looks like a hook but is not marked", "decorate it with @implements(...) or rename it"


def _is_own(plugin: object, function: Any) -> bool:
    return getattr(function, "__module__", None) == getattr(plugin, "__name__", type(plugin).__module__)


def _nearest(manager: pluggy.PluginManager, name: str) -> str:
    from difflib import get_close_matches

    known = [each for each, caller in vars(manager.hook).items() if not each.startswith("_") and caller.has_spec()]
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""

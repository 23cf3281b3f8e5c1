"""pluggy's manager, with a faster look for marked functions in modules."""

from __future__ import annotations

from types import FunctionType, MethodType, ModuleType
from typing import Any

import pluggy

from hephaestus.plugins._markers import PROJECT

__all__ = ["HookManager"]


class HookManager(pluggy.PluginManager):
    """Finds hooks where pluggy finds them.

    pluggy asks `inspect` of every name, which at each start takes longer than importing the plugins. Nearly all names
    are a module's plain functions, which a look into its dictionary tells, or values that can be no hook.
    """

    def __init__(self) -> None:
        super().__init__(PROJECT)

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Return how the attribute is marked as an implementation; None where it isn't."""
        options: pluggy.HookimplOpts | None
        plain, options = _marks(plugin, name, f"{PROJECT}_impl")
        if plain:
            return options
        return super().parse_hookimpl_opts(plugin, name)

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> pluggy.HookspecOpts | None:
        """Return how the attribute is marked as a specification; None where it isn't."""
        options: pluggy.HookspecOpts | None
        plain, options = _marks(module_or_class, name, f"{PROJECT}_spec")
        if plain:
            return options
        return super().parse_hookspec_opts(module_or_class, name)


def _marks(holder: object, name: str, mark: str) -> tuple[bool, Any]:
    """Say whether the attribute is plain enough to tell how it is marked, and how."""
    if not isinstance(holder, ModuleType) or name not in holder.__dict__:
        return False, None
    value = holder.__dict__[name]
    if isinstance(value, FunctionType):
        options = getattr(value, mark, None)
        return True, options if isinstance(options, dict) else None
    # A bound method, or what binds (a static method, say), may be a hook in disguise: pluggy knows.
    return not (isinstance(value, MethodType) or hasattr(type(value), "__get__")), None

"""The marks that tell pluggy which functions are hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import pluggy

__all__ = ["PROJECT", "hookimpl", "hookspec", "implements"]

P = ParamSpec("P")
R = TypeVar("R")

PROJECT = "hephaestus"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


def implements(
    specification: Callable[P, R], *, tryfirst: bool = False, trylast: bool = False, optional: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a function as an implementation of a hook, so that a type checker compares the two signatures.

    Args:
        specification: the hook, e.g. `hookspecs.hephaestus_events`; its name is the hook's.
        tryfirst: call it before the others.
        trylast: call it after the others.
        optional: no complaint when the plugin that offers the hook isn't installed.

    Returns:
        A decorator that returns the function as it is.
    """

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        marker = hookimpl(specname=specification.__name__, tryfirst=tryfirst, trylast=trylast, optionalhook=optional)
        return marker(function)

    return mark

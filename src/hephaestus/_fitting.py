"""Values of a configuration into a class that they fit as they are, without an import.

Nearly every table fits. Whatever does not, or is of a type that is not known here, is for `hephaestus._structure` to
convert or to refuse with the reason: this is its short way, and never gives anything else than it would.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

__all__ = ["NotFitting", "fit"]

T = TypeVar("T")


class NotFitting(Exception):
    """The values need another look."""


def fit(target: type[T], values: Mapping[str, Any], folder: Path) -> T:
    """Make an object of a table.

    Args:
        target: a NamedTuple or an attrs class.
        values: the table: kebab-case key to value.
        folder: what relative paths are relative to.

    Raises:
        NotFitting: an unknown key, a value of another type or refused by the class, a type that is not known here.
    """
    try:
        return typing.cast("T", _made(target, values, folder))
    except Exception as error:
        raise NotFitting(str(error)) from error


def _made(kind: Any, values: Any, folder: Path) -> Any:
    kinds = _attributes(kind)
    return kind(**{kinds[key][0]: _fitted(kinds[key][1], value, folder) for key, value in values.items()})


@cache
def _attributes(kind: Any) -> dict[str, tuple[str, Any]]:
    """Key to name and type of each attribute that the constructor takes by its name."""
    hints = typing.get_type_hints(kind)
    if hasattr(kind, "__attrs_attrs__"):
        names = [each.name for each in kind.__attrs_attrs__ if each.init and each.alias == each.name]
    else:
        names = kind._fields
    return {name.replace("_", "-"): (name, hints[name]) for name in names}


def _fitted(kind: Any, value: Any, folder: Path) -> Any:
    if kind in (bool, int, float, str) and type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is Path and type(value) is str:
        return folder / Path(value).expanduser()
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType) and len(arguments) == 2 and arguments[1] is type(None):
        return _fitted(arguments[0], value, folder)
    if origin is Literal and type(value) is str and value in arguments:
        return value
    if origin in (list, tuple) and arguments[1:] in ((), (...,)) and type(value) is list:
        return origin(_fitted(arguments[0], each, folder) for each in value)
    if type(value) is dict:
        return _made(kind, value, folder)
    raise TypeError(f"{value!r} is no {kind}")

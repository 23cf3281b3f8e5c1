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


def fit(target: type[T], values: Mapping[str, Any], folder: Path, variables: Mapping[str, str]) -> T:
    """Make an object of a table, with the environment's variables over it.

    Args:
        target: a NamedTuple or an attrs class.
        values: the table: kebab-case key to value.
        folder: what relative paths of the table are relative to; those of variables are to the working directory.
        variables: an attribute's name in capitals to text. Lists are separated by commas.

    Raises:
        NotFitting: an unknown key or variable, a value of another type or refused by the class, a type that is not
            known here.
    """
    kind: Any = target
    try:
        given = _arguments(kind, values, folder)
        made = target(**given)
        if variables:
            attributes = {name.upper(): (name, each) for name, each in _attributes(kind).values()}
            for capitals, text in variables.items():
                name, each = attributes[capitals]
                given[name] = _read(each, text)
            made = target(**given)
    except Exception as error:
        raise NotFitting(str(error)) from error
    return made


def _arguments(kind: Any, values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    attributes = _attributes(kind)
    return {attributes[key][0]: _fitted(attributes[key][1], value, folder) for key, value in values.items()}


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
        return kind(**_arguments(kind, value, folder))
    raise TypeError(f"{value!r} is no {kind}")


def _read(kind: Any, text: str) -> Any:
    """A variable's text as a value; numbers and truths, which few variables hold, are left to the long way."""
    arguments = typing.get_args(kind)
    if arguments[1:] == (type(None),):
        return _read(arguments[0], text)
    if kind in (str, Path) or typing.get_origin(kind) is Literal:
        return _fitted(kind, text, Path.cwd())
    if typing.get_origin(kind) in (list, tuple):
        items = [_read(arguments[0], part.strip()) for part in text.split(",") if part.strip()]
        return _fitted(kind, items, Path.cwd())
    raise TypeError(f"{text!r} may be no {kind}")

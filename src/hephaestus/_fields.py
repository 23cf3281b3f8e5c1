"""The types that a field of an event may have: how each is spelled, checked and described as JSON Schema."""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from hephaestus.errors import DefinitionError

__all__ = ["ANY", "RESERVED_FIELDS", "FieldType", "field_type"]

#: Names that no field may have: emission and context use them.
RESERVED_FIELDS = frozenset(
    {"event", "logger", "message", "operation", "operation_id", "parent_operation_id", "run_id"}
)

_SCHEMAS: dict[object, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    # NaN and the infinities have no JSON number and are written as null.
    float: {"type": ["number", "null"]},
    str: {"type": "string"},
    Path: {"type": "string"},
    list: {"type": "array"},
    tuple: {"type": "array"},
    dict: {"type": "object"},
    Any: {},
}

_MATCHES: dict[object, Callable[[Any], bool]] = {
    bool: lambda value: isinstance(value, bool),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    str: lambda value: isinstance(value, str),
    Path: lambda value: isinstance(value, (str, os.PathLike)),
    list: lambda value: isinstance(value, list),
    tuple: lambda value: isinstance(value, tuple),
    dict: lambda value: isinstance(value, dict),
    Any: lambda value: True,
}


class FieldType:
    """One field's type.

    Attributes:
        kind: the plain type (`bool`, `int`, `float`, `str`, `Path`, `list`, `tuple`, `dict`) or `typing.Any`.
        item: the type of the items of a list, tuple or dict's values; None where any value may stand.
        nullable: True for `T | None`.
        spelling: the type as people write it: `list[Path]`, `tuple[str]`, `dict[str, int]`, `str | None`.
    """

    __slots__ = ("item", "kind", "nullable", "spelling")

    spelling: str

    def __init__(self, kind: object, item: FieldType | None = None, *, nullable: bool = False) -> None:
        self.kind = kind
        self.item = item
        self.nullable = nullable
        text: str = getattr(kind, "__name__", "Any")
        if item is not None:
            text += f"[str, {item.spelling}]" if kind is dict else f"[{item.spelling}]"
        self.spelling = f"{text} | None" if nullable else text

    def matches(self, value: object) -> bool:
        """Say whether `value` is of this type; the reference that the generated checks must agree with."""
        if value is None and self.nullable:
            return True
        if not _MATCHES[self.kind](value):
            return False
        if self.item is None:
            return True
        if isinstance(value, dict):
            return all(isinstance(key, str) and self.item.matches(each) for key, each in value.items())
        return all(self.item.matches(each) for each in typing.cast("list[object]", value))

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the value as the JSON log format writes it."""
        schema = dict(_SCHEMAS[self.kind])
        if self.item is not None:
            schema["additionalProperties" if self.kind is dict else "items"] = self.item.schema()
        if self.nullable and "type" in schema:
            names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            schema["type"] = sorted({*names, "null"})
        return schema

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldType) and self.spelling == other.spelling

    def __hash__(self) -> int:
        return hash(self.spelling)

    def __repr__(self) -> str:
        return f"FieldType({self.spelling})"


ANY = FieldType(Any)

# Events are many and types are few: what has been read once is shared.
_known: dict[object, FieldType] = {kind: FieldType(kind) for kind in _SCHEMAS} | {Any: ANY}


def field_type(declared: object) -> FieldType:
    """Read a declared type; equal types may give the same object.

    Args:
        declared: `bool`, `int`, `float`, `str`, `Path`, `list`, `tuple`, `dict`, `Any`, `list[T]`, `tuple[T, ...]`
            (`tuple[T]` means the same), `dict[str, T]`, or any of these `| None`.

    Raises:
        DefinitionError: another type.
    """
    try:
        known = _known.get(declared)
    except TypeError:
        return _read(declared)  # not hashable, hence no type either: says so
    if known is None:
        known = _known[declared] = _read(declared)
    return known


def _read(declared: object) -> FieldType:
    if isinstance(declared, type) and issubclass(declared, PurePath):
        return _known[Path]
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if origin in (typing.Union, types.UnionType) and len(arguments) == 2 and type(None) in arguments:
        inner = field_type(next(each for each in arguments if each is not type(None)))
        return FieldType(inner.kind, inner.item, nullable=True)
    if origin is list and len(arguments) == 1:
        return FieldType(list, field_type(arguments[0]))
    if origin is tuple and (len(arguments) == 1 or arguments[1:] == (Ellipsis,)):
        return FieldType(tuple, field_type(arguments[0]))
    if origin is dict and arguments[0] is str:
        return FieldType(dict, field_type(arguments[1]))
    raise DefinitionError(
        f"{declared!r} is no type for a field",
        hint="use bool, int, float, str, Path, Any, list[T], tuple[T, ...], dict[str, T], or one of these | None",
    )

"""Any Python value as one that JSON has: total, so that no value can lose its event."""

from __future__ import annotations

import enum
import math
import os
from collections.abc import Mapping
from datetime import date, time
from typing import Any

__all__ = ["MOST_BITS", "jsonable", "printable"]

_DEEPEST = 64
#: Of an integer that is written in decimals.
MOST_BITS = 2048


def printable(text: str) -> str:
    """Return `text` as valid Unicode: each lone surrogate (a byte of an undecodable file name) as `\\udcXX`."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def jsonable(value: Any, _inside: tuple[int, ...] = ()) -> Any:
    """Return `value` made of None, bool, int, finite float, valid str, list and dict with str keys.

    NaN and the infinities become None; paths, sets, bytes, dates, enums and any other object become what a reader
    expects; a container inside itself, or nested deeper than 64 levels, becomes `"..."`.
    """
    try:
        return _jsonable(value, _inside)
    except Exception:
        # A value whose own methods raise.
        return _text(value)


def _jsonable(value: Any, inside: tuple[int, ...]) -> Any:
    kind = type(value)
    if kind is str:
        return printable(value)
    if kind is bool or value is None:
        return value
    if kind is int:
        # Python refuses to print an int of more than 4300 digits in decimal.
        return value if value.bit_length() <= MOST_BITS else hex(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple, set, frozenset, Mapping)):
        if id(value) in inside or len(inside) >= _DEEPEST:
            return "..."
        return _container(value, (*inside, id(value)))
    return _scalar(value, inside)


def _container(value: Any, inside: tuple[int, ...]) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): jsonable(each, inside) for key, each in value.items()}
    items = [jsonable(each, inside) for each in value]
    # A set has no order: sorted, so that equal events give equal lines.
    return sorted(items, key=repr) if isinstance(value, (set, frozenset)) else items


def _scalar(value: Any, inside: tuple[int, ...]) -> Any:
    if isinstance(value, enum.Enum):
        return jsonable(value.value, inside)
    if isinstance(value, str):
        return printable(str.__str__(value))
    if isinstance(value, int):
        return jsonable(int.__int__(value))
    if isinstance(value, float):
        return jsonable(float.__float__(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, os.PathLike):
        return printable(os.fsdecode(value))
    if isinstance(value, (date, time)):
        return value.isoformat()
    return _text(value)


def _key(key: object) -> str:
    scalar = jsonable(key)
    if isinstance(scalar, str):
        return scalar
    if scalar is None or isinstance(scalar, bool):
        return {None: "null", True: "true", False: "false"}[scalar]
    return str(scalar)


def _text(value: object) -> str:
    try:
        return printable(str.__str__(str(value)))
    except Exception:
        return f"<unprintable {type(value).__name__}>"

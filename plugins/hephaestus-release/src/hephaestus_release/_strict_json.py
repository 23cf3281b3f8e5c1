"""JSON objects from strangers, read in the one way on which all parsers agree."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["strict_object"]


def strict_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`.

    Raises:
        ValueError: not UTF-8, not JSON, too deep, not an object, or an object names a key twice.
    """
    try:
        document = json.loads(raw.decode(), object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of a key given twice, one parser takes the first and another the last: what was checked might not be what is used.
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is given twice")
    return members

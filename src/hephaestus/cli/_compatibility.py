"""What a change of event definitions breaks: readers of the log, or emitters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hephaestus.errors import UsageError

__all__ = ["breaking_changes", "read_baseline"]

Definitions = list[dict[str, Any]]


def read_baseline(file: str) -> Definitions:
    """Read a file that `hephaestus events list --format json` wrote.

    Raises:
        UsageError: it is no such file.
    """
    try:
        entries = json.loads(Path(file).read_bytes())
        shape = [(each["name"], each["required"].items(), each["optional"].items()) for each in entries]
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "make one with hephaestus events list --format json"
        raise UsageError(f"{file} is no baseline of events: {type(error).__name__}: {error}", hint=hint) from error
    del shape
    return list(entries)


def breaking_changes(before: Definitions, after: Definitions) -> list[str]:
    """Return one line for each change that breaks a reader or an emitter, in the order of the baseline."""
    now = {each["name"]: each for each in after}
    changes = []
    for old in before:
        new = now.get(old["name"])
        if new is None:
            changes.append(f"{old['name']}: event removed")
            continue
        changes += [f"{old['name']}: {change}" for change in _fields(old, new)]
    return changes


def _fields(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    changes = []
    for need, other in (("required", "optional"), ("optional", "required")):
        for name, kind in old[need].items():
            if name in new[other]:
                changes.append(f"field {name} was {need} and is now {other}")
            elif name not in new[need]:
                changes.append(f"field {name} removed")
            elif new[need][name] != kind:
                changes.append(f"field {name} was {kind} and is now {new[need][name]}")
    for name in new["required"]:
        if name not in old["required"] and name not in old["optional"]:
            changes.append(f"field {name} is new and required")
    return changes

"""The check of each event's payload, generated once as Python source and compiled.

The generated function holds only what is true of nearly every payload (`type(value) is T`); any surprise falls to
`explain`, which looks at the payload again with care: it raises the precise error, or lets the value pass.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hephaestus._fields import FieldType
from hephaestus.errors import FieldTypeError, MissingFieldsError, UnexpectedFieldError

if TYPE_CHECKING:
    from hephaestus.event import TelemetryEvent

__all__ = ["Checker", "compile_checker", "explain"]

Checker = Callable[[dict[str, Any]], None]

_FAST: dict[object, str] = {
    bool: "type({0}) is bool",
    int: "type({0}) is int",
    float: "type({0}) is float or type({0}) is int",
    str: "type({0}) is str",
    Path: "type({0}) is str or isinstance({0}, PathLike)",
    list: "type({0}) is list",
    tuple: "type({0}) is tuple",
    dict: "type({0}) is dict",
}


def explain(event: TelemetryEvent, payload: dict[str, Any]) -> None:
    """Check a payload field by field; the slow, obvious reference of the generated checks.

    Optional fields given as None are taken out of `payload`.

    Raises:
        MissingFieldsError: required fields are absent.
        UnexpectedFieldError: a field is not declared.
        FieldTypeError: a value is of another type than declared.
    """
    missing = sorted(name for name in event.required_fields if name not in payload)
    if missing:
        raise MissingFieldsError(f"Event '{event.name}' missing required fields: {', '.join(missing)}")
    for name in event.optional_fields:
        if name in payload and payload[name] is None:
            del payload[name]
    for name, value in payload.items():
        declared = event.types.get(name)
        if declared is None:
            raise UnexpectedFieldError(_unexpected(event, name))
        if not declared.matches(value):
            raise FieldTypeError(
                f"Event '{event.name}' field '{name}' must be {declared.spelling}, got {_describe(declared, value)}"
            )


def _unexpected(event: TelemetryEvent, name: str) -> str:
    from difflib import get_close_matches

    text = f"Event '{event.name}' got unexpected field '{name}'"
    near = get_close_matches(name, event.types, n=1, cutoff=0.5)
    if near:
        return f"{text}; did you mean '{near[0]}'?"
    declared = ", ".join(event.types) or "no fields"
    return f"{text}; it declares {declared}"


def _describe(declared: FieldType, value: object) -> str:
    if declared.item is not None and isinstance(value, (list, tuple)) and type(value) is declared.kind:
        for index, each in enumerate(value):
            if not declared.item.matches(each):
                return f"{type(each).__name__} at index {index}"
    return type(value).__name__


def _condition(declared: FieldType, variable: str) -> str | None:
    """The test that nearly every value of the type passes, as source; None where any value does."""
    if declared.kind not in _FAST:
        return None
    test = _FAST[declared.kind].format(variable)
    if declared.item is not None:
        # Items are left to the reference: a comprehension costs more than the call that it would save.
        test = f"({test}) and {variable}_type.matches({variable})"
    return test


def source_of(event: TelemetryEvent) -> str:
    """The source of the event's check, as it is compiled."""
    lines = ["def check(payload):"]
    if event.required_fields:
        lines.append("    try:")
        lines += [f"        f{i} = payload[{name!r}]" for i, name in enumerate(event.required_fields)]
        lines += ["    except KeyError:", "        return explain(event, payload)"]
    for index, name in enumerate(event.required_fields):
        test = _condition(event.types[name], f"f{index}")
        if test is not None:
            if event.types[name].nullable:
                test = f"f{index} is None or {test}"
            lines += [f"    if not ({test}):", "        return explain(event, payload)"]
    count = len(event.required_fields)
    lines.append(f"    if len(payload) != {count}:")
    if event.optional_fields:
        lines.append(f"        known = {count}")
        for index, name in enumerate(event.optional_fields, start=count):
            test = _condition(event.types[name], f"f{index}") or f"f{index} is not None"
            lines += [
                f"        if {name!r} in payload:",
                f"            f{index} = payload[{name!r}]",
                f"            if not ({test}):",
                "                return explain(event, payload)",
                "            known += 1",
            ]
        lines += ["        if len(payload) != known:", "            return explain(event, payload)"]
    else:
        lines.append("        return explain(event, payload)")
    return "\n".join(lines) + "\n"


def compile_checker(event: TelemetryEvent) -> Checker:
    """Compile the event's check: called with a payload of its own, it passes, drops None options, or raises."""
    from os import PathLike

    source = source_of(event)
    filename = f"<check of {event.name}>"
    # Tracebacks and debuggers read the generated lines from here.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    names = {f"f{i}_type": event.types[name] for i, name in enumerate((*event.required_fields, *event.optional_fields))}
    namespace: dict[str, Any] = {"event": event, "explain": explain, "PathLike": PathLike, **names}
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102
    checker: Checker = namespace["check"]
    return checker

"""The check of a payload, field by field: the slow, obvious reference of what `hephaestus._compile` generates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hephaestus.errors import FieldTypeError, MissingFieldsError, UnexpectedFieldError

if TYPE_CHECKING:
    from hephaestus._fields import FieldType
    from hephaestus.event import TelemetryEvent

__all__ = ["explain"]


def explain(event: TelemetryEvent, payload: dict[str, Any]) -> None:
    """Check a payload: raise the precise error, or let it pass.

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

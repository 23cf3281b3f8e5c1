"""The definition of an event: its name, what it means, and the typed fields that each emission carries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from keyword import iskeyword
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from hephaestus._fields import ANY, RESERVED_FIELDS, FieldType, field_type
from hephaestus.errors import DefinitionError

if TYPE_CHECKING:
    import logging

__all__ = ["RESERVED_FIELDS", "TelemetryEvent"]

Fields = Iterable[str] | Mapping[str, object]

_NAME = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+")


class Emitter(Protocol):
    """An event's own `emit`; its parameters are the event's fields."""

    def __call__(
        self, logger: logging.Logger, /, *, level: int | str = ..., message: str | None = None, **payload: Any
    ) -> None:
        """Emit the event; see `hephaestus.emit.emit_event`."""


class TelemetryEvent:
    """A kind of event: immutable, comparable by what it defines, hashable, picklable.

    `check`, `emit` and `emit_payload` are functions made for the event on first use; `hephaestus events show --source`
    shows them. All three hold the payload against the definition, and raise `MissingFieldsError` (`Event 'x' missing
    required fields: a, b`), `UnexpectedFieldError` (with the nearest field declared) or `FieldTypeError` (field,
    expected and actual type), which are ValueErrors.

    Args:
        name: dotted lower-case name, e.g. `cleanup.path.removed`.
        description: one sentence that says what has happened when the event is seen.
        required_fields: names (any value), or a mapping of name to type (see `hephaestus._fields.field_type`).
        optional_fields: likewise; an optional field given as None is left out of the payload.
        sensitive_fields: names among the fields whose values are written as `***` everywhere.

    Raises:
        DefinitionError: a malformed name, field name or type; a field declared twice; a reserved field name.
    """

    __slots__ = {  # noqa: RUF023, in the order of reading
        "name": "The dotted name.",
        "description": "One sentence that says what has happened.",
        "required_fields": "Names, in the order of definition.",
        "optional_fields": "Names, in the order of definition.",
        "sensitive_fields": "Names of the fields whose values are never written.",
        "types": "Name to `FieldType`, the required fields first.",
        "constant": "The name in capitals, `.` and `-` as `_`.",
        "key": "What contexts keep the lines of this very definition by.",
        "check": "Validate a payload (a dict of the caller's), taking out optional fields given as None.",
        "emit": "Emit the event: `EVENT.emit(logger, *, level=…, message=…, **fields)`; see `emit_event`.",
        "emit_payload": "The same with a dict of the caller's: `EVENT.emit_payload(logger, level, message, payload)`.",
    }

    name: str
    description: str
    required_fields: tuple[str, ...]
    optional_fields: tuple[str, ...]
    sensitive_fields: frozenset[str]
    types: Mapping[str, FieldType]
    constant: str
    key: object
    check: Callable[[dict[str, Any]], None]
    emit: Emitter
    emit_payload: Callable[[logging.Logger, int | str, str | None, dict[str, Any]], None]

    def __init__(
        self,
        name: str,
        description: str,
        required_fields: Fields = (),
        optional_fields: Fields = (),
        sensitive_fields: Iterable[str] = (),
    ) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise DefinitionError(
                f"{name!r} is no event name", hint="write dotted lower-case words, e.g. 'my-plugin.thing.done'"
            )
        required, optional = _typed(name, required_fields), _typed(name, optional_fields)
        types = {**required, **optional}
        if len(types) < len(required) + len(optional):
            twice = ", ".join(sorted(required.keys() & optional.keys()))
            raise DefinitionError(f"Event '{name}' declares {twice} both required and optional")
        sensitive = frozenset(sensitive_fields)
        if sensitive and not sensitive <= types.keys():
            unknown = ", ".join(sorted(sensitive - types.keys()))
            raise DefinitionError(f"Event '{name}' marks {unknown} sensitive but declares no such field")
        put = object.__setattr__
        put(self, "name", name)
        put(self, "description", description)
        put(self, "required_fields", tuple(required))
        put(self, "optional_fields", tuple(optional))
        put(self, "sensitive_fields", sensitive)
        put(self, "types", MappingProxyType(types))
        put(self, "constant", name.replace(".", "_").replace("-", "_").upper())
        put(self, "key", object())
        for part in ("check", "emit", "emit_payload"):
            put(self, part, partial(_compile_and_call, self, part))

    def validate(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return a validated copy of `payload` without the optional fields given as None; raises as `check` does."""
        copy = dict(payload)
        self.check(copy)
        return copy

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema (draft 2020-12) of the event's own fields, as the JSON log format writes them.

        Further properties are allowed, because the payload of a log line carries the context's fields too.
        """
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            "description": self.description,
            "type": "object",
            "properties": {name: declared.schema() for name, declared in self.types.items()},
            "required": list(self.required_fields),
        }

    def _definition(self) -> tuple[object, ...]:
        return (
            self.name,
            self.description,
            {name: self.types[name] for name in self.required_fields},
            {name: self.types[name] for name in self.optional_fields},
            self.sensitive_fields,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TelemetryEvent) and self._definition() == other._definition()

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, self._definition()

    def __setattr__(self, attribute: str, value: object) -> None:
        raise AttributeError(f"event '{self.name}' is immutable")

    def __delattr__(self, attribute: str) -> None:
        raise AttributeError(f"event '{self.name}' is immutable")

    def __repr__(self) -> str:
        return f"<TelemetryEvent {self.name}>"


def _compile_and_call(event: TelemetryEvent, part: str, /, *arguments: Any, **named: Any) -> Any:
    """What each function of an event is until its first call: a start that only lists events compiles nothing."""
    function = getattr(event, part)
    if type(function) is partial:  # else it was taken from the event before its first call
        from hephaestus._compile import compile_part

        function = compile_part(event, part)
        object.__setattr__(event, part, function)
    return function(*arguments, **named)


def _rebuild(
    name: str,
    description: str,
    required: dict[str, FieldType],
    optional: dict[str, FieldType],
    sensitive: frozenset[str],
) -> TelemetryEvent:
    return TelemetryEvent(name, description, required, optional, sensitive)


def _typed(event: str, declared: Fields) -> dict[str, FieldType]:
    if isinstance(declared, str):
        # A lone string is an iterable of its letters: nearly always a forgotten comma.
        raise DefinitionError(f"Event '{event}' fields must be a tuple or a mapping, not the string {declared!r}")
    pairs = declared.items() if isinstance(declared, Mapping) else ((name, ANY) for name in declared)
    fields: dict[str, FieldType] = {}
    for name, kind in pairs:
        if not isinstance(name, str) or not name.isidentifier() or iskeyword(name) or name.startswith("_"):
            raise DefinitionError(
                f"Event '{event}' has a field named {name!r}, which is no identifier that begins with a letter"
            )
        if name in RESERVED_FIELDS:
            raise DefinitionError(f"Event '{event}' may not have a field named '{name}': it is reserved")
        if name in fields:
            raise DefinitionError(f"Event '{event}' declares field '{name}' twice")
        fields[name] = kind if isinstance(kind, FieldType) else field_type(kind)
    return fields

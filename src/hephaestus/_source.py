"""The Python source of what each event does with a payload; `hephaestus._compile` compiles it.

Names with a `_` before them are helpers, which `_compile` provides; no field begins with one. A field's value is in a
variable of the field's name. The generated code holds only what is true of nearly every payload (`type(value) is T`);
any surprise goes another way, which looks with care.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring as quote
from pathlib import Path
from typing import TYPE_CHECKING

from hephaestus._lane import ENABLED, LANE
from hephaestus._redact import MASK, SECRET_KEYS, redact_text

if TYPE_CHECKING:
    from hephaestus.event import TelemetryEvent

__all__ = ["PARTS", "source_of"]

#: The functions that are generated for an event.
PARTS = ("check", "emit", "emit_payload")

# The test that nearly every value of a type passes.
_USUAL: dict[object, str] = {
    bool: "_type({0}) is _bool",
    int: "_type({0}) is _int",
    float: "_type({0}) is _float or _type({0}) is _int",
    str: "_type({0}) is _str",
    Path: "_type({0}) is _str or _isinstance({0}, _PathLike)",
    list: "_type({0}) is _list",
    tuple: "_type({0}) is _tuple",
    dict: "_type({0}) is _dict",
}
# The same for values that are written as they are. Floats in the one form that all encoders agree on; integers that are
# too long are refused by the encoders.
_WRITABLE: dict[object, str] = {
    **_USUAL,
    float: ("_type({0}) is _float and ({0} == 0 or 1e-4 <= {0} < 1e16 or -1e16 < {0} <= -1e-4) or _type({0}) is _int"),
    Path: "_type({0}) is _str or _type({0}) is _PlainPath",
}
_SCALARS = (bool, int, float, str, Path)
# The test of a field that may hold any value.
_NO_TEST = ""


def source_of(event: TelemetryEvent, part: str) -> str:
    """Return the source of one of an event's functions, one of `PARTS`."""
    return "\n".join({"check": _check, "emit": _emit, "emit_payload": _emit_payload}[part](_Shape(event))) + "\n"


class _Field:
    """One field of an event."""

    def __init__(self, event: TelemetryEvent, name: str) -> None:
        self.name = name
        self.declared = declared = event.types[name]
        self.required = name in event.required_fields
        self.masked = name in event.sensitive_fields
        # A mask is one, too. Names that are secrets, or make their values secrets, take another look.
        self.is_scalar = redact_text(name) == name and (
            self.masked or (declared.kind in _SCALARS and not declared.nullable and name.lower() not in SECRET_KEYS)
        )
        self.is_text = self.is_scalar and not self.masked and declared.kind in (str, Path)
        self.is_path = self.is_text and declared.kind is Path

    def test(self, tests: Mapping[object, str]) -> str:
        """A test that lets no wrong value pass, and only such as `tests` know by their type; empty where any may."""
        test = tests.get(self.declared.kind, _NO_TEST).format(self.name)
        if self.declared.item is not None:
            # Items are left to the reference: a comprehension costs more than the call that it would save.
            test = f"{test} and _{self.name}_type.matches({self.name})"
        if not self.required:
            # None stands for an optional field that was not given, whatever the field's type.
            return f"({test})" if test else f"{self.name} is not None"
        if test and self.declared.nullable:
            test = f"{self.name} is None or {test}"
        return f"({test})" if test else _NO_TEST


class _Shape:
    """What an event's functions depend on."""

    def __init__(self, event: TelemetryEvent) -> None:
        self.fields = [_Field(event, name) for name in event.types]
        self.required = [field for field in self.fields if field.required]
        self.optional = [field for field in self.fields if not field.required]
        # Whether all that is written are plain scalars, which are searched for secrets at once and written as they are.
        self.is_plain = all(field.is_scalar for field in self.fields)
        self.texts = [field for field in self.fields if field.is_text] if self.is_plain else []
        # Fields that are not written as they were given.
        self.changed = [field for field in self.fields if field.masked or (self.is_plain and field.is_path)]

    def test(self, field: _Field) -> str:
        """A test that only values pass that can be written."""
        return field.test(_WRITABLE if self.is_plain else _USUAL)


def _check(shape: _Shape) -> list[str]:
    careful = "return _explain(_event, _payload)"
    return ["def check(_payload):", *_unpack(shape, lambda field: field.test(_USUAL), careful)]


def _emit(shape: _Shape) -> list[str]:
    given = [field for field in shape.fields if field.name != "level"]
    # With defaults for required fields, too: what is missing is told in the words of the event, not of Python.
    parameters = [f"{field.name}={'_MISSING' if field.required else 'None'}" for field in given]
    lines = [f"def emit(logger, /, *, {', '.join((*parameters, 'level=20', 'message=None', '**_more'))}):"]
    careful = f"return _again(logger, level, message, {_dict(given)}, _more)"
    if len(given) < len(shape.fields):
        return [*lines, f"    {careful}"]
    tests = ["not _more"]
    tests += [shape.test(field) or f"{field.name} is not _MISSING" for field in shape.required]
    tests += [f"({field.name} is None or {shape.test(field)})" for field in shape.optional]
    lines += [*_unless(tests, careful), *ENABLED.splitlines(), f"    _payload = {_dict(shape.required)}"]
    return [*lines, *_deliver(shape, own=True)]


def _emit_payload(shape: _Shape) -> list[str]:
    # What is asked for most often is found a little faster as a local.
    lines = ["def emit_payload(logger, level, message, _payload, _type=_type, _int=_int, _str=_str, _len=_len):"]
    careful = "return _again(logger, level, message, _payload)"
    if any(field.name == "level" for field in shape.fields):
        return [*lines, f"    {careful}"]
    return [*lines, *_unpack(shape, shape.test, careful), *ENABLED.splitlines(), *_deliver(shape)]


def _unpack(shape: _Shape, test: Callable[[_Field], str], careful: str) -> list[str]:
    """Take the fields out of `_payload` and test them. An optional one given as None is left out."""
    required, optional = shape.required, shape.optional
    lines = []
    if required:
        lines += ["    try:", *(f'        {field.name} = _payload["{field.name}"]' for field in required)]
        lines += ["    except _KeyError:", f"        {careful}"]
    lines += _unless([each for field in required if (each := test(field))], careful)
    if not optional:
        return [*lines, f"    if _len(_payload) != {len(required)}:", f"        {careful}"]
    lines += [f"    if _len(_payload) == {len(required)}:"]
    lines += [f"        {' = '.join(field.name for field in optional)} = None"]
    lines += ["    else:", f"        _known = {len(shape.fields)}"]
    for field in optional:
        lines += [f'        if "{field.name}" in _payload:', f'            {field.name} = _payload["{field.name}"]']
        lines += [f"            if not {test(field)}:", f"                if {field.name} is not None:"]
        lines += [f"                    {careful}"]
        lines += [f'                del _payload["{field.name}"]', "                _known -= 1"]
        lines += ["        else:", f"            {field.name} = None", "            _known -= 1"]
    return [*lines, "        if _len(_payload) != _known:", f"            {careful}"]


def _deliver(shape: _Shape, *, own: bool = False) -> list[str]:
    """Emit a payload that passed the tests; with `own`, `_payload` holds the required fields only."""
    required = [field for field in shape.texts if field.required]
    lines = [line for field in required for line in _path_as_text(field)]
    if shape.texts:
        # All texts, which are searched for secrets at once.
        lines.append(f"_words = {' + '.join(field.name for field in required) or quote('')}")
    for field in shape.optional:
        given = [f"_payload[{quote(field.name)}] = {field.name}"] if own else []
        if field in shape.texts:
            given += [*_path_as_text(field), f"_words += {field.name}"]
        lines += _where_given(field, given)
    if shape.texts:
        lines.append("_clean = not _may_hold_secret(_words)")
    if shape.changed:
        lines.append("_fields = {**_payload}")
    for field in shape.changed:
        lines += _where_given(field, [f"_fields[{quote(field.name)}] = {quote(MASK) if field.masked else field.name}"])
    conditions = ([] if shape.required else ["_payload"]) + (["_clean"] if shape.texts else [])
    lane = LANE.format(
        given="".join(f" and {each}" for each in conditions),
        fields="_fields" if shape.changed else "_payload",
        dumps="_dumps" if shape.is_plain else "_dumps_anything",
        clean="_clean" if shape.texts else str(shape.is_plain),
    )
    return [*_indented(1, lines), *lane.splitlines()]


def _where_given(field: _Field, lines: list[str]) -> list[str]:
    return lines if field.required or not lines else [f"if {field.name} is not None:", *_indented(1, lines)]


def _path_as_text(field: _Field) -> list[str]:
    return [f"if _type({field.name}) is not _str:", f"    {field.name} = _str({field.name})"] if field.is_path else []


def _unless(tests: list[str], statement: str) -> list[str]:
    """Execute a statement unless all tests pass."""
    if not tests:
        return []
    conditions = [f"        {tests[0]}", *(f"        and {test}" for test in tests[1:])]
    return ["    if not (", *conditions, "    ):", f"        {statement}"]


def _dict(fields: list[_Field]) -> str:
    return f"{{{', '.join(f'{quote(field.name)}: {field.name}' for field in fields)}}}"


def _indented(levels: int, lines: Iterable[str]) -> list[str]:
    return [f"{levels * '    '}{line}" for line in lines]

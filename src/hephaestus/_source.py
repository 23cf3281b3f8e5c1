"""The Python source of what each event does with a payload; `hephaestus._compile` compiles it.

Names with a `_` before them are helpers, which `_compile` provides; no field begins with one. A field's value is in a
variable of the field's name. The generated code holds only what is true of nearly every payload (`type(value) is T`);
any surprise goes another way, which looks with care.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hephaestus._json_line import quote
from hephaestus._lane import LANE
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
# The same for values that are written as they are: numbers that JSON has, in the one form that all encoders agree on.
_WRITABLE: dict[object, str] = {
    int: "_type({0}) is _int and _LEAST < {0} < _MOST",
    float: (
        "_type({0}) is _float and ({0} == 0 or 1e-4 <= {0} < 1e16 or -1e16 < {0} <= -1e-4)"
        " or _type({0}) is _int and _LEAST < {0} < _MOST"
    ),
    Path: "_type({0}) is _str or _type({0}) is _PlainPath",
}
# Parts of an f-string in single quotes.
_WRITTEN: dict[object, str] = {
    bool: "{{_true if {0} else _false}}",
    int: "{{{0}}}",
    float: "{{{0}!r}}",
    str: "{{_quote({0})}}",
    Path: "{{_quote({0})}}",  # a str by then
}
# The test of a field that may hold any value.
_NO_TEST = ""
_LEVEL = "_type(level) is _int"


def source_of(event: TelemetryEvent, part: str, *, by_orjson: bool) -> str:
    """Return the source of one of an event's functions.

    Args:
        event: the definition.
        part: one of `PARTS`.
        by_orjson: let orjson write the payload, where it knows all types of the fields.
    """
    fields = [_Field(event, name) for name in event.types]
    by_orjson = by_orjson and all(field.plain or field.masked for field in fields)
    writer = _OrjsonWriter(fields) if by_orjson else _TextWriter(fields)
    lines = {"check": _check, "emit": _emit, "emit_payload": _emit_payload}[part](event.name, fields, writer)
    return "\n".join(lines) + "\n"


class _Field:
    """One field of an event."""

    def __init__(self, event: TelemetryEvent, name: str) -> None:
        self.name = name
        self.declared = declared = event.types[name]
        self.required = name in event.required_fields
        self.masked = name in event.sensitive_fields
        # Whatever is no plain scalar, and names under which anything is a secret, are left to `item`.
        self.plain = declared.kind in _WRITTEN and not declared.nullable and name.lower() not in SECRET_KEYS
        self.is_text = self.plain and not self.masked and declared.kind in (str, Path)
        self.is_path = self.is_text and declared.kind is Path
        self.key = redact_text(name)

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


class _TextWriter:
    """Writes fields by f-strings."""

    def __init__(self, fields: list[_Field]) -> None:
        self._required = _required(fields)

    def test(self, field: _Field) -> str:
        """A test that only values pass that can be written as they are."""
        return field.test({**_USUAL, **_WRITABLE} if field.plain else _USUAL)

    def begin(self) -> list[str]:
        """The statements that write the required fields."""
        return [f"_text = f'{','.join(map(self._item, self._required))}'"]

    def add(self, field: _Field) -> list[str]:
        """The statements that write an optional field."""
        return [f"_text += f',{self._item(field)}'"]

    def result(self) -> str:
        """The expression for all that was written, as bytes."""
        # Without required fields the first optional one has a comma before it.
        return "_text.encode()" if self._required else "_text[1:].encode()"

    @staticmethod
    def _item(field: _Field) -> str:
        if field.masked:
            return f'{quote(field.key)}:"{MASK}"'
        if field.plain:
            return f"{quote(field.key)}:{_WRITTEN[field.declared.kind].format(field.name)}"
        return f"{{_item({quote(field.name)}, {field.name})}}"


class _OrjsonWriter:
    """Lets orjson write the payload, or a dict like it where some fields are not written as they are."""

    def __init__(self, fields: list[_Field]) -> None:
        self._required = _required(fields)
        self._another = any(field.masked or field.is_path or field.key != field.name for field in fields)

    def test(self, field: _Field) -> str:
        """A test that only values pass that orjson writes as the standard library does."""
        # A number of over 64 bit is refused by orjson itself.
        return field.test({**_USUAL, **_WRITABLE, int: _USUAL[int]} if field.plain else _USUAL)

    def begin(self) -> list[str]:
        """The statements that write the required fields."""
        pairs = ", ".join(f"{quote(field.key)}: {self._value(field)}" for field in self._required)
        return [f"_fields = {{{pairs}}}"] if self._another else []

    def add(self, field: _Field) -> list[str]:
        """The statements that write an optional field."""
        return [f"_fields[{quote(field.key)}] = {self._value(field)}"] if self._another else []

    def result(self) -> str:
        """The expression for all that was written, as bytes."""
        return f"_dumps({'_fields' if self._another else '_payload'})[_INSIDE]"

    @staticmethod
    def _value(field: _Field) -> str:
        return f'"{MASK}"' if field.masked else field.name


_Writer = _TextWriter | _OrjsonWriter


def _check(event: str, fields: list[_Field], writer: _Writer) -> list[str]:
    return ["def check(_payload):", *_unpack(fields, _usual, [], "return _explain(_event, _payload)")]


def _emit(event: str, fields: list[_Field], writer: _Writer) -> list[str]:
    given = [field for field in fields if field.name != "level"]
    required, optional = _required(given), _optional(given)
    # With defaults for required fields, too: what is missing is told in the words of the event, not of Python.
    parameters = [f"{field.name}=_MISSING" for field in required] + [f"{field.name}=None" for field in optional]
    lines = [f"def emit(logger, /, *, level=20, message=None, {', '.join((*parameters, '**_more'))}):"]
    careful = f"return _again(logger, level, message, {_dict(given)}, _more)"
    if len(given) < len(fields):
        return [*lines, f"    {careful}"]
    tests = [_LEVEL, "not _more"]
    tests += [writer.test(field) or f"{field.name} is not _MISSING" for field in required]
    tests += [f"({field.name} is None or {writer.test(field)})" for field in optional]
    return [*lines, *_unless(tests, careful), *_deliver(event, fields, writer)]


def _emit_payload(event: str, fields: list[_Field], writer: _Writer) -> list[str]:
    lines = ["def emit_payload(logger, level, message, _payload):"]
    careful = "return _again(logger, level, message, _payload)"
    if any(field.name == "level" for field in fields):
        return [*lines, f"    {careful}"]
    return [*lines, *_unpack(fields, writer.test, [_LEVEL], careful), *_deliver(event, fields, writer)]


def _unpack(fields: list[_Field], test: Callable[[_Field], str], tests: list[str], careful: str) -> list[str]:
    """Take the fields out of `_payload` and test them and whatever else is to be tested."""
    required, optional = _required(fields), _optional(fields)
    lines = []
    if required:
        lines += ["    try:", *(f'        {field.name} = _payload["{field.name}"]' for field in required)]
        lines += ["    except _KeyError:", f"        {careful}"]
    lines += _unless([*tests, *(each for field in required if (each := test(field)))], careful)
    if not optional:
        return [*lines, f"    if _len(_payload) != {len(required)}:", f"        {careful}"]
    lines += [f"    if _len(_payload) == {len(required)}:"]
    lines += [f"        {' = '.join(field.name for field in optional)} = None"]
    lines += ["    else:", f"        _known = {len(fields)}"]
    for field in optional:
        lines += [f'        if "{field.name}" in _payload:', f'            {field.name} = _payload["{field.name}"]']
        lines += [f"            if not {test(field)}:", f"                {careful}"]
        lines += ["        else:", f"            {field.name} = None", "            _known -= 1"]
    return [*lines, "        if _len(_payload) != _known:", f"            {careful}"]


def _deliver(event: str, fields: list[_Field], writer: _Writer) -> list[str]:
    """Emit fields that passed the tests, if the level is enabled."""
    required, optional = _required(fields), _optional(fields)
    lines = ["    if not logger.isEnabledFor(level):", "        return"]
    lines += [f"    _payload = {_dict(required)}", *_indented(1, _write(fields, writer))]
    for field in optional:
        lines += [f"    if {field.name} is not None:", f'        _payload["{field.name}"] = {field.name}']
        lines += _indented(2, _write_optional(field, writer))
    json, clean = writer.result(), "True"
    if _has_text(fields):
        lines.append("    _clean = not _may_hold_secret(_words)")
        json, clean = f"{json} if _clean else None", "_clean"
    # Fields of other types are searched for secrets while they are written.
    if not all((field.plain or field.masked) and field.key == field.name for field in fields):
        clean = "False"
    return [*lines, *LANE.format(json=json, clean=clean, name=quote(event)).splitlines()]


def _unless(tests: list[str], statement: str) -> list[str]:
    """Execute a statement unless all tests pass."""
    if not tests:
        return []
    conditions = [f"        {tests[0]}", *(f"        and {test}" for test in tests[1:])]
    return ["    if not (", *conditions, "    ):", f"        {statement}"]


def _dict(fields: list[_Field]) -> str:
    pairs = ", ".join(f'"{field.name}": {field.name}' for field in fields)
    return f"{{{pairs}}}"


def _write(fields: list[_Field], writer: _Writer) -> list[str]:
    """Write the required fields, and collect all texts, which may hold secrets, in `_words`."""
    required = _required(fields)
    lines = [line for field in required if field.is_path for line in _path_as_text(field)]
    if _has_text(fields):
        lines.append(f"_words = {' + '.join(field.name for field in required if field.is_text) or quote('')}")
    return [*lines, *writer.begin()]


def _write_optional(field: _Field, writer: _Writer) -> list[str]:
    words = [f"_words += {field.name}"] if field.is_text else []
    return [*(_path_as_text(field) if field.is_path else []), *words, *writer.add(field)]


def _path_as_text(field: _Field) -> list[str]:
    return [f"if _type({field.name}) is not _str:", f"    {field.name} = _str({field.name})"]


def _required(fields: list[_Field]) -> list[_Field]:
    return [field for field in fields if field.required]


def _optional(fields: list[_Field]) -> list[_Field]:
    return [field for field in fields if not field.required]


def _usual(field: _Field) -> str:
    return field.test(_USUAL)


def _has_text(fields: list[_Field]) -> bool:
    return any(field.is_text for field in fields)


def _indented(levels: int, lines: Iterable[str]) -> list[str]:
    return [f"{levels * '    '}{line}" for line in lines]

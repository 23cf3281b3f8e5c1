"""The generated checks agree with the slow reference on every event and every payload."""

from __future__ import annotations

import inspect
import logging
import traceback
from enum import IntEnum
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus._source import PARTS, source_of
from hephaestus._validation import explain
from hephaestus.errors import EventError, FieldTypeError
from hephaestus.event import TelemetryEvent


class Text(str):
    """A subclass that is still a str."""


class Number(int):
    """A subclass that is still an int."""


class Items(list[Any]):
    """A subclass that is still a list."""


class Level(IntEnum):
    HIGH = 3


NAMES = ["alpha", "beta", "gamma", "delta"]
scalars = st.sampled_from([bool, int, float, str, Path, list, tuple, dict, Any])
kinds = st.recursive(
    scalars,
    lambda inner: st.one_of(
        inner.map(lambda kind: list[kind]),  # type: ignore[valid-type]
        inner.map(lambda kind: tuple[kind, ...]),  # type: ignore[valid-type]
        inner.map(lambda kind: dict[str, kind]),  # type: ignore[valid-type]
        inner.map(lambda kind: kind | None if kind is not Any else Any),
    ),
    max_leaves=2,
)
leaves: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from([Text("t"), Number(4), Level.HIGH, Path("p"), PurePosixPath("q"), b"bytes", object()]),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=2).map(tuple),
        st.lists(inner, max_size=2).map(Items),
        st.dictionaries(st.one_of(st.text(max_size=2), st.integers()), inner, max_size=2),
    ),
    max_leaves=4,
)


@st.composite
def events(draw: st.DrawFn) -> TelemetryEvent:
    fields = draw(st.dictionaries(st.sampled_from(NAMES), st.tuples(kinds, st.booleans()), max_size=4))
    required = {name: kind for name, (kind, needed) in fields.items() if needed}
    optional = {name: kind for name, (kind, needed) in fields.items() if not needed}
    return TelemetryEvent("demo.generated", "", required, optional)


def outcome(check: Any, payload: dict[str, Any]) -> tuple[Any, ...]:
    """What a check does to a payload of its own: the error it raises, else the fields (by identity) that it leaves."""
    own = dict(payload)
    try:
        check(own)
    except EventError as error:
        return type(error), str(error)
    return tuple((name, id(value)) for name, value in own.items())


@given(events(), st.dictionaries(st.sampled_from([*NAMES, "alpah"]), values, max_size=5))
def test_the_generated_check_agrees_with_the_reference(event: TelemetryEvent, payload: dict[str, Any]) -> None:
    assert outcome(event.check, payload) == outcome(lambda own: explain(event, own), payload)


@given(events(), st.data())
def test_a_payload_with_every_field_agrees_too(event: TelemetryEvent, data: st.DataObject) -> None:
    payload = {name: data.draw(values) for name in event.types}
    assert outcome(event.check, payload) == outcome(lambda own: explain(event, own), payload)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (str, Text("t")),
        (int, Number(1)),
        (int, Level.HIGH),
        (float, Number(1)),
        (list, Items()),
        (list[int], Items([1])),
    ],
)
def test_an_instance_of_a_subclass_passes(kind: object, value: object) -> None:
    assert TelemetryEvent("demo.sub", "", {"a": kind}).validate({"a": value}) == {"a": value}


def test_a_required_field_takes_none_only_where_its_type_says_so() -> None:
    assert TelemetryEvent("demo.none", "", {"a": int | None}).validate({"a": None}) == {"a": None}
    with pytest.raises(FieldTypeError):
        TelemetryEvent("demo.none", "", {"a": int}).check({"a": None})


def test_an_optional_none_is_dropped_whatever_its_type() -> None:
    for kind in (int, str | None, Any, list[int]):
        assert TelemetryEvent("demo.none", "", (), {"a": kind}).validate({"a": None}) == {}


def test_each_function_is_compiled_once_on_its_first_call_and_shows_its_source_in_tracebacks() -> None:
    event = TelemetryEvent("demo.once", "", {"a": int})
    logger = logging.getLogger("t")
    early = event.check
    for part, arguments, named in (
        ("check", ({"a": 1},), {}),
        ("emit", (logger,), {"a": 1}),
        ("emit_payload", (logger, logging.INFO, None, {"a": 1}), {}),
    ):
        getattr(event, part)(*arguments, **named)
        function = getattr(event, part)
        function(*arguments, **named)
        assert getattr(event, part) is function
        assert "".join(inspect.getsource(function)) == source_of(event, part)
        assert part in PARTS
    compiled = event.check
    early({"a": 1})
    assert event.check is compiled


def test_an_error_in_generated_code_names_the_generated_line() -> None:
    class Hostile:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no")

        __hash__ = None  # type: ignore[assignment]

    with pytest.raises(TypeError) as caught:
        TelemetryEvent("demo.line", "", {"a": int}).check(Hostile())  # type: ignore[arg-type]
    text = "".join(traceback.format_exception(caught.value))
    assert 'File "<check of demo.line>"' in text
    assert '_payload["a"]' in text


@pytest.mark.parametrize("name", ["type", "len", "isinstance", "payload", "KeyError", "dumps", "quote", "str", "more"])
def test_a_field_may_have_the_name_of_anything_that_the_generated_code_uses(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    event = TelemetryEvent("demo.name", "", {name: str}, {f"{name}_": Path})
    payload: dict[str, Any] = {name: "v", f"{name}_": Path("/p")}
    event.check(dict(payload))
    event.emit(logging.getLogger("t"), level=logging.ERROR, **payload)
    assert caplog.records[0].__dict__["payload"] == payload


def test_a_field_called_self_or_like_a_local_of_emit_is_fine(caplog: pytest.LogCaptureFixture) -> None:
    event = TelemetryEvent("demo.locals", "", {"self": int, "fields": str}, {"text": str, "words": str})
    event.emit(logging.getLogger("t"), level=logging.ERROR, self=1, fields="f", words="w")
    assert caplog.records[0].__dict__["payload"] == {"self": 1, "fields": "f", "words": "w"}

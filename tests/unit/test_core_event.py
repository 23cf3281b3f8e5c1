"""Definitions of events: what is accepted, what is refused, and how they compare, travel and describe themselves."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from hephaestus.errors import DefinitionError, FieldTypeError, HephaestusError, MissingFieldsError, UnexpectedFieldError
from hephaestus.event import RESERVED_FIELDS, TelemetryEvent

EVENT = TelemetryEvent("demo.thing.done", "Done.", {"path": Path, "count": int}, {"note": str, "ratio": float})


def test_fields_read_back_as_tuples_of_names_in_the_declared_order() -> None:
    assert EVENT.required_fields == ("path", "count")
    assert EVENT.optional_fields == ("note", "ratio")


def test_fields_given_as_bare_names_take_any_value() -> None:
    event = TelemetryEvent("demo.any", "", ("value",), ["other"])
    for value in (1, "x", None, object(), [1], float("nan")):
        assert event.validate({"value": value}) == {"value": value}


def test_the_constant_is_the_upper_cased_name() -> None:
    assert TelemetryEvent("my-plugin.a_b.done", "").constant == "MY_PLUGIN_A_B_DONE"


@pytest.mark.parametrize(
    "name", ["", "single", "Upper.case", "a..b", ".a.b", "a.b.", "a b.c", "1a.b", "a.b\n", "a.ü", None]
)
def test_a_malformed_name_is_refused(name: Any) -> None:
    with pytest.raises(DefinitionError, match="no event name"):
        TelemetryEvent(name, "")


@pytest.mark.parametrize("field", sorted(RESERVED_FIELDS))
def test_a_reserved_field_name_is_refused(field: str) -> None:
    with pytest.raises(DefinitionError, match=f"'{field}'.*reserved"):
        TelemetryEvent("demo.reserved", "", (field,))


@pytest.mark.parametrize("field", ["no-dash", "", "1st", "class", 3])
def test_a_field_name_that_no_caller_could_write_is_refused(field: Any) -> None:
    with pytest.raises(DefinitionError, match="no identifier"):
        TelemetryEvent("demo.field", "", (field,))


def test_a_lone_string_of_fields_is_refused_as_a_forgotten_comma() -> None:
    with pytest.raises(DefinitionError, match="not the string 'asset'"):
        TelemetryEvent("demo.comma", "", ("asset"))


def test_a_field_declared_twice_is_refused() -> None:
    with pytest.raises(DefinitionError, match="twice"):
        TelemetryEvent("demo.twice", "", ("a", "a"))
    with pytest.raises(DefinitionError, match="both required and optional"):
        TelemetryEvent("demo.twice", "", ("a",), ("a",))


def test_a_sensitive_field_that_is_not_declared_is_refused() -> None:
    with pytest.raises(DefinitionError, match="sensitive"):
        TelemetryEvent("demo.secret", "", ("a",), sensitive_fields=("b",))


@pytest.mark.parametrize(
    "kind", [set, list[set[int]], "str", 3, [int], {"a": 1}, tuple[int, str], dict[int, str], int | str, None]
)
def test_an_unknown_type_is_refused_with_the_list_of_types(kind: object) -> None:
    with pytest.raises(DefinitionError, match="no type for a field") as caught:
        TelemetryEvent("demo.kind", "", {"a": kind})
    assert caught.value.hint is not None
    assert "list[T]" in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "spelling"),
    [
        (bool, "bool"),
        (Path, "Path"),
        (list, "list"),
        (list[Path], "list[Path]"),
        (tuple[str, ...], "tuple[str]"),
        (tuple[str], "tuple[str]"),
        (dict[str, list[int]], "dict[str, list[int]]"),
        (str | None, "str | None"),
        (list[int | None], "list[int | None]"),
        (Any, "Any"),
    ],
)
def test_a_type_is_spelled_as_people_write_it(kind: object, spelling: str) -> None:
    assert TelemetryEvent("demo.kind", "", {"a": kind}).types["a"].spelling == spelling


def test_missing_fields_are_named_sorted_in_the_words_of_the_contract() -> None:
    with pytest.raises(MissingFieldsError) as caught:
        EVENT.check({})
    assert str(caught.value) == "Event 'demo.thing.done' missing required fields: count, path"


def test_an_unexpected_field_is_named_with_the_nearest_declared_one() -> None:
    with pytest.raises(UnexpectedFieldError, match=r"unexpected field 'coutn'.*did you mean 'count'"):
        EVENT.check({"path": "p", "count": 1, "coutn": 2})


def test_an_unexpected_field_far_from_all_others_gets_the_list_of_fields() -> None:
    with pytest.raises(UnexpectedFieldError, match="declares path, count, note, ratio"):
        EVENT.check({"path": "p", "count": 1, "zzzzzz": 2})
    with pytest.raises(UnexpectedFieldError, match="no fields"):
        TelemetryEvent("demo.empty", "").check({"zzzzzz": 2})


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"path": 3, "count": 1}, "'path' must be Path, got int"),
        ({"path": "p", "count": True}, "'count' must be int, got bool"),
        ({"path": "p", "count": 1.0}, "'count' must be int, got float"),
        ({"path": "p", "count": None}, "'count' must be int, got NoneType"),
        ({"path": "p", "count": 1, "ratio": True}, "'ratio' must be float, got bool"),
        ({"path": b"p", "count": 1}, "'path' must be Path, got bytes"),
    ],
)
def test_a_value_of_another_type_is_refused_naming_field_expected_and_actual_type(
    payload: dict[str, Any], words: str
) -> None:
    with pytest.raises(FieldTypeError) as caught:
        EVENT.check(payload)
    assert words in str(caught.value)


def test_a_wrong_item_is_named_by_its_index() -> None:
    event = TelemetryEvent("demo.items", "", {"names": list[str]})
    with pytest.raises(FieldTypeError, match=r"must be list\[str\], got int at index 1"):
        event.check({"names": ["a", 2]})


def test_all_refusals_are_value_errors_and_hephaestus_errors() -> None:
    for payload in ({}, {"path": "p", "count": 1, "more": 1}, {"path": 1, "count": 1}):
        with pytest.raises(ValueError) as caught:
            EVENT.check(dict(payload))
        assert isinstance(caught.value, HephaestusError)


def test_an_int_is_a_fine_float_and_a_path_takes_text_and_paths() -> None:
    assert EVENT.validate({"path": "p", "count": 1, "ratio": 3})["ratio"] == 3
    assert EVENT.validate({"path": Path("p"), "count": 1})["path"] == Path("p")


def test_an_optional_field_given_as_none_is_left_out() -> None:
    assert EVENT.validate({"path": "p", "count": 1, "note": None}) == {"path": "p", "count": 1}


def test_validate_leaves_the_callers_payload_alone() -> None:
    payload = {"path": "p", "count": 1, "note": None}
    EVENT.validate(payload)
    assert "note" in payload


def test_definitions_are_equal_by_what_they_define() -> None:
    def define(**changes: Any) -> TelemetryEvent:
        return TelemetryEvent(**{"name": "demo.eq", "description": "d", "required_fields": {"a": int}, **changes})

    assert define() == define()
    assert hash(define()) == hash(define())
    for change in (
        {"name": "demo.ne"},
        {"description": "e"},
        {"required_fields": ("a",)},
        {"sensitive_fields": ("a",)},
    ):
        assert define() != define(**change)


def test_a_definition_survives_pickle_and_copy() -> None:
    EVENT.validate({"path": "p", "count": 1})
    for twin in (pickle.loads(pickle.dumps(EVENT)), copy.deepcopy(EVENT), copy.copy(EVENT)):
        assert twin == EVENT
        assert twin.validate({"path": "p", "count": 1}) == {"path": "p", "count": 1}


def test_a_definition_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        EVENT.name = "other.name"
    with pytest.raises(AttributeError, match="immutable"):
        del EVENT.name
    with pytest.raises(TypeError):
        EVENT.types["x"] = EVENT.types["count"]  # type: ignore[index]


def test_the_json_schema_describes_the_fields_as_they_are_written() -> None:
    event = TelemetryEvent(
        "demo.schema", "D.", {"paths": list[Path], "by": dict[str, int]}, {"r": float, "s": str | None}
    )
    schema = event.json_schema()
    assert schema["title"] == "demo.schema"
    assert schema["required"] == ["paths", "by"]
    assert schema["properties"] == {
        "paths": {"type": "array", "items": {"type": "string"}},
        "by": {"type": "object", "additionalProperties": {"type": "integer"}},
        "r": {"type": ["number", "null"]},
        "s": {"type": ["null", "string"]},
    }

"""Any Python value becomes one that JSON has, and json reads it back."""

from __future__ import annotations

import datetime
import enum
import json
import math
import os
import uuid
from collections import OrderedDict, UserDict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus._jsonable import jsonable, printable


class Raising:
    """It has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class RaisingItems(dict[str, int]):
    def items(self) -> Any:
        raise RuntimeError("no items")


class RaisingList(list[int]):
    def __iter__(self) -> Any:
        raise RuntimeError("no items")


class NoFilePath:
    def __fspath__(self) -> str:
        raise RuntimeError("no path")


class Colour(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


class Zone(datetime.tzinfo):
    def utcoffset(self, moment: Any) -> Any:
        raise RuntimeError("no offset")

    dst = tzname = utcoffset


class Flag(enum.IntFlag):
    A = 1


any_text = st.text(st.characters(categories=("Cs", "Cc", "L", "N", "P", "Zl", "Zp")))
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**4400, max_value=10**4500),
    st.floats(),
    st.complex_numbers(),
    st.decimals(),
    st.fractions(),
    st.binary(),
    st.binary().map(bytearray),
    st.binary().map(lambda data: memoryview(data)),
    any_text,
    any_text.map(Path),
    st.datetimes(timezones=st.timezones()),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from(
        [Raising(), RaisingItems(a=1), RaisingList([1]), NoFilePath(), Colour.RED, Colour.PAIR, Flag.A, int]
    ),
)
hashable = st.one_of(any_text, st.integers(), st.none(), st.booleans(), st.floats(), st.tuples(st.integers(), any_text))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(hashable, inner),
        st.dictionaries(hashable, inner).map(MappingProxyType),
        st.dictionaries(hashable, inner).map(UserDict),
        st.frozensets(hashable),
    ),
    max_leaves=10,
)


@given(values)
def test_every_value_is_read_back_by_json_as_it_was_written(value: Any) -> None:
    plain = jsonable(value)
    line = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    line.encode("utf-8")
    assert json.loads(line) == plain


json_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.floats(allow_nan=False, allow_infinity=False)
)


@given(st.recursive(json_leaves, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner))))
def test_what_json_has_already_is_left_as_it_is(value: Any) -> None:
    assert jsonable(value) == value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
        (2**64 + 1, 2**64 + 1),
        (Path("/a/b"), "/a/b"),
        (Colour.RED, "red"),
        (Colour.PAIR, [1, 2]),
        (Flag.A, 1),
        ({3, 1, 2}, [1, 2, 3]),
        ((1, (2,)), [1, [2]]),
        (b"a\xff", "a\\xff"),
        (datetime.datetime(2025, 1, 11, 12, 34, 56, tzinfo=datetime.UTC), "2025-01-11T12:34:56+00:00"),
        (datetime.date(2025, 1, 11), "2025-01-11"),
        (Decimal("1.50"), "1.50"),
        (Fraction(1, 3), "1/3"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({1: "a", None: "b"}, {"1": "a", "null": "b"}),
        ({False: 0, (1, 2): 3}, {"false": 0, "[1, 2]": 3}),
        (OrderedDict(a=1), {"a": 1}),
        (RuntimeError("boom"), "boom"),
    ],
)
def test_values_become_what_a_reader_expects(value: Any, plain: Any) -> None:
    assert jsonable(value) == plain


def test_an_undecodable_file_name_keeps_its_bytes_readable() -> None:
    name = os.fsdecode(b"caf\xe9")
    assert jsonable(name) == "caf\\udce9" == jsonable(Path(name)) == printable(name)


def test_a_directory_entry_is_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with os.scandir(tmp_path) as entries:
        assert [jsonable(entry) for entry in entries] == [str(tmp_path / "file")]


def test_an_int_too_long_for_decimal_is_written_in_hexadecimal() -> None:
    number = 7 * 10**5000
    assert int(jsonable(number), 16) == number
    assert int(jsonable(-number), 16) == -number


def test_a_container_inside_itself_is_cut() -> None:
    knot: dict[str, Any] = {"a": 1}
    knot["self"] = [knot]
    assert jsonable(knot) == {"a": 1, "self": ["..."]}


def test_one_container_seen_twice_is_written_twice() -> None:
    shared = [1]
    assert jsonable([shared, shared]) == [[1], [1]]


def test_very_deep_nesting_is_cut() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert json.dumps(jsonable(deep)).count("[") == 64


@pytest.mark.parametrize("value", [Raising(), NoFilePath(), datetime.time(1, tzinfo=Zone())])
def test_an_object_whose_methods_raise_is_named_by_its_type_or_text(value: object) -> None:
    plain = jsonable(value)
    assert isinstance(plain, str)
    assert plain


def test_an_object_that_hides_even_its_class_is_named_by_its_type() -> None:
    class Hidden:
        __str__ = Raising.__str__

        @property  # type: ignore[misc]
        def __class__(self) -> Any:
            raise RuntimeError("no class")

    assert jsonable([Hidden()]) == ["<unprintable Hidden>"]


def test_ctrl_c_while_a_value_is_written_passes() -> None:
    class Interrupting:
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jsonable(Interrupting())

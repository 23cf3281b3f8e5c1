"""Secrets never survive redaction; what holds none is left exactly as it was."""

from __future__ import annotations

import enum
import json
import string
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hephaestus._jsonable import jsonable
from hephaestus._redact import MASK, SECRET_KEYS, redact, redact_text

ALNUM = string.ascii_letters + string.digits
# What RFC 3986 lets userinfo hold, and what people paste there all the same.
passwords = st.text(ALNUM + "-._~%!$&'()*+,;=:@", min_size=6, max_size=30).filter(lambda text: text[-1] not in "@:")
tokens = st.text(ALNUM, min_size=16, max_size=40)
surroundings = st.text(max_size=12).filter(lambda text: "@" not in text)
templates = st.sampled_from(
    [
        "https://user:{password}@host/x",
        "git+ssh://{password}@host/x",
        "_1éhttps://user:{password}@host",
        "'https://user:{password}@host/x'",
        "https:/user:{password}@host/x",
        "Authorization: Bearer {token}",
        "Authorization: Basic {token}",
        "proxy-authorization={token}",
        "HTTP_AUTHORIZATION=Basic {token}",
        "{{'Authorization': 'token {token}'}}",
        '{{\\"Authorization\\": \\"Basic {token}\\"}}',
        "(b'Authorization', b'Basic {token}')",
        'Authorization: Digest username="u", response="{token}"',
        'Authorization: Token token="{token}"',
        "curl -H 'authorization:Bearer {token}' x",
        "ghp_{token}",
        "TOKEN_ghs_{token}",
        "github_pat_{token}",
        "glpat-{token}",
        "pypi-{token}",
        "sent bearer {token} to",
        "/download?a=b&access_token={token}",
        "/download?X-Amz-Signature={token}&b=c",
        "/x?sig={token}#top",
    ]
)


class Pair(NamedTuple):
    """A tuple with names."""

    first: Any
    second: Any


class Place(enum.Enum):
    REMOTE = "https://user:hunter2hunter2@host"


class Entry:
    """A path-like whose `str` is no path."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return self.path


def shapes(text: str) -> list[Any]:
    """Values of many shapes that hold the text."""
    return [
        text,
        [text],
        ("a", [text]),
        {"deep": {"deeper": [{"x": text}]}},
        {text: 1},
        {text},
        frozenset({text}),
        Pair(1, text),
        Path("/p") / text.replace("//", "/"),
        text.encode("utf-8", "replace"),
        bytearray(text.encode("utf-8", "replace")),
        RuntimeError(text),
        Entry(text),
    ]


def written(value: Any) -> str:
    return json.dumps(jsonable(value), ensure_ascii=False)


@given(templates, passwords, tokens, surroundings, surroundings)
def test_a_planted_secret_never_survives(template: str, password: str, token: str, before: str, after: str) -> None:
    secret = password if "{password}" in template else token
    text = f"{before} {template.format(password=password, token=token)} {after}"
    assume(text.count(secret) == 1)
    for value in shapes(text):
        assert secret not in written(redact(value)), value


plain = st.text(string.ascii_letters + " /.-'\n\tü", max_size=30).filter(
    lambda text: not any(word in text.lower() for word in ("authorization", "bearer", "pypi-", "glpat-"))
)
keys = plain.filter(lambda text: text.lower() not in SECRET_KEYS)


@given(st.recursive(st.one_of(plain, st.integers(), st.none(), st.floats()), lambda inner: st.one_of(
    st.lists(inner), st.dictionaries(keys, inner), st.tuples(inner, inner)), max_leaves=8))  # fmt: skip
def test_what_holds_no_secret_is_the_very_same_object(value: Any) -> None:
    assert redact(value) is value


@pytest.mark.parametrize(
    "text",
    [
        "plain words",
        "https://host/path?page=2&sort=asc",
        "user@example.invalid",
        "git@host:owner/repo.git",
        "/home/me/a@b/c",
        "weight_abcdefghijklmnopqrst",
        "C:/folder/file",
    ],
)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert redact_text(text) is text


def test_the_rest_of_a_url_stays_readable() -> None:
    assert (
        redact_text("GET https://u:p@host/a?token=abc&b=c failed")
        == f"GET https://{MASK}@host/a?token={MASK}&b=c failed"
    )


@pytest.mark.parametrize("key", ["Authorization", "cookie", "PASSWORD", "token", "x-api-key", b"authorization"])
def test_a_header_is_masked_by_its_name_in_a_mapping_and_as_a_pair(key: Any) -> None:
    assert redact({key: "abc", "accept": "x"}) == {key: MASK, "accept": "x"}
    assert redact([(key, "abc"), ("accept", "x")]) == [(key, MASK), ("accept", "x")]
    assert "abc" not in written(redact({key: ["abc"]}))


def test_the_callers_containers_are_not_changed() -> None:
    value = {"a": ["https://u:pw@h"]}
    assert redact(value) == {"a": [f"https://{MASK}@h"]}
    assert value == {"a": ["https://u:pw@h"]}


def test_an_enums_value_is_masked() -> None:
    assert "hunter2" not in written(redact(Place.REMOTE))


def test_a_secret_at_any_depth_is_masked() -> None:
    for depth in (10, 40, 70, 300):
        value: Any = "https://u:hunter2hunter2@h"
        for _ in range(depth):
            value = [value]
        assert "hunter2" not in written(redact(value))


def test_a_container_inside_itself_ends() -> None:
    knot: list[Any] = ["https://u:hunter2hunter2@h"]
    knot += [knot, knot, {"again": knot}]
    assert "hunter2" not in written(redact(knot))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("?token" * 20_000, "?token" * 20_000),
        ("?" + "token" * 20_000, "?" + "token" * 20_000),
        ("&sig" * 30_000, "&sig" * 30_000),
        ("a." * 50_000 + ":/x@", "a." * 50_000 + f":/{MASK}@"),
        ("authorization" * 8_000, "authorization" * 8_000),
    ],
)
def test_a_long_hostile_text_does_not_stop_the_process(text: str, clean: str) -> None:
    # A pattern that tries every pair of places would need minutes or hours here, not milliseconds.
    assert redact_text(text) == clean


class _Hostile(dict[str, str]):
    def items(self) -> Any:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError


def test_a_value_whose_methods_raise_is_passed_on() -> None:
    value = _Hostile(a="b")
    assert redact({"value": value})["value"] is value

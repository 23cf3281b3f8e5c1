"""Validating an event's five fields, beside libraries that validate."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from benchmarks._calls import Call, Processes
from benchmarks._event import FIELDS
from benchmarks._measure import Comparison, compare

QUICK = ("--rounds", "2")

_MSGSPEC = "msgspec.convert"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The benchmark's options."""
    parser.add_argument("--rounds", type=int, default=31)


def measure(options: argparse.Namespace) -> Iterator[Comparison]:
    """Measure one payload that fits."""
    contenders = {
        "EVENT.check": "ours",
        _MSGSPEC: "by_msgspec",
        "cattrs": "by_cattrs",
        "pydantic": "by_pydantic",
        "jsonschema": "by_jsonschema",
    }
    with Processes() as processes:
        yield compare(
            "validating five fields",
            [processes.call(name, f"benchmarks.validation:{target}") for name, target in contenders.items()],
            rounds=options.rounds,
            bases=[_MSGSPEC],
        )


def _types() -> dict[str, type]:
    return {name: type(value) for name, value in FIELDS.items()}


def ours() -> Call:
    """The check that is generated for the event."""
    from hephaestus_release.events import RELEASE_HTTP_RETRY

    return Call("EVENT.check(payload)", {"EVENT": RELEASE_HTTP_RETRY, "payload": dict(FIELDS)})


def by_msgspec() -> Call:
    """A struct of msgspec."""
    import msgspec

    kind = msgspec.defstruct("Payload", list(_types().items()))
    return Call("convert(payload, kind)", {"convert": msgspec.convert, "kind": kind, "payload": dict(FIELDS)})


def by_cattrs() -> Call:
    """A class of attrs, structured by cattrs."""
    import attrs
    import cattrs

    kind: Any = attrs.make_class("Payload", {name: attrs.field(type=each) for name, each in _types().items()})
    converter = cattrs.Converter()
    converter.structure(dict(FIELDS), kind)
    return Call("structure(payload, kind)", {"structure": converter.structure, "kind": kind, "payload": dict(FIELDS)})


def by_pydantic() -> Call:
    """A model of pydantic, strict."""
    from pydantic import ConfigDict, create_model

    fields: Any = {name: (each, ...) for name, each in _types().items()}
    model = create_model("Payload", __config__=ConfigDict(strict=True, extra="forbid"), **fields)
    return Call("validate(payload)", {"validate": model.model_validate, "payload": dict(FIELDS)})


def by_jsonschema() -> Call:
    """The event's JSON Schema."""
    from jsonschema import Draft202012Validator

    from hephaestus_release.events import RELEASE_HTTP_RETRY

    validator = Draft202012Validator(RELEASE_HTTP_RETRY.json_schema())
    return Call("validate(payload)", {"validate": validator.validate, "payload": dict(FIELDS)})

"""Entering and leaving a context of four fields, beside structlog's and eliot's."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from benchmarks._calls import Call, Processes
from benchmarks._event import CONTEXT
from benchmarks._measure import Comparison, Target, compare

QUICK = ("--rounds", "2")

_STRUCTLOG = "structlog's bound_contextvars"
_FIELDS = ", ".join(f"{name}={value!r}" for name, value in CONTEXT.items() if name != "operation")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The benchmark's options."""
    parser.add_argument("--rounds", type=int, default=31)


def measure(options: argparse.Namespace) -> Iterator[Comparison]:
    """Measure an empty block."""
    with Processes() as processes:
        yield compare(
            "entering and leaving a context of four fields",
            [
                processes.call("operation_context", "benchmarks.context:ours"),
                processes.call("operation_context, with a new id", "benchmarks.context:ours_with_a_new_id"),
                processes.call(_STRUCTLOG, "benchmarks.context:by_structlog"),
                processes.call("eliot's start_action", "benchmarks.context:by_eliot"),
            ],
            rounds=options.rounds,
            bases=[_STRUCTLOG],
            targets=[Target("operation_context", _STRUCTLOG, 0.27)],
        )


def ours(fields: str = _FIELDS) -> Call:
    """`operation_context` under an id of the caller's."""
    from hephaestus.telemetry import operation_context

    return Call(f"with operation_context('release.download', {fields}): pass", {"operation_context": operation_context})


def ours_with_a_new_id() -> Call:
    """The same under an id that is drawn."""
    return ours(_FIELDS.replace("operation_id=", "asset="))


def by_structlog() -> Call:
    """The same fields by structlog, which draws no id."""
    from structlog.contextvars import bound_contextvars

    names = {"bound_contextvars": bound_contextvars}
    return Call(f"with bound_contextvars(operation='release.download', {_FIELDS}): pass", names)


def by_eliot() -> Call:
    """eliot's actions, whose start and end are messages."""
    import eliot

    eliot.add_destinations(lambda message: None)
    names = {"start_action": eliot.start_action}
    return Call(f"with start_action(action_type='release.download', {_FIELDS}): pass", names)

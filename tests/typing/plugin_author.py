"""A plugin as its author writes it; nothing runs it, mypy reads it with the rest of the tests."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import assert_type

from hephaestus import telemetry
from hephaestus.emit import Emitted
from hephaestus.event import TelemetryEvent
from hephaestus.plugins import Answer, Command, ConfigTable, current_host, hookspecs, implements

GREETED = TelemetryEvent("my-plugin.greeted", "Somebody was greeted.", {"name": str}, {"card": Path})


@implements(hookspecs.hephaestus_events)
def events() -> Iterable[TelemetryEvent]:
    return [GREETED]


@implements(hookspecs.hephaestus_commands, trylast=True)
def commands() -> list[Command]:
    return [Command("greet", "my_plugin.cli:greet", "Greets.")]


@implements(hookspecs.hephaestus_config_tables)
def config_tables() -> tuple[ConfigTable, ...]:
    return (ConfigTable("greet", "my_plugin._config:GreetConfig"),)


@implements(hookspecs.hephaestus_on_event)
def hear(emitted: Emitted) -> None:
    assert_type(emitted.event, TelemetryEvent)
    assert_type(emitted.level, int)


def greet(name: str) -> None:
    """Emit from inside an operation, in a thread's context too."""
    logger = logging.getLogger("my_plugin")
    with telemetry.operation_context("greet", name=name) as context:
        assert_type(context.run_id, str | None)
        telemetry.emit_event(logger, GREETED, level="warning", name=name)
    assert_type(telemetry.bind_context(str.upper)("a"), str)
    assert_type(telemetry.child_environment(), dict[str, str])
    assert_type(telemetry.registry.get("my-plugin.greeted"), TelemetryEvent)
    assert_type(telemetry.CLEANUP_PATH_REMOVED, TelemetryEvent)
    assert_type(current_host().call("hephaestus_events"), list[Answer])

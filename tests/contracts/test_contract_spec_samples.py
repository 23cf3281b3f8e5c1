"""The contract's Python samples run as they are written; the samples here are its text."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hephaestus import telemetry
from hephaestus.emit import Emitted, add_listener
from hephaestus.event import TelemetryEvent

EMITTING = """
from hephaestus import telemetry
import logging

logger = logging.getLogger(__name__)

telemetry.emit_event(
    logger,
    telemetry.CLEANUP_PATH_REMOVED,
    message="Removed Python cache",
    path="/project/__pycache__",
    dry_run=False,
)
"""

MISSING = """
# This will raise ValueError if required fields are missing
telemetry.emit_event(
    logger,
    telemetry.RELEASE_ASSET_SELECTED,
    # Missing required field "size" - will raise ValueError
    asset="wheelhouse.tar.gz",
)
"""

OPERATION = """
from hephaestus import telemetry

operation_id = telemetry.generate_operation_id()

with telemetry.operation_context(
    "release.download",
    operation_id=operation_id,
    repository="owner/repo",
    tag="v1.0.0",
):
    # All events emitted here will include operation metadata
    telemetry.emit_event(logger, telemetry.RELEASE_DOWNLOAD_START, ...)
    # ... download logic ...
    telemetry.emit_event(logger, telemetry.RELEASE_DOWNLOAD_COMPLETE, ...)
"""

CUSTOM = """
from hephaestus.telemetry import TelemetryEvent, registry

MY_CUSTOM_EVENT = registry.register(
    TelemetryEvent(
        name="my.custom.event",
        description="Description of what this event represents",
        required_fields=("field1", "field2"),
        optional_fields=("field3",),
    )
)
"""

QUERYING = """
from hephaestus import telemetry

# Get a specific event
event = telemetry.registry.get("cli.cleanup.start")

# List all registered events
for event in telemetry.registry.all_events():
    print(f"{event.name}: {event.description}")
"""

DEFINED_EVENTS = """
# ❌ Bad: Arbitrary log message
logger.info("Cleaning up build artifacts")

# ✅ Good: Structured telemetry event
telemetry.emit_event(
    logger,
    telemetry.CLEANUP_PATH_REMOVED,
    message="Cleaning up build artifacts",
    path=build_dir,
    dry_run=False,
)
"""

BLOCKS = """
# ✅ Good: All events correlated with operation ID
with telemetry.operation_context("cli.guard-rails", operation_id=op_id):
    emit_event(logger, telemetry.CLI_GUARD_RAILS_START, ...)
    # ... pipeline steps ...
    emit_event(logger, telemetry.CLI_GUARD_RAILS_COMPLETE, ...)
"""

OPTIONAL = """
# ✅ Good: All required fields present
telemetry.emit_event(
    logger,
    telemetry.RELEASE_NETWORK_RETRY,
    url="https://api.github.com/repos/...",
    attempt=2,
    max_retries=3,
    # Optional fields can be omitted or included
    reason="Connection timeout",
    backoff_seconds=1.0,
)
"""

MEANINGFUL = """
telemetry.emit_event(
    logger,
    telemetry.CLEANUP_PATH_ERROR,
    message=f"Failed to remove {path}: Permission denied",  # ✅ Good
    path=path,
    reason="Permission denied",
)
"""


def unexpected(error: BaseException) -> None:
    """Passes on what a listener of the test raised."""
    raise error


@pytest.fixture
def heard() -> Iterator[list[Emitted]]:
    """Every event that a sample emits."""
    events: list[Emitted] = []
    remove = add_listener(events.append, unexpected)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.INFO)
    yield events
    logging.getLogger().setLevel(level)
    remove()


def run(sample: str, **names: Any) -> dict[str, Any]:
    """Execute a sample with the names that the page has introduced before it."""
    given = {
        "__name__": "contract_sample",
        "telemetry": telemetry,
        "emit_event": telemetry.emit_event,
        "logger": logging.getLogger("hephaestus.sample"),
    }
    namespace = {**given, **names}
    exec(compile(sample, "<sample>", "exec"), namespace)  # noqa: S102
    return namespace


def elided(sample: str, *fields: str) -> str:
    """The sample with each elision `...` of an emission's arguments spelled out, in order; nothing else changes."""
    remaining = iter(fields)
    spelled = re.sub(r"(?<=, )\.\.\.(?=\))", lambda _: next(remaining), sample)
    assert list(remaining) == []
    return spelled


def test_emitting_an_event(heard: list[Emitted]) -> None:
    run(EMITTING)
    (event,) = heard
    assert (event.event.name, event.message, event.logger) == (
        "cleanup.path.removed",
        "Removed Python cache",
        "contract_sample",
    )
    assert event.payload == {"path": "/project/__pycache__", "dry_run": False}
    assert event.level == logging.INFO


def test_a_missing_field_is_a_value_error_in_the_contracts_words(heard: list[Emitted]) -> None:
    with pytest.raises(ValueError) as caught:
        run(MISSING)
    assert str(caught.value) == "Event 'release.asset.selected' missing required fields: size"
    assert heard == []


def test_an_operation_correlates_its_events(heard: list[Emitted]) -> None:
    fields = "asset='wheelhouse.tar.gz', destination='/cache/wheelhouse.tar.gz'"
    names = run(elided(OPERATION, fields, fields))
    assert [each.event.name for each in heard] == ["release.download.start", "release.download.complete"]
    for each in heard:
        assert each.payload["operation"] == "release.download"
        assert each.payload["operation_id"] == names["operation_id"]
        assert (each.payload["repository"], each.payload["tag"]) == ("owner/repo", "v1.0.0")


def test_a_custom_event_is_registered_and_can_be_emitted(heard: list[Emitted], monkeypatch: pytest.MonkeyPatch) -> None:
    # The sample registers for the whole process; what it adds goes away with the test.
    monkeypatch.setattr(telemetry.registry, "_registered", dict(telemetry.registry._registered))
    event = run(CUSTOM)["MY_CUSTOM_EVENT"]
    assert isinstance(event, TelemetryEvent)
    assert event.required_fields == ("field1", "field2")
    assert event.optional_fields == ("field3",)
    assert telemetry.registry.get("my.custom.event") is event
    telemetry.emit_event(logging.getLogger("hephaestus.sample"), event, field1=1, field2="any", field3=[None])
    assert heard[0].payload == {"field1": 1, "field2": "any", "field3": [None]}
    with pytest.raises(ValueError, match=r"Event 'my.custom.event' missing required fields: field1, field2"):
        telemetry.emit_event(logging.getLogger("hephaestus.sample"), event)


def test_querying_the_registry(capsys: pytest.CaptureFixture[str]) -> None:
    run(QUERYING)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [each.name for each in telemetry.registry.all_events()]
    assert "cli.cleanup.start" in [line.partition(":")[0] for line in lines]
    assert telemetry.registry.get("cli.cleanup.start").name == "cli.cleanup.start"


def test_defined_events_in_place_of_log_messages(heard: list[Emitted]) -> None:
    run(DEFINED_EVENTS, build_dir=Path("build"))
    assert [(each.event.name, each.payload["path"]) for each in heard] == [("cleanup.path.removed", Path("build"))]


def test_context_in_operation_blocks(heard: list[Emitted]) -> None:
    run(elided(BLOCKS, "skip_format=False", "skip_format=False"), op_id="op-77")
    assert [each.event.name for each in heard] == ["cli.guard-rails.start", "cli.guard-rails.complete"]
    assert [each.payload["operation_id"] for each in heard] == ["op-77"] * 2


def test_required_and_optional_fields(heard: list[Emitted]) -> None:
    run(OPTIONAL)
    assert heard[0].payload == {
        "url": "https://api.github.com/repos/...",
        "attempt": 2,
        "max_retries": 3,
        "reason": "Connection timeout",
        "backoff_seconds": 1.0,
    }


def test_meaningful_messages(heard: list[Emitted]) -> None:
    run(MEANINGFUL, path=Path("/locked"))
    assert heard[0].message == "Failed to remove /locked: Permission denied"

"""The contract of the events: names, fields and types are what readers of the log rely on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# This copy is the contract itself; it changes only when readers of the log are asked.
CONTRACT: dict[str, dict[str, dict[str, str]]] = json.loads(
    Path(__file__).with_name("spec_events.json").read_text(encoding="utf-8")
)

OWNERS = {
    "cleanup": ("cli.cleanup.", "cleanup."),
    "guard-rails": ("cli.guard-rails.",),
    "release": ("cli.release.", "release."),
}
REPOSITORY = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path.name.removeprefix("hephaestus-") for path in (REPOSITORY / "plugins").iterdir())


@pytest.fixture(scope="module")
def listed() -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "hephaestus", "events", "list", "--format", "json"]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return {entry["name"]: entry for entry in json.loads(output)}


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugins_events_equal_the_contract_field_by_field(plugin: str, listed: dict[str, dict[str, Any]]) -> None:
    mine = {name: fields for name, fields in CONTRACT.items() if name.startswith(OWNERS[plugin])}
    assert mine
    assert {name: {key: listed[name][key] for key in ("required", "optional")} for name in mine} == mine
    assert {listed[name]["plugin"] for name in mine} == {plugin}
    assert all(listed[name]["description"] for name in mine)


def test_the_contract_has_37_events() -> None:
    assert len(CONTRACT) == 37

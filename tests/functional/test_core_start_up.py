"""What a start costs, told by what it imports and calls: a guard against slow starts that reads no clock.

`make bench ARGS="start_up"` measures; docs/how-to/measuring.md says how to read it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

from hephaestus.cli._listing import table
from hephaestus.event import TelemetryEvent
from hephaestus.plugins import Command, PluginHost, PluginSource, discover, hookspecs, implements

# A bare click program that shows its help, then whatever else it is told to import.
HELLO = """
import click, sys

@click.command()
def hello():
    click.echo("hello")

try:
    hello(["--help"], standalone_mode=False)
finally:
    for name in sys.argv[1:]:
        __import__(name)
    print(*sys.modules, file=sys.stderr)
"""
OURS = """
import sys
from hephaestus.cli import run
run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""


@pytest.fixture
def imported(tmp_path: Path, unmeasured_environment: dict[str, str]) -> Callable[..., set[str]]:
    """Run a program in a workspace without configuration; returns the names of the modules that it holds at its end."""

    def run(program: str, *arguments: str) -> set[str]:
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=tmp_path, env=unmeasured_environment, timeout=60
        )
        return set(done.stderr.splitlines()[-1].split())

    return run


@pytest.mark.parametrize(
    ("option", "libraries", "own"),
    [
        ("--version", [], 9),
        ("--help", ["pluggy"], 30),
        # Events speak of paths.
        ("--list-events", ["pluggy", "pathlib"], 40),
    ],
)
def test_a_listing_imports_little_more_than_a_bare_click_program(
    option: str, libraries: list[str], own: int, imported: Callable[..., set[str]]
) -> None:
    more = imported(OURS, option) - imported(HELLO, *libraries)
    built_in = sys.builtin_module_names  # part of the interpreter, so read from no file
    foreign = sorted(name for name in more if not name.startswith("hephaestus") and name not in built_in)
    assert foreign == []
    # Those of the core and at most five of each first-party plugin; each costs as much as ten events.
    assert len(more) <= own, sorted(more)


@pytest.mark.parametrize("command", [("cleanup", "--dry-run"), ("guard-rails", "--plan"), ("events", "list")])
def test_a_command_without_configuration_imports_nothing_that_structures_one(
    command: tuple[str, ...], imported: Callable[..., set[str]]
) -> None:
    heavy = {"asyncio", "cattrs", "hephaestus._structure", "httpx", "importlib.metadata", "rich", "sigstore"}
    assert imported(OURS, *command) & heavy == set()


def test_settings_of_the_core_that_are_plain_are_read_without_a_library(
    imported: Callable[..., set[str]], tmp_path: Path, unmeasured_environment: dict[str, str]
) -> None:
    (tmp_path / "hephaestus.toml").write_text('log-level = "info"\ndisabled-plugins = ["release"]\n')
    unmeasured_environment |= {"HEPHAESTUS_LOG_FORMAT": "json", "HEPHAESTUS_LOG_FILE": "log"}
    assert imported(OURS, "events", "list") & {"attr", "attrs", "cattrs", "hephaestus._structure"} == set()


def test_a_plugin_that_defines_events_by_the_public_face_imports_nothing_that_emits_them(
    imported: Callable[..., set[str]],
) -> None:
    defining = "import sys; from hephaestus.telemetry import TelemetryEvent; print(*sys.modules, file=sys.stderr)"
    assert imported(defining) & {"logging", "hephaestus.context", "hephaestus.emit", "hephaestus._redact"} == set()


COLLECTING = """
import atexit, gc, sys
from hephaestus.cli import main
atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 0, len(gc.get_objects()) > 999, file=sys.stderr))
main()
"""


@pytest.mark.parametrize(
    ("arguments", "collects"), [(["--help"], False), (["--list-events"], False), (["events", "list"], True)]
)
def test_garbage_is_searched_for_among_what_a_command_makes_and_not_in_what_a_start_made(
    arguments: list[str], collects: bool, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", COLLECTING, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60)
    # Whether it is searched for, whether anything is left out, whether anything is not.
    assert done.stderr.split() == [str(collects), "True", str(collects)]


def calls(function: Callable[[], object]) -> int:
    """How many calls of Python and C functions it makes."""
    count = 0

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(watch)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def plugin(number: int) -> PluginSource:
    """A third party's plugin as the tutorial has it, imported already: ten events, a command."""
    events = [TelemetryEvent(f"third-{number}.seen-{index}", "Seen.", {"path": Path}) for index in range(10)]
    name = f"third_{number}.plugin"
    module = ModuleType(name)
    module.EVENTS = events  # type: ignore[attr-defined]

    def hephaestus_events() -> list[TelemetryEvent]:
        return events

    def hephaestus_commands() -> list[Command]:
        return [Command(f"third-{number}", f"third_{number}.cli:main", "Third.")]

    for specification, function in (
        (hookspecs.hephaestus_events, hephaestus_events),
        (hookspecs.hephaestus_commands, hephaestus_commands),
    ):
        function.__module__ = name
        setattr(module, function.__name__, implements(specification)(function))
    return PluginSource(f"third-{number}", name, f"third-{number}", "1", module)


def load(count: int) -> int:
    sources = [plugin(number) for number in range(count)]

    def start() -> None:
        host = PluginHost(sources)
        assert len(host.definitions()) == count * 10
        assert len(host.commands) == count

    return calls(start)


# The bounds below are half as much again as was counted when they were set.


def test_the_cost_of_a_plugin_does_not_grow_with_the_number_of_plugins() -> None:
    load(1)
    few, many = load(10), load(110)
    assert (many - few) / 100 < 600


def test_an_event_costs_few_calls_to_define_and_to_list() -> None:
    def define() -> object:
        fields = {"path": Path, "count": int, "kinds": list[str]}
        return TelemetryEvent("a.b", "Seen.", fields, {"seconds": float | None})

    define()
    assert calls(define) < 75
    hosts = [PluginHost([plugin(number) for number in range(count)]) for count in (1, 11)]
    for host in hosts:
        table(host)
    few, many = (calls(lambda host=host: table(host)) for host in hosts)  # type: ignore[misc]
    assert (many - few) / 100 < 12


def test_a_distribution_without_plugins_costs_discovery_few_calls(tmp_path: Path) -> None:
    def folder(count: int) -> str:
        path = tmp_path / str(count)
        for number in range(count):
            metadata = path / f"package_{number}-1.dist-info"
            metadata.mkdir(parents=True)
            if number % 2:
                (metadata / "entry_points.txt").write_text("[console_scripts]\na = b:c\n")
        return str(path)

    few, many = ([folder(10)], [folder(110)])
    discover(few)
    assert (calls(lambda: discover(many)) - calls(lambda: discover(few))) / 100 < 30

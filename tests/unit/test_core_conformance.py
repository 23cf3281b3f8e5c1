"""Each promise that `PluginConformance` tests holds for a good plugin, and fails for one that breaks it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hephaestus.testing import PluginConformance

EVENTS = """
from hephaestus.telemetry import TelemetryEvent

FORGE_LIT = TelemetryEvent("forge.lit", "The forge was lit.", {"by": str})
"""
PLUGIN = """
from hephaestus.plugins import Command, hookspecs, implements
from forgery.events import FORGE_LIT

@implements(hookspecs.hephaestus_events)
def hephaestus_events():
    return [FORGE_LIT]

@implements(hookspecs.hephaestus_commands)
def hephaestus_commands():
    return [Command("forge", "forgery.cli:forge", "Light the forge.")]
"""
CLI = """
import click

@click.group()
def forge():
    '''Light the forge.'''

@forge.command()
@click.option("--hot")
def strike(hot):
    '''Strike the iron.'''
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a plugin, some of its text replaced."""

    def install(old: str = "", new: str = "") -> None:
        texts = {"__init__.py": "", "cli.py": CLI, "events.py": EVENTS, "plugin.py": PLUGIN}
        assert not old or any(old in text for text in texts.values())
        for name, text in texts.items():
            file = tmp_path / "forgery" / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text.replace(old, new) if old else text)
        metadata = tmp_path / "hephaestus_forge-1.0.dist-info"
        metadata.mkdir()
        (metadata / "entry_points.txt").write_text("[hephaestus.plugins]\nforge = forgery.plugin\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    yield install
    for name in [name for name in sys.modules if name.split(".")[0] == "forgery"]:
        del sys.modules[name]


def broken_promises() -> dict[str, str]:
    """What each test that fails says, by its name."""

    class Conformance(PluginConformance):
        plugin = "forge"

    broken = {}
    for name in vars(PluginConformance):
        if name.startswith("test_"):
            try:
                getattr(Conformance(), name)()
            except AssertionError as error:
                broken[name] = str(error).splitlines()[0]
    return broken


def test_a_good_plugin_breaks_no_promise(install: Install) -> None:
    install()
    assert broken_promises() == {}


def test_a_plugin_that_is_not_installed_breaks_them_all() -> None:
    assert set(broken_promises().values()) == {"plugin forge is not installed"}


@pytest.mark.parametrize(
    ("old", "new", "name", "words"),
    [
        ("def hephaestus_commands():", "def hephaestus_commands(much):", "test_loads_without_a_problem", "much"),
        ("was lit.", "was lit", "test_events_have_a_description_and_a_constant_where_they_are_defined", "a sentence"),
        ("FORGE_LIT", "LIT", "test_events_have_a_description_and_a_constant_where_they_are_defined", "as FORGE_LIT"),
        (
            "\nFORGE_LIT =",
            '\nFORGE_COLD = TelemetryEvent("forge.cold", "Cold.")\nFORGE_LIT =',
            "test_every_event_that_its_modules_hold_is_contributed",
            "forgery.events holds forge.cold",
        ),
        (
            "import click",
            "import click\nfrom forgery.events import *\nFORGE_OUT = TelemetryEvent('forge.out', 'Out.')",
            "test_every_event_that_its_modules_hold_is_contributed",
            "forgery.cli holds forge.out",
        ),
        ("cli:forge", "cli:hearth", "test_every_command_shows_its_help", "cannot be loaded"),
        (
            '@click.option("--hot")',
            "@click.argument('hot', metavar=object())",
            "test_every_command_shows_its_help",
            "expected str instance, object found",
        ),
        ("\nfrom forgery.events", "\nimport click\nfrom forgery.events", "test_loading_imports_nothing_heavy", "click"),
    ],
    ids=["hook", "description", "constant", "event", "event of a command", "command", "sub-command", "import"],
)
def test_a_plugin_that_breaks_one_promise_is_told_so(
    install: Install, old: str, new: str, name: str, words: str
) -> None:
    install(old, new)
    broken = broken_promises()
    assert words in broken.pop(name)
    # A plugin with a wrong hook contributes nothing at all, its events neither.
    assert set(broken) <= ({"test_every_event_that_its_modules_hold_is_contributed"} if words == "much" else set())

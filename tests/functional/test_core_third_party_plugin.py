"""Promises to a plugin's author and users: installing a package is all it takes, and no package takes the tool down."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PLUGIN = """
    from hephaestus.plugins import Command, hookspecs, implements
    from hephaestus_cleanup import hookspecs as cleanup
    from hephaestus_cleanup.rules import Rule
    from thirdparty.events import GREETED

    @implements(hookspecs.hephaestus_events)
    def hephaestus_events():
        return [GREETED]

    @implements(hookspecs.hephaestus_commands)
    def hephaestus_commands():
        return [Command("greet", "thirdparty.cli:greet", "Greet somebody.")]

    @implements(hookspecs.hephaestus_on_event)
    def hephaestus_on_event(emitted):
        import os
        with open(os.environ["HEARD"], "a") as file:
            file.write(emitted.event.name + "\\n")

    @implements(cleanup.hephaestus_cleanup_rules)
    def hephaestus_cleanup_rules():
        return [Rule("slag", names=("slag",), kind="folder", category="litter")]

    @implements(cleanup.hephaestus_cleanup_protects)
    def hephaestus_cleanup_protects(path, root):
        return "kept for the smith" if path.parent.name == "forge" else None
"""

EVENTS = """
    from hephaestus.telemetry import TelemetryEvent

    GREETED = TelemetryEvent("thirdparty.greeted", "Somebody was greeted.", {"name": str}, {"times": int})
"""

CLI = """
    import logging

    import click

    from hephaestus import telemetry

    @click.command()
    @click.argument("name")
    def greet(name):
        '''Greet NAME.'''
        telemetry.emit_event(logging.getLogger("thirdparty"), telemetry.THIRDPARTY_GREETED, name=name)
        click.echo(f"Hello {name}")
"""

Build = Callable[..., Path]


@pytest.fixture
def installed(environment: Any, core_wheel: Path, cleanup_wheel: Path) -> Any:
    environment.install(core_wheel, cleanup_wheel)
    return environment


def _events(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().split("\n") if line]


def test_without_plugins_help_works_and_lists_no_cleanup(environment: Any, core_wheel: Path, tmp_path: Path) -> None:
    environment.install(core_wheel)
    helped = environment.run("--help", cwd=tmp_path)
    assert helped.returncode == 0
    assert helped.stderr == ""
    assert "cleanup" not in helped.stdout
    assert environment.run("--list-events", cwd=tmp_path).stdout == "No installed plugin defines events.\n"
    missing = environment.run("cleanup", cwd=tmp_path)
    assert missing.returncode == 2
    assert "Is its plugin installed?" in missing.stderr


def test_an_installed_package_adds_event_command_rule_protection_and_listener_and_leaves_without_a_trace(
    installed: Any, plugin_wheel: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = installed.run("--list-events", cwd=tmp_path).stdout
    heard = tmp_path / "heard"
    heard.touch()
    monkeypatch.setenv("HEARD", str(heard))
    installed.install(plugin_wheel("thirdparty", plugin=PLUGIN, events=EVENTS, cli=CLI))

    listed = installed.run("--list-events", cwd=tmp_path)
    assert "thirdparty (thirdparty 1.2)" in listed.stdout
    assert "thirdparty.greeted" in listed.stdout
    assert "required  name: str" in listed.stdout

    log = tmp_path / "log.jsonl"
    greeted = installed.run("--log-file", str(log), "greet", "Ada", cwd=tmp_path)
    assert (greeted.returncode, greeted.stdout) == (0, "Hello Ada\n")
    (line,) = _events(log)
    assert (line["event"], line["payload"]) == ("thirdparty.greeted", {"name": "Ada"})
    assert heard.read_text() == "thirdparty.greeted\n"

    workspace = tmp_path / "workspace"
    (workspace / "anvil" / "slag").mkdir(parents=True)
    (workspace / "forge" / "slag").mkdir(parents=True)
    log.unlink()
    cleaned = installed.run("--log-file", str(log), "cleanup", str(workspace), cwd=tmp_path)
    assert cleaned.returncode == 0, cleaned.stderr
    assert not (workspace / "anvil" / "slag").exists()
    assert (workspace / "forge" / "slag").is_dir()
    payloads = {line["event"]: line["payload"] for line in _events(log)}
    assert payloads["cleanup.path.removed"]["path"] == str(workspace / "anvil" / "slag")
    assert payloads["cleanup.path.skipped"]["reason"] == "kept for the smith"
    assert "cleanup.path.removed\n" in heard.read_text()

    installed.pip("uninstall", "--yes", "thirdparty")
    assert installed.run("--list-events", cwd=tmp_path).stdout == before
    gone = installed.run("greet", "Ada", cwd=tmp_path)
    assert gone.returncode == 2
    assert "No such command 'greet'" in gone.stderr


BROKEN = {
    "fails_to_import": ("import no_such_module_of_anybody", "ModuleNotFoundError"),
    "exits_in_a_hook": (
        """
        from hephaestus.plugins import hookspecs, implements

        @implements(hookspecs.hephaestus_events)
        def hephaestus_events():
            raise SystemExit(3)
        """,
        "SystemExit: 3",
    ),
    "zz_clashes_in_an_event": (
        """
        from hephaestus.plugins import hookspecs, implements
        from hephaestus.telemetry import TelemetryEvent

        @implements(hookspecs.hephaestus_events)
        def hephaestus_events():
            return [TelemetryEvent("cleanup.path.removed", "Mine.", {"other": int})]
        """,
        "already defined differently by hephaestus-cleanup",
    ),
    "zz_clashes_in_a_command": (
        """
        from hephaestus.plugins import Command, hookspecs, implements

        @implements(hookspecs.hephaestus_commands)
        def hephaestus_commands():
            return [Command("cleanup", "nowhere:nothing", "Mine.")]
        """,
        "command 'cleanup' is taken by hephaestus-cleanup",
    ),
    "misspells_a_hook": (
        """
        from hephaestus.plugins import hookimpl

        @hookimpl
        def hephaestus_comands():
            return []
        """,
        "unknown hook hephaestus_comands; did you mean hephaestus_commands?",
    ),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_plugin_is_named_in_one_line_with_the_mend_and_takes_nothing_down(
    name: str, installed: Any, plugin_wheel: Build, tmp_path: Path
) -> None:
    source, reason = BROKEN[name]
    installed.install(plugin_wheel(name, plugin=source))

    shown = installed.run("plugins", "--json", cwd=tmp_path)
    assert shown.returncode == 0
    states = {each["name"]: each for each in json.loads(shown.stdout)}
    assert states["cleanup"]["state"] == "ok"
    assert states[name]["state"] == "broken"
    (problem,) = states[name]["problems"]
    assert reason in problem["reason"]
    assert problem["mend"]
    (line,) = shown.stderr.splitlines()
    assert name in line
    assert reason in line
    assert problem["mend"] in line

    for arguments in (["--help"], ["--list-events"], ["cleanup", "--dry-run", str(tmp_path / "environment")]):
        done = installed.run(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    assert "cleanup.path.removed" in installed.run("--list-events", cwd=tmp_path).stdout
    quiet = installed.run("--disable-plugin", name, "plugins", "--json", cwd=tmp_path)
    assert quiet.stderr == ""
    assert {each["name"]: each["state"] for each in json.loads(quiet.stdout)}[name] == "disabled"

"""What every plugin must hold, as tests that a plugin's own tests inherit."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar

from hephaestus.event import TelemetryEvent
from hephaestus.plugins import Command, Plugin, PluginHost

__all__ = ["PluginConformance"]

_PROBE = """
import sys
from importlib import import_module
# What the interpreter's own start brought (a coverage tool, say) is not the plugin's doing.
before = set(sys.modules)
import_module(sys.argv[1])
print(*sorted(set(sys.argv[2:]) & set(sys.modules) - before))
"""


class PluginConformance:
    """Inherit it, name the plugin, and pytest runs the promises of a plugin::

        class TestConformance(PluginConformance):
            plugin = "cleanup"

    Attributes:
        plugin: the entry point's name; the plugin must be installed.
        heavy: modules that loading the plugin may not import.
    """

    plugin: ClassVar[str]
    heavy: ClassVar[tuple[str, ...]] = ("attrs", "cattrs", "click", "httpx", "pydantic", "rich", "sigstore", "tomllib")

    def _loaded(self) -> tuple[PluginHost, Plugin]:
        host = PluginHost(report=lambda problem: None)
        host.definitions()
        found = {each.name: each for each in host.plugins}
        assert self.plugin in found, f"plugin {self.plugin} is not installed"
        return host, found[self.plugin]

    def test_loads_without_a_problem(self) -> None:
        """Its hooks match their specifications, and nothing clashes with another installed plugin."""
        host, plugin = self._loaded()
        assert host.commands is not None
        assert host.config_tables is not None
        assert not plugin.problems, "\n".join(map(str, plugin.problems))

    def test_events_have_a_description_and_a_constant_where_they_are_defined(self) -> None:
        """Each event is described, and a module of the plugin's package holds it under its constant."""
        _, plugin = self._loaded()
        for event in plugin.events:
            assert event.description.endswith("."), f"{event.name} needs a sentence as description"
            held = any(vars(module).get(event.constant) is event for module in _modules(plugin))
            assert held, f"no module of the plugin holds {event.name} as {event.constant}"

    def test_every_event_that_its_modules_hold_is_contributed(self) -> None:
        """Each event in the modules of its hooks and commands is contributed; no list or schema knows any other."""
        host, plugin = self._loaded()
        assert host.commands is not None
        for command in plugin.commands:
            import_module(command.target.partition(":")[0])
        known = {definition.event for definition in host.definitions().values()}
        for module in _modules(plugin):
            for event in vars(module).values():
                if isinstance(event, TelemetryEvent):
                    assert event in known, f"{module.__name__} holds {event.name}, which hephaestus_events leaves out"

    def test_every_command_shows_its_help(self) -> None:
        """Each command and sub-command loads and renders its help."""
        from hephaestus.testing._runner import run_cli

        host, plugin = self._loaded()
        assert host.commands is not None
        for command in plugin.commands:
            unseen = [[command.name]]
            while unseen:
                path = unseen.pop()
                result = run_cli(*path, "--help")
                assert result.exit_code == 0, result.stderr
                assert "Usage:" in result.stdout, f"{' '.join(path)} --help shows no usage:\n{result.stdout}"
                unseen += [[*path, name] for name in _sub_commands(command, path[1:])]

    def test_loading_imports_nothing_heavy(self) -> None:
        """The module that the entry point names is imported on every start, so it stays light."""
        _, plugin = self._loaded()
        module = plugin.source.value.partition(":")[0]
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE, module, *self.heavy], capture_output=True, text=True, check=True
        )
        assert not probe.stdout.strip(), f"loading {module} imports {', '.join(probe.stdout.split())}"


def _modules(plugin: Plugin) -> list[ModuleType]:
    """The modules of the plugin's package that have been imported."""
    package = plugin.source.value.partition(":")[0].split(".")[0]
    return [module for name, module in tuple(sys.modules.items()) if name.split(".")[0] == package]


def _sub_commands(command: Command, path: list[str]) -> list[str]:
    """The names of a command's sub-commands, or of those of one of them."""
    from hephaestus.cli._group import load

    found: Any = load(command.target)
    context = found.make_context(command.name, [], resilient_parsing=True)
    for name in path:
        found = found.get_command(context, name)
        context = found.make_context(name, [], parent=context, resilient_parsing=True)
    return list(found.list_commands(context)) if hasattr(found, "list_commands") else []

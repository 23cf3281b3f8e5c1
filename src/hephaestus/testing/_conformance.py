"""What every plugin must hold, as tests that a plugin's own tests inherit."""

from __future__ import annotations

import subprocess
import sys
from typing import ClassVar

from hephaestus.plugins import Plugin, PluginHost

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
        assert [str(problem) for problem in plugin.problems] == []

    def test_events_have_a_description_and_a_constant_where_they_are_defined(self) -> None:
        """Each event is described, and a module of the plugin's package holds it under its constant."""
        _, plugin = self._loaded()
        package = plugin.source.value.partition(":")[0].rpartition(".")[0]
        modules = [module for name, module in sys.modules.items() if name.split(".")[0] == package.split(".")[0]]
        for event in plugin.events:
            assert event.description.endswith("."), f"{event.name} needs a sentence as description"
            held = any(vars(module).get(event.constant) is event for module in modules)
            assert held, f"no module of {package} holds {event.name} as {event.constant}"

    def test_every_command_shows_its_help(self) -> None:
        """Each command and sub-command loads and renders its help."""
        from hephaestus.testing._runner import run_cli

        host, plugin = self._loaded()
        assert host.commands is not None
        for command in plugin.commands:
            result = run_cli(command.name, "--help")
            assert result.exit_code == 0, result.stderr
            assert "Usage:" in result.stdout

    def test_loading_imports_nothing_heavy(self) -> None:
        """The module that the entry point names is imported on every start, so it stays light."""
        _, plugin = self._loaded()
        module = plugin.source.value.partition(":")[0]
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE, module, *self.heavy], capture_output=True, text=True, check=True
        )
        assert probe.stdout.split() == []

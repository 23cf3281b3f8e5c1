"""What a plugin's tests need: captured events, a host of named plugins, the command line, and conformance tests."""

from __future__ import annotations

from hephaestus.testing._capture import CapturedEvents, capture_events
from hephaestus.testing._conformance import PluginConformance
from hephaestus.testing._host import hosting
from hephaestus.testing._runner import Result, run_cli

__all__ = ["CapturedEvents", "PluginConformance", "Result", "capture_events", "hosting", "run_cli"]

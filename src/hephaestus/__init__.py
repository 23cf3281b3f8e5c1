"""Hephaestus: a developer toolkit whose every action is a validated event and whose every part is a plugin."""

from __future__ import annotations

__version__ = "0.1.0"

"""Removes build leftovers from workspaces, each removal a validated event."""

from __future__ import annotations

__version__ = "0.1.0"

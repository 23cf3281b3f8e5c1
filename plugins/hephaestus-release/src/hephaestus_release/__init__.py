"""Fetches, verifies and installs a published wheelhouse."""

from __future__ import annotations

__version__ = "0.1.0"

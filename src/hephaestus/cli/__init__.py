"""The command line; the only part of Hephaestus that ends the process.

A plugin's command is a plain click command that calls `current_session` for configuration, consoles and the run.
"""

from __future__ import annotations

from hephaestus.cli._main import main, run
from hephaestus.cli._session import Session, current_session

__all__ = ["Session", "current_session", "main", "run"]

"""Colour for people: only on a terminal, which `click.echo` sees to, and never under `NO_COLOR`."""

from __future__ import annotations

import os

import click

__all__ = ["styled"]


def styled(text: str, colour: str) -> str:
    """Return `text` in a colour by its ANSI name, or as it is where `NO_COLOR` is set to anything."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)

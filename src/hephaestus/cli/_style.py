"""Colour for people, only on a terminal, which `click.echo` sees to, and never under `NO_COLOR`; and lines."""

from __future__ import annotations

import os
import sys

import click

__all__ = ["can_draw", "styled"]


def styled(text: str, colour: str) -> str:
    """Return `text` in a colour by its ANSI name, or as it is where `NO_COLOR` is set to anything."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)


def can_draw() -> bool:
    """Say whether standard output can take lines that are drawn with characters beyond ASCII."""
    try:
        "├─└│".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True

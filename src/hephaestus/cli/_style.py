"""Colour for people, only on a terminal, which `click.echo` sees to, and never under `NO_COLOR`; and their charset."""

from __future__ import annotations

import os
import sys

import click

__all__ = ["styled", "writable"]


def styled(text: str, colour: str) -> str:
    """Return `text` in a colour by its ANSI name, or as it is where `NO_COLOR` is set to anything."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour)


def writable(text: str) -> str:
    """Return `text` with what standard output's encoding has no bytes for escaped, as `\\xff` or `\\u2502`."""
    # None where it is closed, or text that is kept in memory.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)

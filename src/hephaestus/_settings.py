"""The core's own settings; apart from `hephaestus.config`, because most workspaces have none."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

__all__ = ["CoreSettings"]


class CoreSettings(NamedTuple):
    """The core's own keys.

    Attributes:
        disabled_plugins: plugins that are not loaded, by name or distribution.
        enabled_plugins: where given, the only plugins that are loaded.
        log_file: a file that JSON lines are appended to; relative to the file that says so.
        log_format: the console's format.
        log_level: the lowest level that is logged, in any case.
    """

    disabled_plugins: tuple[str, ...] = ()
    enabled_plugins: tuple[str, ...] | None = None
    log_file: Path | None = None
    log_format: Literal["text", "json"] | None = None
    log_level: str | None = None

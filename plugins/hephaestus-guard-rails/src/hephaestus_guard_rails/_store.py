"""Small JSON files of one project in the user's cache folder: read with care, written whole."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from hephaestus_guard_rails._digest import digest

__all__ = ["Store"]


def _cache_root() -> Path:
    # Importing platformdirs takes longer than a run of ten small steps; XDG's rule is two lines.
    given = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(given):
        return Path(given)
    if sys.platform != "linux":
        import platformdirs

        return Path(platformdirs.user_cache_path())
    return Path.home() / ".cache"


class Store:
    """The files of one project; a damaged or unwritable one is as good as none.

    Attributes:
        folder: where they lie; made on the first write.
    """

    def __init__(self, root: Path, base: Path | None = None) -> None:
        name = digest(os.fsencode(root), 12)
        self.folder = (base or _cache_root() / "hephaestus" / "guard-rails") / name

    def load(self, name: str) -> dict[str, Any]:
        """The named table; empty when it is absent or damaged."""
        try:
            value = json.loads((self.folder / f"{name}.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def save(self, name: str, value: dict[str, Any]) -> bool:
        """Replace the named table in one step; False where the cache folder cannot be written."""
        temporary = self.folder / f".{name}-{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # ASCII: file names that are not UTF-8 become escapes, which `load` turns back.
            temporary.write_text(json.dumps(value, separators=(",", ":")), encoding="ascii")
            os.replace(temporary, self.folder / f"{name}.json")
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            return False
        return True

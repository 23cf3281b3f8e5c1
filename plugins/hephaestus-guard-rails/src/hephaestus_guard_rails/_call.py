"""Runs one step's Python function in a process of its own: `python -m hephaestus_guard_rails._call module:function`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

__all__ = ["BROKEN", "call"]

#: The return code of a function that raised: sysexits' EX_SOFTWARE. Python's own, 1, would pass for findings.
BROKEN = 70


def call(target: str, root: Path) -> int:
    """Import `module:function`, call it with the project's root, and return its return code (None is 0)."""
    module, _, name = target.partition(":")
    function: object = import_module(module)
    for part in name.split("."):
        function = getattr(function, part)
    if not callable(function):
        raise TypeError(f"{target} is no function")
    return int(function(root) or 0)


if __name__ == "__main__":
    try:
        code = call(sys.argv[1], Path.cwd())
    except Exception:
        import traceback

        traceback.print_exc()
        code = BROKEN
    raise SystemExit(code)

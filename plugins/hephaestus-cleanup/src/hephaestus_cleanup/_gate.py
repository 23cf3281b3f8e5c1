"""The gate that a project may ask for: a cleanup would find nothing to remove."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

__all__ = ["CLEANUP_GATE", "leftovers"]

# What is a leftover says the project's own [tool.hephaestus.cleanup]; without it, the operating system's litter only.
CLEANUP_GATE: Mapping[str, object] = {
    "name": "cleanup",
    "call": "hephaestus_cleanup._gate:leftovers",
    # Without --yes: a plan above the project's limits is refused, as nobody is there to be asked.
    "fix": (sys.executable, "-m", "hephaestus", "cleanup", "."),
    "findings_codes": (1,),
    # Other gates write caches, which may be leftovers too.
    "mutates": True,
    "group": "cleanup",
    "opt_in": True,
}
_FOUND, _BROKEN = 1, 2


def leftovers(root: Path) -> int:
    """Print what a cleanup of `root` would remove, and touch nothing.

    Returns:
        0 if that is nothing, 1 if it is something, 2 if the preview failed, which standard error explains.
    """
    from hephaestus.cli import run
    from hephaestus_cleanup._render import displayed

    printed = StringIO()
    with redirect_stdout(printed):
        # The list below says it all; an event for each path would say it again.
        code = run(["--log-level", "warning", "cleanup", "--dry-run", "--json", str(root)])
    if code != 0:
        return _BROKEN
    planned: list[dict[str, Any]] = json.loads(printed.getvalue())["planned"]
    for each in planned:
        print(f"{displayed(each['path'])}  [{each['rule']}: {each['evidence']}]")  # noqa: T201
    return _FOUND if planned else 0

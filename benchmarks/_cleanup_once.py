"""One cleanup of ours in a process of its own, measured from inside: the start of the interpreter is not counted.

    python _cleanup_once.py ROOT scan|delete|quarantine WORKERS LOG|- EVENTS

Prints one JSON object: seconds of wall clock and of processor for the part that the mode names and for the whole run,
seconds of processor that its events took, matches, and the memory at its peak and before, in KiB.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

from hephaestus.logging import configure_logging
from hephaestus_cleanup import _engine
from hephaestus_cleanup._beneath import pick_opener
from hephaestus_cleanup._builtin_rules import BUILTIN_RULES
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._inuse import InUse
from hephaestus_cleanup._options import effective_options
from hephaestus_cleanup._planner import Planner
from hephaestus_cleanup._roots import search_roots


def peak() -> int:
    """KiB; of this program alone where the system tells (ru_maxrss begins with what its parent had)."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Clock:
    """Wall clock and processor since it was made."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Seconds of each."""
        return time.perf_counter() - self._wall, time.process_time() - self._processor


def main(root: str, mode: str, workers: str, log: str, events: str) -> None:
    """Do it and print what it took."""
    configure_logging(level="info", log_format="json", log_file=None if log == "-" else log, console=False)
    pick_opener()
    engine_names = vars(_engine)
    emit, spent = engine_names["emit_event"], [0.0]

    def timed(*arguments: Any, **keywords: Any) -> None:
        begun = time.thread_time()
        emit(*arguments, **keywords)
        spent[0] += time.thread_time() - begun

    engine_names["emit_event"] = timed if events == "events" else lambda *arguments, **keywords: None
    moving = mode == "quarantine"
    flags = {"deep_clean": True, "include_poetry_env": False, "workers": int(workers), "quarantine": moving}
    options = effective_options(CleanupConfig(), flags, yes=True)
    roots = search_roots(root, options)
    before = peak()
    run = part = Clock()
    if mode == "scan":
        matches = len(Planner(roots, options, BUILTIN_RULES, lambda path, root: None, InUse()).plan(roots.roots).items)
    else:

        def begin(plan: object) -> None:
            nonlocal part
            part = Clock()

        run_id = f"benchmark-{time.time_ns()}"
        engine = _engine.Engine(
            roots, options, BUILTIN_RULES, consent=Consent(yes=True), run_id=run_id, before_execution=begin
        )
        outcome = engine.run()
        if outcome.errors:
            raise SystemExit(f"{len(outcome.errors)} errors, the first: {outcome.errors[0]}")
        matches = len(outcome.removed)
    wall, processor = part.read()
    result = {"wall": wall, "processor": processor, "run": run.read()[1], "events": spent[0]}
    json.dump({**result, "matches": matches, "peak": peak(), "before": before}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])

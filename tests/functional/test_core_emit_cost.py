"""What an emission may cost, counted and not timed: bytecode instructions and calls of the way that nearly all go."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# In a process without coverage, which traces, too. Counts differ a little between versions of Python.
COUNTING = """
import json, logging, os, sys
from hephaestus._json_line import clock
from hephaestus.logging import configure_logging
from hephaestus.telemetry import TelemetryEvent, emit_event, operation_context

configure_logging(log_file=os.devnull, console=False, run_id="run-1")
logger = logging.getLogger("hephaestus.cost")
clock.last = (0.0, 1e18, b"")  # as if no millisecond passed while it is traced
EVENT = TelemetryEvent("demo.retry", "Again.", {"url": str, "attempt": int, "most": int}, {"status": int, "why": str})
FIELDS = {"url": "https://host.example/a", "attempt": 1, "most": 3, "status": 503, "why": "Service Unavailable"}

def count(function):
    function()
    instructions = calls = 0

    def trace(frame, event, argument):
        nonlocal instructions
        frame.f_trace_opcodes = True
        instructions += event == "opcode"
        return trace

    def profile(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    for _ in range(2):  # the first time some versions trace lines only
        instructions = 0
        sys.settrace(trace); function(); sys.settrace(None)
    sys.setprofile(profile); function(); sys.setprofile(None)
    return instructions, calls

with operation_context("demo", operation_id="op-1", repository="owner/project", tag="v1"):
    costs = {
        "emit_event": count(lambda: emit_event(logger, EVENT, **FIELDS)),
        "emit": count(lambda: EVENT.emit(logger, **FIELDS)),
        "disabled": count(lambda: emit_event(logger, EVENT, level=logging.DEBUG, **FIELDS)),
    }
costs["context"] = count(lambda: operation_context("demo", operation_id="op-1", tag="v1").__enter__())
print(json.dumps(costs))
"""

# A tenth more than was counted on the costliest of the supported versions when they were set.
BOUNDS = {"emit_event": (361, 18), "emit": (315, 15), "disabled": (153, 8), "context": (138, 13)}
BOUNDS_WITHOUT_ORJSON = BOUNDS | {"emit_event": (541, 24), "emit": (491, 20)}


@pytest.mark.parametrize("orjson", [True, False])
def test_the_usual_way_of_an_event_takes_no_more_instructions_and_calls_than_it_did(
    orjson: bool, unmeasured_environment: dict[str, str]
) -> None:
    source = COUNTING if orjson else f"import sys; sys.modules['orjson'] = None\n{COUNTING}"
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=unmeasured_environment)
    bounds = BOUNDS if orjson else BOUNDS_WITHOUT_ORJSON
    for name, counted in json.loads(done.stdout).items():
        for number, bound in zip(counted, bounds[name], strict=True):
            assert 0 < number <= bound, (name, counted)

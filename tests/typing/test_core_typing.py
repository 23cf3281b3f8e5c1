"""What a type checker says of a plugin author's code: right hooks pass, wrong ones are errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PREAMBLE = """
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hephaestus import telemetry
from hephaestus.emit import Emitted
from hephaestus.event import TelemetryEvent
from hephaestus.plugins import Command, hookspecs, implements
"""

GOOD = """
@implements(hookspecs.hephaestus_events)
def events() -> Iterable[TelemetryEvent]:
    return [TelemetryEvent("my-plugin.done", "Done.", {"path": Path}, ("note",))]

@implements(hookspecs.hephaestus_commands, tryfirst=True)
def commands() -> list[Command]:
    return [Command("greet", "my_plugin.cli:greet", "Greets.")]

@implements(hookspecs.hephaestus_on_event, optional=True)
def hear(emitted: Emitted) -> None:
    emitted.payload.get("path")

events().__iter__()
removed: TelemetryEvent = telemetry.CLEANUP_PATH_REMOVED
"""

BAD = {
    "wrong-item": """
@implements(hookspecs.hephaestus_events)
def events() -> list[str]:
    return ["my-plugin.done"]
""",
    "wrong-argument": """
@implements(hookspecs.hephaestus_on_event)
def hear(emitted: str) -> None:
    return None
""",
    "additional-argument": """
@implements(hookspecs.hephaestus_commands)
def commands(config: object) -> list[Command]:
    return []
""",
    "misspelt-hook": """
@implements(hookspecs.hephaestus_event)
def events() -> list[TelemetryEvent]:
    return []
""",
    "misspelt-constant": """
telemetry.CLEANUP_PATH_REMOVD
""",
}


def mypy(file: Path) -> str:
    """The lines in which mypy complains of the file, empty where it is content."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context"]
    options = ["--config-file", str(root / "pyproject.toml"), f"--cache-dir={file.parent / 'cache'}", str(file)]
    completed = subprocess.run([*command, *options], cwd=root, capture_output=True, text=True, check=False)
    assert completed.stderr == ""
    return "".join(line for line in completed.stdout.splitlines(keepends=True) if file.name in line)


def test_right_hooks_pass_and_each_wrong_one_is_an_error(tmp_path: Path) -> None:
    # One run for all samples: starting mypy costs more than checking them.
    lines, spans = PREAMBLE + GOOD, {}
    for name, code in BAD.items():
        first = lines.count("\n") + 1
        # Each in a scope of its own, so that no sample redefines another's names.
        body = "".join(f"    {line}\n" for line in code.strip().splitlines())
        lines += f"def sample_{name.replace('-', '_')}() -> None:\n{body}"
        spans[name] = range(first, lines.count("\n") + 1)
    file = tmp_path / "hephaestus_typing_sample.py"
    file.write_text(lines)
    faulty = {int(line.split(":")[1]) for line in mypy(file).splitlines() if ": error:" in line}
    assert {name for name, span in spans.items() if faulty & set(span)} == set(BAD)
    assert faulty <= {number for span in spans.values() for number in span}

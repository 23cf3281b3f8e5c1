"""What a run costs besides its steps, told by what it imports, calls and writes: no clock is read.

`make bench ARGS="guard_rails_runner"` measures; docs/how-to/measuring.md says how to read it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hephaestus_guard_rails._value import Value
from hephaestus_guard_rails.steps import Step, Tool
from hephaestus_guard_rails.testing import SampleProject

PROGRAM = """
import sys
from hephaestus.cli import run

calls = 0

def watch(frame, event, argument):
    global calls
    calls += event in ("call", "c_call")

sys.setprofile(watch)
code = run(["--log-level", "info", "guard-rails", *sys.argv[1:]])
sys.setprofile(None)
print(code, calls, *sys.modules, file=sys.stderr)
"""


@pytest.fixture
def project(tmp_path: Path) -> SampleProject:
    """A project with an empty environment."""
    return SampleProject(tmp_path / "demo")


def configured(project: SampleProject, count: int) -> None:
    """Give the project so many steps of its own that do nothing."""
    steps = [
        f"[[tool.hephaestus.guard-rails.steps]]\nname = 'step {number}'\ncommand = ['true']\n"
        for number in range(count)
    ]
    project.write({"pyproject.toml": "".join(steps)})


def ran(project: SampleProject, environment: dict[str, str], *arguments: str) -> tuple[int, set[str]]:
    """Run the project's gates in one process; returns its calls, and the modules that it holds at its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=project.root,
        env={**environment, "XDG_CACHE_HOME": str(project.root.parent / "cache")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    code, calls, *modules = done.stderr.splitlines()[-1].split()
    assert code == "0", done.stderr
    return int(calls), set(modules)


# Each takes as long to import as several small steps, or is for another kind of run.
HEAVY = {
    "asyncio", "attr", "attrs", "cattrs", "difflib", "hashlib", "importlib.metadata", "packaging", "rich", "tempfile",
    "xml", "yaml", "hephaestus._structure", "hephaestus_guard_rails.drift", "hephaestus_guard_rails._drift_run",
    "hephaestus_guard_rails._github", "hephaestus_guard_rails._install", "hephaestus_guard_rails._reports",
}  # fmt: skip


@pytest.mark.parametrize("options", [[], ["--cache"], ["--plan"]])
def test_a_run_of_configured_steps_imports_nothing_that_it_can_do_without(
    options: list[str], project: SampleProject, unmeasured_environment: dict[str, str]
) -> None:
    configured(project, 2)
    _, modules = ran(project, unmeasured_environment, *options)
    assert modules & HEAVY == set()
    assert len([name for name in modules if name.startswith("hephaestus_guard_rails")]) <= 36


def test_a_further_step_costs_few_calls(project: SampleProject, unmeasured_environment: dict[str, str]) -> None:
    def cost(count: int) -> int:
        configured(project, count)
        return ran(project, unmeasured_environment)[0]

    cost(1)
    # Half as much again as was counted when it was set.
    assert (cost(50) - cost(10)) / 40 < 2700


def test_a_rerun_of_unchanged_gates_writes_no_pass_and_no_duration(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.ruff]\n", "a.py": "x = 1\n"})
    project.tool("ruff", "exit 0")
    assert project.run("--no-format").exit_code == 0

    def stamps() -> dict[str, tuple[int, int]]:
        files = [*project.root.parent.rglob("passes.json"), *project.root.parent.rglob("durations.json")]
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}

    before = stamps()
    assert before.keys() == {"passes.json", "durations.json"}
    outcome = project.run("--no-format")
    assert {payload["cached"] for payload in outcome.payloads("guard-rails.step.complete")} == {True}
    assert stamps() == before


class Point(Value):
    """A value of two attributes."""

    x: int
    label: str = "origin"


def test_a_value_takes_what_it_declares_and_nothing_else() -> None:
    assert vars(Point(x=1)) == {"x": 1, "label": "origin"}
    with pytest.raises(TypeError, match="'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'y'"):
        Point(x=1, y=2)  # type: ignore[call-arg]


def test_values_are_equal_by_what_they_hold_and_are_not_changed_in_place() -> None:
    point = Point(x=1)
    assert point == Point(x=1, label="origin")
    assert hash(point) == hash(Point(x=1))
    assert point != Point(x=2)
    assert point.replace(x=2) == Point(x=2)
    assert repr(point) == "Point(x=1, label='origin')"
    with pytest.raises(AttributeError, match="immutable"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="immutable"):
        del point.x


def test_a_replaced_attribute_of_a_step_is_checked_like_a_given_one() -> None:
    step = Step(name="lint", check=("ruff", "check"), tool=Tool("ruff"))
    assert step.replace(name="types").check == ("ruff", "check")
    with pytest.raises(ValueError, match="printable"):
        step.replace(name="\n")

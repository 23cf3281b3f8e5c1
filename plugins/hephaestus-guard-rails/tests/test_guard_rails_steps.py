"""Steps: what is refused, how third parties contribute, and when built-in ones apply."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.plugins import PluginHost, PluginSource, implements
from hephaestus.testing import PluginConformance
from hephaestus_guard_rails import events, hookspecs
from hephaestus_guard_rails import plugin as own_plugin
from hephaestus_guard_rails._builtin_steps import builtin_steps, own_names
from hephaestus_guard_rails._call import BROKEN, call
from hephaestus_guard_rails._config import GuardRailsConfig
from hephaestus_guard_rails._declared import requirement_name
from hephaestus_guard_rails._gather import gather_steps
from hephaestus_guard_rails._plan import Selection, make_plan
from hephaestus_guard_rails._project import Project, find_project
from hephaestus_guard_rails.errors import GuardRailsError, StepDefinitionError
from hephaestus_guard_rails.steps import Decision, Status, Step, applies
from hephaestus_guard_rails.testing import SampleProject


class TestConformance(PluginConformance):
    """The promises that every plugin keeps."""

    plugin = "guard-rails"


@pytest.fixture
def sample(tmp_path: Path) -> SampleProject:
    """A project with an empty environment."""
    return SampleProject(tmp_path / "demo")


@pytest.mark.parametrize(
    "fields",
    [
        {"check": ("true",), "name": ""},
        {"check": ("true",), "name": "two\nlines"},
        {"check": "ruff check ."},
        {"check": ("a\0b",)},
        {"check": (1,)},
        {},
        {"check": ("true",), "call": "a:b"},
        {"call": "no function"},
        {"call": "a:b:c"},
        {"call": "os.system"},
        {"check": ("true",), "timeout": 0},
        {"check": ("true",), "timeout": float("nan")},
        {"check": ("true",), "grace": -1},
        {"check": ("true",), "weight": -1},
        {"check": ("true",), "needs": "pytest"},
    ],
)
def test_a_malformed_step_is_refused_when_it_is_made(fields: dict[str, Any]) -> None:
    with pytest.raises(StepDefinitionError):
        Step(**{"name": "x", **fields})


@given(st.integers(-64, 255), st.sets(st.integers(1, 9)), st.sets(st.integers(1, 9)))
def test_only_return_code_0_and_skip_codes_ever_pass(code: int, skips: set[int], findings: set[int]) -> None:
    step = Step(name="x", check=("true",), skip_codes=tuple(skips), findings_codes=tuple(findings))
    status = step.verdict(code, b"", b"").status
    assert (status is Status.PASSED) == (code == 0)
    assert (status is Status.SKIPPED) == (code in skips)
    assert status.is_failure == (code != 0 and code not in skips)


def test_needs_in_a_circle_are_refused_with_the_circle(sample: SampleProject) -> None:
    steps = [("a", Step(name=n, check=("true",), needs=(m,))) for n, m in (("x", "y"), ("y", "x"))]
    with pytest.raises(StepDefinitionError, match=r"circle: (x -> y -> x|y -> x -> y)"):
        make_plan(Project(sample.root), steps, Selection())


def test_two_steps_of_one_name_are_refused_with_both_owners(sample: SampleProject) -> None:
    steps = [(owner, Step(name=name, check=("true",))) for owner, name in (("one", "lint"), ("two", "Lint"))]
    with pytest.raises(StepDefinitionError, match="one of one, one of two"):
        make_plan(Project(sample.root), steps, Selection())


def test_an_enabled_when_that_raises_names_its_step(sample: SampleProject) -> None:
    def broken(project: Project) -> Decision:
        raise RuntimeError("boom")

    with pytest.raises(StepDefinitionError, match="'x' cannot say"):
        make_plan(Project(sample.root), [("a", Step(name="x", check=("true",), enabled_when=broken))], Selection())


def _host(function: Callable[..., object]) -> PluginHost:
    third = SimpleNamespace(hephaestus_guard_rails_steps=implements(hookspecs.hephaestus_guard_rails_steps)(function))  # type: ignore[arg-type]
    sources = [
        PluginSource("guard-rails", "hephaestus-guard-rails", "0", "", plugin=own_plugin),
        PluginSource("third", "third-party", "0", "", plugin=third),
    ]
    return PluginHost(sources, report=lambda problem: None)


def test_a_third_partys_step_joins_the_plan_behind_the_builtin_ones(sample: SampleProject) -> None:
    def steps(project: Project) -> list[Step]:
        return [
            Step(name=f"licences of {project.root.name}", check=("true",), enabled_when=lambda _: applies("always"))
        ]

    gathered = gather_steps(_host(steps), Project(sample.root), GuardRailsConfig())
    assert gathered[0][1].name == "ruff check"
    assert gathered[-1][0] == "plugin third"
    assert gathered[-1][1].name == "licences of demo"


def test_a_plugin_that_cannot_give_its_steps_fails_the_run(sample: SampleProject) -> None:
    """Its gates would be missing, and a run without them must not look like a pass."""

    def raises(project: Project) -> list[Step]:
        raise SystemExit(0)

    def rubbish(project: Project) -> list[object]:
        return ["ruff check"]

    def late(project: Project) -> Iterator[Step]:
        yield Step(name="a", check=("true",))
        raise RuntimeError("boom")

    for function in (raises, rubbish, late):
        with pytest.raises(GuardRailsError, match="third"):
            gather_steps(_host(function), Project(sample.root), GuardRailsConfig())


def test_the_plugin_on_the_documentations_page_brings_its_gate(sample: SampleProject, tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "quality-gates.md"
    blocks = dict(re.findall(r"`([\w.]+)`:\n\n```\w+\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL))
    (group,) = tomllib.loads(blocks["pyproject.toml"])["project"]["entry-points"].items()
    site = tmp_path / "site"
    (site / "acme_gates-1.0.dist-info").mkdir(parents=True)
    (site / "acme_gates.py").write_text(blocks["acme_gates.py"])
    points = "".join(f"{name} = {value}\n" for name, value in group[1].items())
    (site / "acme_gates-1.0.dist-info" / "entry_points.txt").write_text(f"[{group[0]}]\n{points}")
    (site / "acme_gates-1.0.dist-info" / "METADATA").write_text("Name: acme-gates\nVersion: 1.0\n")

    sample.write({"a.py": "x = 1\n"})
    assert sample.run(PYTHONPATH=str(site)).ended == {"merge marks": ("passed", 0)}
    sample.write({"a.py": "x = 1\n<<<<<<< theirs\n"})
    outcome = sample.run(PYTHONPATH=str(site))
    assert outcome.ended == {"merge marks": ("failed", 1)}
    assert "a.py: an unresolved merge" in outcome.stdout


@pytest.mark.parametrize("judge", ["lambda *given: 1 / 0", "lambda *given: 'passed'", "lambda *given: None"])
def test_a_judge_that_fails_or_answers_rubbish_has_not_passed_the_step(sample: SampleProject, judge: str) -> None:
    site = sample.third_party(
        "acme",
        "from hephaestus.plugins import hookimpl\n\n\n@hookimpl\ndef hephaestus_guard_rails_steps():\n"
        f"    return [{{'name': 'x', 'check': ['true'], 'judge': {judge}}}]\n",
    )
    outcome = sample.run(PYTHONPATH=site)
    assert outcome.exit_code == 1
    assert outcome.ended == {"x": ("error", 0)}
    assert outcome.terminal == ["cli.guard-rails.failed"]
    assert "judge" in outcome.stdout


def test_a_mapping_with_the_arguments_of_a_step_is_a_step(sample: SampleProject) -> None:
    """So that a plugin can offer a gate without importing this distribution."""

    def steps(project: Project) -> list[dict[str, Any]]:
        return [{"name": "licences", "check": ["reuse", "lint"], "inputs": ["*"], "findings_codes": (1,)}]

    owner, step = gather_steps(_host(steps), Project(sample.root), GuardRailsConfig())[-1]
    assert owner == "plugin third"
    assert step == Step(name="licences", check=("reuse", "lint"), inputs=("*",), findings_codes=(1,))


@pytest.mark.parametrize("fields", [{}, {"name": "x"}, {"name": "x", "chek": ["true"]}, {"name": "x", "timeout": "1"}])
def test_a_mapping_that_is_no_step_is_refused_with_its_plugin_named(
    sample: SampleProject, fields: dict[str, Any]
) -> None:
    with pytest.raises(StepDefinitionError, match="third"):
        gather_steps(_host(lambda project: [fields]), Project(sample.root), GuardRailsConfig())


def test_a_call_may_have_a_fix_pass_of_its_own(sample: SampleProject) -> None:
    step = Step(name="x", call="third_gate:gate", fix=("mender", "--now"))
    (entry,) = make_plan(Project(sample.root), [("t", step)], Selection()).selected
    assert entry.fixes
    assert entry.command("fix") == ("mender", "--now")
    assert entry.command("check")[-1] == "third_gate:gate"


def test_a_step_whose_group_is_called_like_it_can_be_asked_for(sample: SampleProject) -> None:
    steps = [("t", Step(name="cleanup", group="cleanup", check=("true",), opt_in=True))]
    assert make_plan(Project(sample.root), steps, Selection(only=["cleanup"])).selected


def test_a_call_runs_in_a_process_of_its_own_with_the_root(sample: SampleProject, tmp_path: Path) -> None:
    (tmp_path / "third_gate.py").write_text(
        "from pathlib import Path\n\n\ndef gate(root: Path) -> int:\n    return 3 if root.name == 'demo' else 0\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        assert call("third_gate:gate", sample.root) == 3
        assert call("third_gate:gate", tmp_path) == 0
        with pytest.raises(TypeError, match="no function"):
            call("third_gate:__name__", tmp_path)
    finally:
        sys.path.remove(str(tmp_path))
        del sys.modules["third_gate"]
    plan = make_plan(Project(sample.root), [("t", Step(name="x", call="third_gate:gate"))], Selection())
    assert plan.selected[0].command("check")[1:] == ("-m", "hephaestus_guard_rails._call", "third_gate:gate")


def test_a_call_that_raises_ends_with_a_code_of_its_own_and_shows_why(tmp_path: Path) -> None:
    (tmp_path / "broken_gate.py").write_text("def gate(root):\n    raise ValueError('no gate today')\n")
    command = [sys.executable, "-m", "hephaestus_guard_rails._call", "broken_gate:gate"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == BROKEN
    assert "ValueError: no gate today" in done.stderr


@pytest.mark.parametrize(
    ("files", "enabled"),
    [
        ({"pyproject.toml": "[tool.ruff]\n"}, {"ruff check", "ruff format"}),
        ({"ruff.toml": ""}, {"ruff check", "ruff format"}),
        ({"requirements-dev.txt": "ruff==0.9 ; python_version > '3'\n"}, {"ruff check", "ruff format"}),
        ({"pyproject.toml": "[tool.ruff]\n[tool.black]\n"}, {"ruff check"}),
        ({"pyproject.toml": "[tool.ruff.format]\n[tool.black]\n"}, {"ruff check", "ruff format"}),
        ({"pyproject.toml": "[dependency-groups]\ndev = ['black', 'Ruff']\n"}, {"ruff check"}),
        ({"pyproject.toml": "[dependency-groups]\ndev = [{include-group = 'x'}, 'mypy>1']\n"}, {"mypy"}),
        ({"pyproject.toml": "[tool.poetry.group.dev.dependencies]\nmypy = '^1'\n"}, {"mypy"}),
        ({"pyproject.toml": "[tool.pdm.dev-dependencies]\nlint = ['mypy']\n"}, {"mypy"}),
        ({"pyproject.toml": "[tool.hatch.envs.types]\ndependencies = ['mypy']\n"}, {"mypy"}),
        ({"pyproject.toml": "[project.optional-dependencies]\ndev = ['pip_audit']\n"}, {"pip-audit"}),
        ({"setup.cfg": "[mypy]\nstrict = true\n"}, {"mypy"}),
        ({"mypy.ini": "[mypy]\n"}, {"mypy"}),
        ({"pyproject.toml": "[tool.ty]\n"}, {"ty"}),
        ({"pyrightconfig.json": "{}"}, {"pyright"}),
        ({"tox.ini": "[pytest]\n"}, {"pytest"}),
        ({"pytest.ini": ""}, {"pytest"}),
        ({"setup.cfg": "[tool:pytest]\n"}, {"pytest"}),
        ({"tox.ini": "[testenv]\ndeps =\n    pytest\n"}, {"pytest"}),
        ({".pre-commit-config.yaml": "repos:\n- repo: x\n  hooks:\n  - id: ruff-format\n"}, {"ruff format"}),
        ({"tests/test_a.py": ""}, set()),
        ({".yamllint": "extends: default\n"}, set()),
        ({".github/actionlint.yaml": ""}, set()),
        ({"pyproject.toml": "[tool.mypy]\n", "demo.py": None}, set()),
        ({}, set()),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_builtin_steps_apply_where_the_project_shows_that_it_uses_them(
    sample: SampleProject, files: dict[str, str | None], enabled: set[str]
) -> None:
    every = {"demo.py": "", **files}
    sample.write({name: text for name, text in every.items() if text is not None})
    project = Project(sample.root)
    decisions = {s.name: s.enabled_when(project) for s in builtin_steps(project) if s.enabled_when is not None}
    assert {name for name, decision in decisions.items() if decision.enabled} == enabled
    assert all(decision.reason for decision in decisions.values())


def test_yamllint_and_pytest_apply_once_they_are_installed(sample: SampleProject) -> None:
    sample.write({".yamllint": "", "tests/test_a.py": ""})
    sample.tool("yamllint", "true")
    sample.tool("pytest", "true")
    project = Project(sample.root)
    plan = make_plan(project, [("x", step) for step in builtin_steps(project)], Selection())
    assert {entry.step.name for entry in plan.selected} == {"yamllint", "pytest"}


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("addopts = '-n auto'", 0),
        ("addopts = ['-n4', '-q']", 0),
        ("addopts = '--numprocesses=logical'", 0),
        ("addopts = '-n 1'", 1),
        ("addopts = '-q --no-header'", 1),
        ("", 1),
    ],
)
def test_pytest_takes_all_cores_when_it_spreads_its_tests(sample: SampleProject, text: str, weight: int) -> None:
    sample.write({"pyproject.toml": f"[tool.pytest.ini_options]\n{text}\n"})
    steps = {step.name: step for step in builtin_steps(Project(sample.root))}
    assert steps["pytest"].weight == weight


def test_the_projects_own_names_are_those_installed_from_it(sample: SampleProject) -> None:
    sample.write({"pyproject.toml": "[project]\nname = 'Demo_App'\n"})
    sample.installed("helper", "1")
    url = f'{{"url": "file://{sample.root}/helper", "dir_info": {{"editable": true}}}}'
    sample.write({".venv/lib/python3.11/site-packages/helper-1.dist-info/direct_url.json": url})
    sample.installed("attrs", "26")
    assert own_names(Project(sample.root)) == {"demo-app", "helper"}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Ruff_X>=1", "ruff-x"),
        ("ruff", "ruff"),
        ("ruff[extra] ; python_version > '3'", "ruff"),
        ("ruff @ file:///x", "ruff"),
        ("  mypy==1 # note", "mypy"),
        ("-r other.txt", ""),
        ("--hash=sha256:x", ""),
        ("# ruff", ""),
        ("./local", ""),
        ("git+ssh://x/ruff", ""),
        ("", ""),
    ],
)
def test_a_requirement_lines_name_is_read_and_nothing_else_is_taken_for_one(line: str, name: str) -> None:
    assert requirement_name(line) == name


@given(st.text())
def test_any_line_of_a_requirements_file_is_survived(line: str) -> None:
    assert requirement_name(line) == requirement_name(line).lower()


def test_the_nearest_project_is_found_and_nothing_above_the_repository(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    (repository / "deep" / "er").mkdir(parents=True)
    assert find_project(repository / "deep" / "er").root == repository
    (repository / "deep" / "setup.py").write_text("")
    found = find_project(repository / "deep" / "er")
    assert (found.root, found.top) == (repository / "deep", repository)


def test_a_constant_of_each_event_is_exported_under_the_rules_name() -> None:
    for event in events.ALL:
        assert getattr(events, event.name.upper().replace(".", "_").replace("-", "_")) is event
        assert event.name.upper().replace(".", "_").replace("-", "_") in events.__all__

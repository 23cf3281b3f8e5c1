"""Whole runs of the command on sample projects: events, exit codes, files, and what each trap does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hephaestus_guard_rails.testing import SampleProject, survivors

ALL_TOOLS = {
    "pyproject.toml": "[tool.ruff]\n[tool.mypy]\n[tool.pytest.ini_options]\n",
    "demo.py": "x = 1\n",
}


@pytest.fixture
def project(tmp_path: Path) -> SampleProject:
    """A project with an empty environment."""
    return SampleProject(tmp_path / "demo")


def _with_tools(project: SampleProject, **bodies: str) -> None:
    project.write(ALL_TOOLS)
    for name in ("ruff", "mypy", "pytest"):
        project.tool(name, bodies.get(name, "exit 0"))


def _real_tools(project: SampleProject, *names: str) -> None:
    for name in names:
        found = shutil.which(name, path=os.path.dirname(sys.executable))
        assert found is not None, f"{name} is a development dependency"
        (project.bin / name).symlink_to(found)


def test_a_project_whose_gates_all_pass_completes(project: SampleProject) -> None:
    _with_tools(project)
    outcome = project.run()
    assert outcome.exit_code == 0
    assert outcome.terminal == ["cli.guard-rails.complete"]
    assert outcome.payloads("cli.guard-rails.start")[0]["skip_format"] is False
    assert outcome.payloads("cli.guard-rails.complete")[0]["skip_format"] is False
    assert set(outcome.ended) == {"ruff check", "ruff format", "mypy", "pytest"}
    assert outcome.events[0]["event"] == "cli.guard-rails.start"
    assert outcome.events[-1]["event"] == "cli.guard-rails.complete"


def test_each_step_start_is_paired_with_one_complete_and_all_share_the_operation(project: SampleProject) -> None:
    _with_tools(project, mypy="exit 1")
    outcome = project.run()
    starts = [(p["step"], p["phase"]) for p in outcome.payloads("guard-rails.step.start")]
    ends = [(p["step"], p["phase"]) for p in outcome.payloads("guard-rails.step.complete")]
    assert sorted(starts) == sorted(ends)
    assert len(set(starts)) == len(starts)
    assert len({record["payload"]["operation_id"] for record in outcome.events}) == 1
    assert len({record["run_id"] for record in outcome.events}) == 1


@pytest.mark.parametrize(
    ("tool", "body", "step", "code"),
    [
        ("ruff", '[ "$1" = format ] || exit 1', "ruff check", 1),
        ("ruff", '[ "$1" = check ] || exit 1', "ruff format", 1),
        ("ruff", "exit 2", "ruff check", 2),
        ("mypy", "exit 1", "mypy", 1),
        ("mypy", "exit 2", "mypy", 2),
        ("pytest", "exit 1", "pytest", 1),
        ("pytest", "exit 4", "pytest", 4),
        ("pytest", "kill -SEGV $$", "pytest", -11),
    ],
)
def test_a_failing_step_is_named_with_its_raw_return_code(
    project: SampleProject, tool: str, body: str, step: str, code: int
) -> None:
    _with_tools(project, **{tool: body})
    outcome = project.run("--no-format")
    assert outcome.exit_code == 1
    assert outcome.terminal == ["cli.guard-rails.failed"]
    failed = outcome.payloads("cli.guard-rails.failed")[0]
    assert (failed["step"], failed["returncode"], failed["level"]) == (step, code, "ERROR")
    assert f"--- {step}" in outcome.stdout


def test_the_first_failing_step_in_plan_order_is_named_whichever_ends_first(project: SampleProject) -> None:
    _with_tools(project, mypy="sleep 0.3; exit 1", pytest="exit 1")
    outcome = project.run("--no-format", "--jobs", "4")
    assert outcome.payloads("cli.guard-rails.failed")[0]["step"] == "mypy"
    assert outcome.ended["pytest"] == ("failed", 1)


def test_a_fix_pass_that_breaks_fails_the_run_under_its_steps_name(project: SampleProject) -> None:
    _with_tools(project, ruff='[ "$*" = "format ." ] && exit 2; exit 0')
    outcome = project.run()
    assert outcome.exit_code == 1
    failed = outcome.payloads("cli.guard-rails.failed")[0]
    assert (failed["step"], failed["returncode"]) == ("ruff format", 2)
    assert outcome.ended["ruff format"] == ("passed", 0)


def test_no_tests_is_no_failure(project: SampleProject) -> None:
    _with_tools(project, pytest="exit 5")
    outcome = project.run("--no-format")
    assert outcome.exit_code == 0
    assert outcome.ended["pytest"] == ("skipped", 5)


def test_a_missing_tool_fails_with_127_and_the_install_command(project: SampleProject) -> None:
    _with_tools(project)
    project.write({".venv/lib/python3.11/site-packages/pip/__main__.py": ""})
    (project.bin / "mypy").unlink()
    outcome = project.run("--no-format")
    assert outcome.exit_code == 127
    failed = outcome.payloads("cli.guard-rails.failed")[0]
    assert (failed["step"], failed["returncode"]) == ("mypy", 127)
    assert "-m pip install mypy" in outcome.stdout
    assert outcome.ended["pytest"] == ("passed", 0)


GROUP = "[tool.mypy]\n[dependency-groups]\ntypes = ['mypy>=1']\n"
POETRY_GROUP = "[tool.mypy]\n[tool.poetry.group.types.dependencies]\nmypy = '^1'\n"
EXTRA = "[tool.mypy]\n[project.optional-dependencies]\ntypes = ['mypy>=1']\n"


@pytest.mark.parametrize(
    ("lock", "pyproject", "command"),
    [
        ("uv.lock", "[tool.mypy]\n", "uv add --dev mypy"),
        ("poetry.lock", "[tool.mypy]\n", "poetry add --group dev mypy"),
        ("pdm.lock", "[tool.mypy]\n", "pdm add --dev mypy"),
        ("uv.lock", GROUP, "uv sync --inexact --group types"),
        ("uv.lock", EXTRA, "uv sync --inexact --extra types"),
        ("poetry.lock", POETRY_GROUP, "poetry install --with types"),
        ("pdm.lock", GROUP, "pdm install --group types"),
        ("tox.ini", "[tool.mypy]\n", "uv pip install --python"),
    ],
)
def test_the_install_command_is_that_of_the_projects_own_manager(
    project: SampleProject, lock: str, pyproject: str, command: str
) -> None:
    project.write({"pyproject.toml": pyproject, "demo.py": "", lock: ""})
    outcome = project.run()
    assert outcome.exit_code == 127
    assert command in outcome.stdout


def test_a_hook_that_names_a_tool_makes_it_no_dependency_of_the_lock(project: SampleProject) -> None:
    hooks = "repos:\n- repo: x\n  hooks:\n  - id: mypy\n"
    project.write({".pre-commit-config.yaml": hooks, "uv.lock": "", "demo.py": ""})
    assert "uv add --dev mypy" in project.run().stdout


def test_a_tool_on_path_is_not_taken_for_a_project_that_has_an_environment(
    project: SampleProject, tmp_path: Path
) -> None:
    _with_tools(project)
    other = SampleProject(tmp_path / "other")
    (project.bin / "mypy").unlink()
    other.tool("mypy", "exit 0")
    assert project.run("--no-format", PATH=f"{other.bin}:{os.environ['PATH']}").exit_code == 127


def test_a_project_without_environment_uses_path_and_says_so(tmp_path: Path) -> None:
    project = SampleProject(tmp_path / "demo", environment=False)
    project.write({"pyproject.toml": "[tool.mypy]\n", "demo.py": ""})
    other = SampleProject(tmp_path / "other")
    other.tool("mypy", "exit 0")
    outcome = project.run(PATH=f"{other.bin}:{os.environ['PATH']}")
    assert outcome.exit_code == 0
    assert f"note: mypy: {other.bin}/mypy comes from PATH" in outcome.stdout


def test_an_activated_environment_of_another_project_is_not_taken(project: SampleProject, tmp_path: Path) -> None:
    _with_tools(project, mypy="exit 1")
    other = SampleProject(tmp_path / "other")
    for name in ("ruff", "mypy", "pytest"):
        other.tool(name, "exit 0")
    assert project.run("--no-format", VIRTUAL_ENV=str(other.bin.parent)).ended["mypy"] == ("failed", 1)


def test_a_tool_without_a_script_is_run_as_a_module(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.mypy]\n", "demo.py": ""})
    project.write({".venv/lib/python3.11/site-packages/mypy/__main__.py": "raise SystemExit(1)\n"})
    (project.bin / "python").unlink()
    project.tool("python", '[ "$1 $2" = "-m mypy" ] && exit 1; exit 99')
    assert project.run().ended == {"mypy": ("failed", 1)}


def test_a_project_to_which_no_gate_applies_is_refused_and_not_passed(project: SampleProject) -> None:
    project.write({"notes.txt": "nothing here"})
    outcome = project.run()
    assert outcome.exit_code == 2
    assert outcome.terminal == ["cli.guard-rails.failed"]
    assert "skipped: no config" in outcome.stdout
    assert "no gate applies" in outcome.stderr


def test_a_project_without_any_config_runs_the_tests_that_it_has(project: SampleProject) -> None:
    project.write({"test_demo.py": "def test(): pass\n"})
    project.tool("pytest", "exit 0")
    outcome = project.run()
    assert outcome.exit_code == 0
    assert outcome.ended == {"pytest": ("passed", 0)}
    assert "skipped: ruff check, ruff format, mypy, ty, pyright: no config" in outcome.stdout


def test_fix_passes_come_first_and_the_checks_see_their_work(project: SampleProject) -> None:
    _with_tools(
        project,
        ruff='case "$*" in "format .") echo "x = 2" > demo.py;; "format --check .") grep -q 2 demo.py;; esac',
    )
    outcome = project.run()
    assert outcome.exit_code == 0
    phases = [p["phase"] for p in outcome.payloads("guard-rails.step.start")]
    assert phases == sorted(phases, reverse=True)
    assert (project.root / "demo.py").read_text() == "x = 2\n"
    fixed = [p for p in outcome.payloads("guard-rails.step.complete") if p.get("changed_files")]
    assert [(p["step"], p["phase"], p["changed_files"]) for p in fixed] == [("ruff format", "fix", 1)]


def test_no_format_leaves_the_fix_passes_out_and_keeps_the_checks(project: SampleProject) -> None:
    _with_tools(
        project,
        ruff='[ "$1 $2" = "format --check" ] && exit 1; [ "$1 $2" = "check --no-fix" ] || echo "x = 2" > demo.py',
    )
    outcome = project.run("--no-format")
    assert outcome.exit_code == 1
    assert outcome.payloads("cli.guard-rails.failed")[0]["step"] == "ruff format"
    assert outcome.payloads("cli.guard-rails.start")[0]["skip_format"] is True
    assert (project.root / "demo.py").read_text() == "x = 1\n"


def test_a_check_that_rewrites_files_fails_although_it_returned_0(project: SampleProject) -> None:
    _with_tools(project, mypy="echo 'y = 1' >> demo.py")
    outcome = project.run("--no-format", "--jobs", "1")
    assert outcome.exit_code == 1
    assert outcome.ended["mypy"] == ("failed", 0)
    assert "changed 1 file: demo.py" in outcome.stdout
    assert outcome.ended["pytest"] == ("passed", 0)


def _git(project: SampleProject) -> None:
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "sample"]):
        subprocess.run(["git", *arguments], cwd=project.root, check=True)


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("demo.py", "failed"),
        ("data.bin", "failed"),
        ("built/out.py", "passed"),
        ("new.py", "passed"),
        ("x.log", "passed"),
    ],
    ids=["tracked source", "tracked data", "ignored", "untracked", "untracked and ignored by name"],
)
def test_in_a_repository_a_check_may_write_what_git_does_not_track(
    project: SampleProject, written: str, status: str
) -> None:
    project.write(
        {".gitignore": ".venv\nbuilt\n", "built/out.py": "", "data.bin": "", "pyproject.toml": "[tool.mypy]\n"}
    )
    project.write({"demo.py": ""})
    _git(project)
    project.write({"new.py": "", "x.log": ""})
    project.tool("mypy", f"echo 1 >> {written}")
    outcome = project.run()
    assert outcome.ended == {"mypy": (status, 0)}
    assert (f"changed 1 file: {written}" in outcome.stdout) == (status == "failed")


def test_a_repository_that_git_refuses_is_guarded_whole(project: SampleProject) -> None:
    project.write({".git/HEAD": "no repository\n", "pyproject.toml": "[tool.mypy]\n", "demo.py": "", "data.bin": ""})
    project.tool("mypy", "echo 1 >> data.bin")
    assert project.run().ended == {"mypy": ("failed", 0)}


def test_output_of_a_test_run_is_no_changed_file(project: SampleProject) -> None:
    _with_tools(
        project, pytest="echo x > .coverage; echo y > coverage.xml; mkdir -p .pytest_cache; echo z > .pytest_cache/x"
    )
    assert project.run("--no-format").exit_code == 0
    assert project.run("--no-format", "--no-cache").exit_code == 0


@pytest.mark.parametrize("trap", ["fix = true", "fix-only = true", "fix = true\nfix-only = true\nunsafe-fixes = true"])
def test_a_config_that_fixes_changes_no_file_in_a_check(project: SampleProject, trap: str) -> None:
    project.write({"pyproject.toml": f"[tool.ruff]\n{trap}\n", "demo.py": "import os\n"})
    _real_tools(project, "ruff")
    outcome = project.run("--no-format")
    assert outcome.exit_code == 1
    assert outcome.ended["ruff check"] == ("failed", 1)
    assert (project.root / "demo.py").read_text() == "import os\n"


def test_a_linter_and_a_formatter_that_both_rewrite_give_one_stable_result(project: SampleProject) -> None:
    sources = {f"m{number}.py": "import sys, os\ndef  f( ):\n  return  os\n" for number in range(60)}
    project.write({"pyproject.toml": "[tool.ruff.lint]\nselect = ['I', 'F']\n", **sources})
    _real_tools(project, "ruff")
    assert project.run().exit_code == 0
    texts = {(project.root / name).read_text() for name in sources}
    assert texts == {"import os\n\n\ndef f():\n    return os\n"}
    assert project.run("--no-format", "--no-cache").exit_code == 0


def test_lint_alone_is_not_taken_for_ruffs_formatter_where_another_one_formats(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.ruff]\n[tool.black]\n", "demo.py": ""})
    project.tool("ruff", "exit 0")
    outcome = project.run()
    assert outcome.ended == {"ruff check": ("passed", 0)}
    assert "formatted by black" in outcome.stdout


def test_the_real_yamllint_reads_the_projects_files_and_nobody_elses(project: SampleProject) -> None:
    bad = "a:   1\n"
    project.write(
        {".yamllint": "extends: default\n", ".venv/x.yaml": bad, "node_modules/x/y.yml": bad, "env/z.yaml": bad}
    )
    project.write({"env/pyvenv.cfg": "", "ok.yaml": "a: 1\n", ".github/workflows/ci.yml": "a: 1\n", "docs/a.md": ""})
    _real_tools(project, "yamllint")
    assert project.run().ended == {"yamllint": ("passed", 0)}
    project.write({".github/workflows/ci.yml": bad})
    outcome = project.run("--output", "github")
    assert outcome.ended == {"yamllint": ("failed", 1)}
    place = "file=.github/workflows/ci.yml,line=1,col=5"
    assert f"::error title=yamllint,{place}::[error] too many spaces after colon (colons)" in outcome.stdout
    project.write({".yamllint": "rules:\n  nothing: enable\n"})
    assert project.run().ended["yamllint"][0] == "error"


@pytest.mark.slow
def test_the_real_tools_pass_a_good_project_and_find_each_fault(project: SampleProject) -> None:
    project.write(
        {
            "pyproject.toml": "[tool.ruff]\n[tool.mypy]\nstrict = true\n[tool.pytest.ini_options]\n",
            "demo.py": "def f(x: int) -> int:\n    return x + 1\n",
            "test_demo.py": "from demo import f\n\n\ndef test_f() -> None:\n    assert f(1) == 2\n",
        }
    )
    _real_tools(project, "ruff", "mypy", "pytest")
    assert project.run(PYTHONPATH=str(project.root)).exit_code == 0
    project.write({"demo.py": "import os\n\n\ndef f(x: int) -> str:\n    return x + 2\n"})
    ended = project.run("--no-format", PYTHONPATH=str(project.root)).ended
    assert {step for step, (status, _) in ended.items() if status == "failed"} == {"ruff check", "mypy", "pytest"}


def test_runs_from_a_subfolder_check_the_whole_project(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.mypy]\n", "src/demo/__init__.py": ""})
    project.tool("mypy", "pwd > where.txt")
    assert project.run(cwd=project.root / "src" / "demo").exit_code == 0
    assert (project.root / "where.txt").read_text().strip() == str(project.root)


def test_in_a_monorepo_the_nearest_project_is_taken_with_the_environment_above(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.mypy]\n", ".git/HEAD": "ref: refs/heads/main\n", "uv.lock": ""})
    project.write({"packages/a/pyproject.toml": "[tool.mypy]\n", "packages/a/src/a.py": ""})
    project.tool("mypy", "pwd > where.txt")
    nearest = project.root / "packages" / "a"
    assert project.run(cwd=nearest / "src").exit_code == 0
    assert (nearest / "where.txt").read_text().strip() == str(nearest)


def test_a_path_argument_names_the_project(project: SampleProject, tmp_path: Path) -> None:
    _with_tools(project)
    assert project.run("--no-format", str(project.root), cwd=tmp_path).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--jobs", "0"],
        ["--timeout", "-1"],
        ["--timeout", "nan"],
        ["--timeout", "inf"],
        ["--timeout", "0"],
        ["--timeout", "soon"],
        ["--output", "xml"],
        ["--step", "mypi"],
        ["--skip", "nobody"],
        ["--why", "nobody"],
        ["--remediate"],
        ["--drift", "--step", "mypy"],
        ["--drift", "--jobs", "2"],
        ["--drift", "--no-cache"],
        ["--plan", "--why", "mypy"],
        ["--junit", "x", "--report", "x"],
        ["--plan", "--junit", "x.xml"],
        ["--why", "mypy", "--report", "x.json"],
        ["no/such/folder"],
        ["--junit", "no/such/folder/x.xml"],
        ["--report", "."],
    ],
    ids=" ".join,
)
def test_bad_input_is_refused_with_2_before_anything_runs(project: SampleProject, arguments: list[str]) -> None:
    _with_tools(project, mypy="touch ran", ruff="touch ran", pytest="touch ran")
    outcome = project.run(*arguments)
    assert outcome.exit_code == 2
    assert not (project.root / "ran").exists()
    assert "Traceback" not in outcome.stderr
    assert len(outcome.terminal) == len(outcome.payloads("cli.guard-rails.start"))


def test_a_misspelt_step_is_answered_with_the_nearest(project: SampleProject) -> None:
    _with_tools(project)
    assert "did you mean 'mypy'" in project.run("--step", "mypi").stderr
    assert "did you mean 'types'" in project.run("--skip", "tipes").stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.mypy\n", "not valid TOML"),
        ("[tool.hephaestus.guard-rails]\njops = 2\n", "jops"),
        ("[tool.hephaestus.guard-rails]\njobs = 'many'\n", "jobs"),
        ("[[tool.hephaestus.guard-rails.steps]]\nname = 'x'\ncommand = 'ruff check'\n", "command"),
        ("[[tool.hephaestus.guard-rails.steps]]\nname = 'mypy'\ncommand = ['true']\n", "two steps are called 'mypy'"),
        ("[[tool.hephaestus.guard-rails.steps]]\nname = 'x'\n", "needs a command"),
        ("[[tool.hephaestus.guard-rails.steps]]\nname = 'x'\ncommand = ['true']\nneeds = ['y']\n", "needs 'y'"),
    ],
)
def test_a_faulty_configuration_is_refused_with_2_and_a_terminal_event(
    project: SampleProject, text: str, said: str
) -> None:
    project.write({"pyproject.toml": text, "demo.py": ""})
    outcome = project.run()
    assert outcome.exit_code == 2
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert outcome.terminal == ["cli.guard-rails.failed"]


OWN_STEPS = """
[[tool.hephaestus.guard-rails.steps]]
name = "docs"
command = ["sh", "-c", "echo documented > docs.out"]

[[tool.hephaestus.guard-rails.steps]]
name = "publish check"
command = ["sh", "-c", "cat docs.out"]
needs = ["docs"]

[[tool.hephaestus.guard-rails.steps]]
name = "rare"
command = ["sh", "-c", "exit 1"]
opt-in = true
"""


def test_steps_of_the_projects_own_run_in_the_order_of_their_needs(project: SampleProject) -> None:
    project.write({"pyproject.toml": OWN_STEPS})
    outcome = project.run("--jobs", "4")
    assert outcome.exit_code == 0
    assert outcome.ended == {"docs": ("passed", 0), "publish check": ("passed", 0)}
    assert "rare: opt-in" in outcome.stdout
    assert project.run("--step", "rare").exit_code == 1


def test_a_command_is_never_read_by_a_shell(project: SampleProject) -> None:
    command = "['true', 'install', 'ruff>=0.14', '; touch x']"
    step = f"[[tool.hephaestus.guard-rails.steps]]\nname = 'pip'\ncommand = {command}\n"
    project.write({"pyproject.toml": step})
    assert project.run().exit_code == 0
    assert sorted(path.name for path in project.root.iterdir()) == [".venv", "pyproject.toml"]


def test_steps_get_the_trace_and_the_run_id(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.mypy]\n", "demo.py": ""})
    project.tool("mypy", 'echo "$TRACEPARENT $HEPHAESTUS_RUN_ID $VIRTUAL_ENV" > said.txt')
    outcome = project.run()
    trace, run_id, environment = (project.root / "said.txt").read_text().split()
    assert run_id == outcome.events[0]["run_id"]
    assert [len(part) for part in trace.split("-")] == [2, 32, 16, 2]
    assert environment == str(project.bin.parent)


def test_a_step_that_runs_guard_rails_itself_works(project: SampleProject) -> None:
    inner = json.dumps([sys.executable, "-m", "hephaestus", "guard-rails", "--step", "inner"])
    project.write(
        {
            "pyproject.toml": f"[[tool.hephaestus.guard-rails.steps]]\nname = 'outer'\ncommand = {inner}\n"
            "[[tool.hephaestus.guard-rails.steps]]\nname = 'inner'\ncommand = ['true']\n"
        }
    )
    assert project.run("--step", "outer").ended == {"outer": ("passed", 0)}


def test_plan_tells_a_missing_tool_and_writes_commands_as_a_person_types_them(project: SampleProject) -> None:
    _with_tools(project)
    (project.bin / "mypy").unlink()
    rows = {line.split("  ")[0]: line for line in project.run("--plan").stdout.splitlines()}
    assert ".venv/bin/ruff check --no-fix --no-fix-only ." in rows["ruff check"]
    assert str(project.root) not in rows["ruff check"]
    assert "missing" in rows["mypy"]


def test_plan_shows_commands_and_reasons_and_runs_nothing(project: SampleProject) -> None:
    _with_tools(project, mypy="touch ran")
    outcome = project.run("--plan")
    assert outcome.exit_code == 0
    assert "[tool.mypy] in pyproject.toml" in outcome.stdout
    assert "skipped: no config" in outcome.stdout
    assert outcome.events == []
    assert not (project.root / "ran").exists()
    plan = json.loads(project.run("--plan", "--output", "json").stdout)["plan"]
    fixes = {entry["step"]: entry["fix"] for entry in plan if entry["fix"]}
    assert fixes.keys() == {"ruff check", "ruff format"}
    assert "--no-fix" in next(entry["check"] for entry in plan if entry["step"] == "ruff check")


def test_why_tells_machines_too(project: SampleProject) -> None:
    _with_tools(project)
    told = [json.loads(project.run("--why", step, "--output", "json").stdout) for step in ("mypy", "ty")]
    assert told == [
        {"step": "mypy", "runs": True, "reason": "no pass of it is kept"},
        {"step": "ty", "runs": False, "reason": "no config: neither configured nor declared"},
    ]


def test_mypy_gets_no_paths_when_its_config_names_files(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.mypy]\nfiles = ['demo.py']\n", "demo.py": "", "src/a.py": ""})
    project.tool("mypy", 'echo "[$*]" > said.txt')
    assert project.run().exit_code == 0
    assert (project.root / "said.txt").read_text() == "[]\n"


def test_step_and_skip_take_names_groups_and_tools(project: SampleProject) -> None:
    _with_tools(project)
    assert set(project.run("--step", "ruff").ended) == {"ruff check", "ruff format"}
    assert set(project.run("--step", "types", "--step", "PYTEST").ended) == {"mypy", "pytest"}
    assert set(project.run("--skip", "format", "--skip", "mypy").ended) == {"ruff check", "pytest"}


def test_fail_fast_leaves_the_rest_out(project: SampleProject) -> None:
    _with_tools(project, ruff='[ "$1" = format ] || exit 1', mypy="sleep 30", pytest="sleep 30")
    outcome = project.run("--no-format", "--fail-fast", "--jobs", "1", "--skip", "mypy")
    assert outcome.exit_code == 1
    assert outcome.payloads("cli.guard-rails.failed")[0]["step"] == "ruff check"
    skipped = {each["step"]: each["reason"] for each in outcome.payloads("guard-rails.step.skipped")}
    assert skipped == dict.fromkeys(["ruff format", "pytest"], "--fail-fast: ruff check did not pass")


def test_a_time_out_is_124_and_leaves_nothing_running(project: SampleProject) -> None:
    _with_tools(project, pytest="echo $$ > a.pid; (sleep 600 & echo $! > b.pid; wait) & sleep 600")
    outcome = project.run("--no-format", "--timeout", "1.5", "--skip", "mypy")
    assert outcome.exit_code == 124
    assert outcome.payloads("cli.guard-rails.failed")[0] == {
        **outcome.payloads("cli.guard-rails.failed")[0],
        "step": "pytest",
        "returncode": -15,
    }
    assert survivors(project.root) == []

"""Reusing passes: only what is unchanged, and a reason for every rerun."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hephaestus_guard_rails._files import FileTree
from hephaestus_guard_rails._history import History
from hephaestus_guard_rails._store import Store
from hephaestus_guard_rails.testing import SampleProject


@pytest.fixture
def project(tmp_path: Path) -> SampleProject:
    """A project with an empty environment."""
    return SampleProject(tmp_path / "demo")


@pytest.fixture
def passing(project: SampleProject) -> SampleProject:
    """A project that passed once; each run of mypy leaves a line in a file that is no input."""
    project.write({"pyproject.toml": "[tool.mypy]\n", "demo.py": "x = 1\n"})
    project.tool("mypy", f"echo ran >> {project.root.parent}/runs")
    assert project.run().exit_code == 0
    return project


def _runs(project: SampleProject) -> int:
    return len((project.root.parent / "runs").read_text().splitlines())


def test_an_unchanged_project_is_answered_from_the_kept_pass(passing: SampleProject) -> None:
    outcome = passing.run()
    assert outcome.exit_code == 0
    assert _runs(passing) == 1
    end = outcome.payloads("guard-rails.step.complete")[0]
    assert (end["cached"], end["status"], end["returncode"]) == (True, "passed", 0)
    assert outcome.terminal == ["cli.guard-rails.complete"]


def test_no_cache_runs_everything_and_ci_does_so_by_itself(passing: SampleProject) -> None:
    passing.run("--no-cache")
    passing.run(CI="true")
    assert _runs(passing) == 3
    passing.run("--cache", CI="true")
    assert _runs(passing) == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p.write({"demo.py": "x = 2\n"}), "demo.py changed"),
        (lambda p: p.write({"new.py": ""}), "new.py is new"),
        (lambda p: (p.root / "demo.py").rename(p.root / "other.py"), "demo.py is gone"),
        (lambda p: p.write({"pyproject.toml": "[tool.mypy]\nstrict = true\n"}), "pyproject.toml changed"),
        (lambda p: p.write({"uv.lock": "version = 1\n"}), "uv.lock is new"),
        (lambda p: p.tool("mypy", "exit 0"), "tool differs"),
        (lambda p: p.installed("attrs", "26.1.0"), "installed differs"),
    ],
    ids=["content", "new file", "renamed file", "config", "lock", "tool", "environment"],
)
def test_whatever_decides_the_result_makes_the_step_run_again_and_why_says_it(
    passing: SampleProject, change: object, reason: str
) -> None:
    assert callable(change)
    assert "would not run" in passing.run("--why", "mypy").stdout
    change(passing)
    assert reason in passing.run("--why", "mypy").stdout
    assert passing.run().payloads("guard-rails.step.complete")[0]["cached"] is False


def test_a_declared_variable_is_part_of_the_key(passing: SampleProject) -> None:
    assert "variables differs" in passing.run("--why", "mypy", MYPYPATH="elsewhere").stdout


def test_a_change_that_keeps_size_and_time_is_still_seen(passing: SampleProject) -> None:
    """A formatter may write a file of the same size within the clock's grain and set its time back."""
    path = passing.root / "demo.py"
    status = path.stat()
    path.write_text("x = 9\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    passing.run()
    assert _runs(passing) == 2


def test_files_that_do_not_matter_to_a_step_do_not_make_it_run(passing: SampleProject) -> None:
    passing.write({"notes.txt": "x", "__pycache__/demo.pyc": "x"})
    os.utime(passing.root / "demo.py")
    passing.run()
    assert _runs(passing) == 1


def test_a_failure_is_never_kept(passing: SampleProject) -> None:
    passing.tool("mypy", f"echo ran >> {passing.root.parent}/runs; exit 1")
    assert [passing.run().exit_code for _ in range(2)] == [1, 1]
    assert _runs(passing) == 3


def test_going_back_to_an_earlier_state_finds_its_pass_again(passing: SampleProject) -> None:
    passing.write({"demo.py": "x = 2\n"})
    passing.run()
    passing.write({"demo.py": "x = 1\n"})
    passing.run()
    assert _runs(passing) == 2


def test_another_environments_code_outside_the_project_counts(passing: SampleProject, tmp_path: Path) -> None:
    """A package that is installed in editable mode from a folder beside the project decides results too."""
    sibling = tmp_path / "sibling"
    sibling.mkdir()
    (sibling / "lib.py").write_text("y = 1\n")
    passing.installed("sibling", "1")
    record = f'{{"url": "file://{sibling}", "dir_info": {{"editable": true}}}}'
    site = ".venv/lib/python3.11/site-packages/sibling-1.dist-info"
    passing.write({f"{site}/direct_url.json": record})
    passing.run()
    assert "would not run" in passing.run("--why", "mypy").stdout
    (sibling / "lib.py").write_text("y = 2\n")
    assert "lib.py changed" in passing.run("--why", "mypy").stdout


@pytest.mark.parametrize("content", ["", "{", "[]", '{"mypy": 1}', '{"mypy": {"digests": 3}}', "\x00"])
def test_a_damaged_cache_is_as_good_as_none(passing: SampleProject, content: str) -> None:
    cache = passing.root.parent / "demo-cache"
    for path in cache.rglob("*.json"):
        path.write_text(content)
    assert passing.run().exit_code == 0


def test_a_cache_folder_that_cannot_be_made_costs_only_the_reuse(passing: SampleProject, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert passing.run(XDG_CACHE_HOME=str(tmp_path / "file")).exit_code == 0


def test_without_xdg_the_cache_lies_in_the_home_folder(passing: SampleProject, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert passing.run(XDG_CACHE_HOME="", HOME=str(home)).exit_code == 0
    assert list(home.rglob("hephaestus/guard-rails/*/passes.json"))


def test_fix_passes_are_skipped_where_the_check_is_known_to_pass(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.ruff]\n", "demo.py": "x = 1\n"})
    project.tool("ruff", "exit 0")
    project.run()
    assert {p["phase"] for p in project.run().payloads("guard-rails.step.start")} == {"check"}


def test_a_step_without_inputs_is_never_reused(project: SampleProject) -> None:
    step = "[[tool.hephaestus.guard-rails.steps]]\nname = 'x'\ncommand = ['true']\n"
    project.write({"pyproject.toml": step})
    project.run()
    assert project.run().payloads("guard-rails.step.complete")[0]["cached"] is False
    assert "it declares no inputs" in project.run("--why", "x").stdout


def test_the_tree_names_changed_files_and_not_rewritten_equal_ones(tmp_path: Path) -> None:
    for name in ("same.py", "changed.py", "gone.py"):
        (tmp_path / name).write_text("x")
    tree = FileTree.scan(tmp_path)
    for name in tree.signatures:
        tree.digest(name)
    time.sleep(0.01)
    (tmp_path / "same.py").write_text("x")
    (tmp_path / "changed.py").write_text("y")
    (tmp_path / "gone.py").unlink()
    (tmp_path / "new.py").write_text("z")
    assert tree.refresh() == ["changed.py", "gone.py"]
    assert tree.refresh() == []


def test_history_believes_a_lasting_change_and_forgets_an_outlier(tmp_path: Path) -> None:
    store = Store(tmp_path, tmp_path / "cache")
    for seconds in (1.0, 9.0, 1.0, 1.0, 1.0):
        History(store).record({"a": seconds})
    assert 1.0 < History(store).expected("a") < 2.0
    assert History(store).expected("unknown") == float("inf")

"""A source that can't be read is named with its line, and takes no other source with it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hephaestus.errors import UsageError
from hephaestus_guard_rails.drift import DriftReport, check

GOOD = {"requirements.txt": "black==24.8.0\n"}
LOCK_HEAD = '[[package]]\nname = "ruff"\nversion = "0.6.9"\n'

MALFORMED: dict[str, tuple[dict[str, str | bytes], str]] = {
    "broken TOML": ({"pyproject.toml": "[project]\nname = \n"}, "pyproject.toml:2: not valid TOML: Invalid value"),
    "TOML that ends too early": ({"mise.toml": '[tools]\nx = ["a",\n'}, "mise.toml:3: not valid TOML"),
    "a lock with an unresolved merge": (
        {"uv.lock": f"{LOCK_HEAD}<<<<<<< HEAD\n"},
        "uv.lock:4: not valid TOML",
    ),
    "a merge inside an array of a lock": (
        {"poetry.lock": f"{LOCK_HEAD}files = [\n<<<<<<< HEAD\n]\n"},
        "poetry.lock:5: not valid TOML",
    ),
    "a lock's package without a name": ({"pdm.lock": '[[package]]\nversion = "1"\n'}, "pdm.lock:1: a package without"),
    "broken YAML": (
        {".pre-commit-config.yaml": "repos:\n  - repo: [\n"},
        ".pre-commit-config.yaml:3: not valid YAML",
    ),
    "a tab in YAML": ({".pre-commit-config.yaml": "repos:\n\t- x\n"}, ".pre-commit-config.yaml:2: not valid YAML"),
    "a control character in YAML": (
        {".pre-commit-config.yaml": "repos:\n- \x07\n"},
        ".pre-commit-config.yaml:2: not valid YAML",
    ),
    "hooks without repositories": (
        {".pre-commit-config.yaml": "hooks: []\n"},
        ".pre-commit-config.yaml:1: no list of repos",
    ),
    "a repository without a revision": (
        {".pre-commit-config.yaml": "repos:\n- repo: https://x.invalid/ruff-pre-commit\n  hooks: []\n"},
        ".pre-commit-config.yaml:2: ruff: the repository has no rev",
    ),
    "bytes that are no text": ({"pyproject.toml": b"[project]\nname = '\xff'\n"}, "pyproject.toml:2: not UTF-8 text"),
    "a requirement that is none": (
        {"requirements/a.txt": "# x\nruff >= = 1\n"},
        "requirements/a.txt:2: not a requirement",
    ),
    "a specifier that is none": (
        {"pyproject.toml": '[tool.ruff]\nrequired-version = ">=x!"\n'},
        "pyproject.toml:2: ruff: Invalid specifier",
    ),
    "an included file that is absent": (
        {"requirements-dev.txt": "ruff\n-r gone.txt\n"},
        "requirements-dev.txt:2: includes 'gone.txt', which does not exist",
    ),
    "a group that is no list": (
        {"pyproject.toml": '[dependency-groups]\nlint = "ruff"\n'},
        "pyproject.toml:2: dependency-groups.lint is not an array",
    ),
    "a table that is none": ({"pyproject.toml": 'tool = "x"\n'}, "pyproject.toml:1: tool is not a table"),
    "an entry of a group that is none": (
        {"pyproject.toml": "[dependency-groups]\nlint = [3]\n"},
        "pyproject.toml:2: group lint: not a requirement: 3",
    ),
    "an included group that is absent": (
        {"pyproject.toml": '[dependency-groups]\nlint = [\n  {include-group = "gone"},\n]\n'},
        "pyproject.toml:3: no dependency group 'gone'",
    ),
    "groups that include each other": (
        {"pyproject.toml": '[dependency-groups]\na = [{include-group = "b"}]\nb = [{include-group = "a"}]\n'},
        "pyproject.toml:2: dependency group 'a' includes itself",
    ),
    "a group named like an option": (
        {"pyproject.toml": '[dependency-groups]\n"--upgrade" = ["ruff"]\n'},
        "pyproject.toml:2: '--upgrade' is not a valid name of a group",
    ),
    "a constraint of poetry that is none": (
        {"pyproject.toml": '[tool.poetry.dependencies]\nruff = "^x"\n'},
        "pyproject.toml:2: ruff: not a version constraint: '^x'",
    ),
    "a version of poetry that is none": (
        {"pyproject.toml": '[tool.poetry.dependencies]\nruff = "newest!"\n'},
        "pyproject.toml:2: ruff: Invalid specifier",
    ),
    "a dependency of poetry without a version": (
        {"pyproject.toml": "[tool.poetry.dependencies]\nruff = {optional = true}\n"},
        "pyproject.toml:2: ruff: neither a version nor a table with a version",
    ),
    "a tool without a version": ({".tool-versions": "node 20\nruff\n"}, ".tool-versions:2: ruff: no version"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_source_is_named_and_the_others_are_judged(
    case: str, check_drift: Callable[..., DriftReport]
) -> None:
    files, expected = MALFORMED[case]

    report = check_drift({**GOOD, **files}, {"black": "24.10.0", "ruff": "0.6.9"})

    assert str(report.problems[0]).startswith(expected)
    assert "black" in report.drifted_tools
    assert report.comparable is False
    assert json.loads(json.dumps(report.to_json()))["problems"][0]["line"] == report.problems[0].line


def test_other_lines_of_a_file_with_a_bad_line_are_judged(check_drift: Callable[..., DriftReport]) -> None:
    report = check_drift({"requirements.txt": "mypy ==\nruff==0.6.9\n"}, {"ruff": "0.5", "mypy": "1"})

    assert [problem.line for problem in report.problems] == [1]
    assert report.drifted_tools == ["ruff"]


def test_toml_nested_without_end_is_a_problem_of_that_file(check_drift: Callable[..., DriftReport]) -> None:
    report = check_drift({**GOOD, "pyproject.toml": "x = " + "[" * 100_000}, {"black": "24.10.0"})

    assert [problem.file for problem in report.problems] == ["pyproject.toml"]
    assert report.drifted_tools == ["black"]


def test_yaml_nested_without_end_is_a_problem_of_that_file(check_drift: Callable[..., DriftReport]) -> None:
    report = check_drift({**GOOD, ".pre-commit-config.yaml": "[" * 20_000}, {"black": "24.10.0"})

    assert [problem.file for problem in report.problems] == [".pre-commit-config.yaml"]
    assert report.drifted_tools == ["black"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_place_of_a_source_is_not_waited_for(project: Path) -> None:
    os.mkfifo(project / "requirements.txt")
    os.mkfifo(project / "uv.lock")

    assert check(project, environment=None).problems == ()


def test_files_that_include_each_other_are_read_once(check_drift: Callable[..., DriftReport]) -> None:
    report = check_drift({"requirements.txt": "-r a.txt\n", "a.txt": "-r a.txt\n-r requirements.txt\nruff\n"}, {})

    assert len(report.findings) == 1


def test_a_root_that_is_no_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a folder"):
        check(tmp_path / "gone", environment=None)

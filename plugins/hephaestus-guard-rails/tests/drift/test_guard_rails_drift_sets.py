"""Sets of dependencies that an environment leaves out: their tools are not missed, unless it has yet to be filled."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hephaestus_guard_rails.drift import DriftReport
from hephaestus_guard_rails.drift._sets import is_development_set

CheckDrift = Callable[..., DriftReport]

EXTRAS = '[project.optional-dependencies]\nlint = ["ruff", "mypy"]\ntest = ["pytest"]\n'

INCLUDED = (
    '[dependency-groups]\ndev = [{include-group = "a"}]\na = [{include-group = "b"}]\nb = ["ruff"]\nc = ["pytest"]\n'
)


def missing(report: DriftReport) -> list[str]:
    return [finding.tool for finding in report.findings if finding.kind.value == "missing"]


def test_a_set_of_which_nothing_is_installed_is_left_out(check_drift: CheckDrift) -> None:
    report = check_drift({"pyproject.toml": EXTRAS}, {"pytest": "8.3"})

    assert missing(report) == []
    assert report.absent == ("mypy", "ruff")
    assert report.comparable


def test_a_set_of_which_something_is_installed_misses_the_rest(check_drift: CheckDrift) -> None:
    report = check_drift({"pyproject.toml": EXTRAS}, {"pytest": "8.3", "ruff": "0.6"})

    assert missing(report) == ["mypy"]
    assert report.absent == ()


def test_an_empty_environment_misses_every_set(check_drift: CheckDrift) -> None:
    assert missing(check_drift({"pyproject.toml": EXTRAS}, {"requests": "2"})) == ["mypy", "pytest", "ruff"]


def test_a_tool_that_two_sets_share_tells_nothing_of_either(check_drift: CheckDrift) -> None:
    files = {"requirements/dev.txt": "pytest\n", "requirements/peers.txt": "-c dev.txt\npytest\nnox\n"}

    report = check_drift(files, {"pytest": "8.3"})

    assert (missing(report), report.absent) == ([], ("nox",))


@pytest.mark.parametrize(
    "pyproject",
    [
        '[dependency-groups]\ndev = ["ruff"]\ntest = ["pytest"]\n',
        INCLUDED,
        '[dependency-groups]\nlint = ["ruff"]\ntest = ["pytest"]\n[tool.uv]\ndefault-groups = ["lint"]\n',
        '[dependency-groups]\nlint = ["ruff"]\ntest = ["pytest"]\n[tool.uv]\ndefault-groups = "all"\n',
        '[project]\ndependencies = ["ruff"]\noptional-dependencies.test = ["pytest"]\n',
        '[tool.pdm.dev-dependencies]\nlint = ["ruff"]\ntest = ["pytest"]\n',
        '[tool.poetry.group.lint.dependencies]\nruff = "*"\n[tool.poetry.group.test.dependencies]\npytest = "*"\n',
    ],
)
def test_a_set_that_comes_unasked_is_always_missed(pyproject: str, check_drift: CheckDrift) -> None:
    assert missing(check_drift({"pyproject.toml": pyproject}, {"pytest": "8.3"})) == ["ruff"]


def test_an_optional_group_of_poetry_may_be_left_out(check_drift: CheckDrift) -> None:
    pyproject = (
        "[tool.poetry.group.lint]\noptional = true\n"
        '[tool.poetry.group.lint.dependencies]\nruff = "*"\n[tool.poetry.group.test.dependencies]\npytest = "*"\n'
    )

    assert check_drift({"pyproject.toml": pyproject}, {"pytest": "8.3"}).absent == ("ruff",)


def test_what_a_development_file_includes_is_missed(check_drift: CheckDrift) -> None:
    files = {"requirements/a.txt": "ruff\n", "requirements/dev.txt": "-r a.txt\n", "requirements/test.txt": "pytest\n"}

    assert missing(check_drift(files, {"pytest": "8.3"})) == ["ruff"]


def test_a_set_left_out_is_judged_against_the_others_all_the_same(check_drift: CheckDrift) -> None:
    files = {"requirements/dev.txt": "pytest\n", "requirements/peers.txt": "nox==1\n", ".tool-versions": "nox 2.0.0\n"}

    report = check_drift(files, {"pytest": "8.3"})

    assert report.drifted_tools == ["nox"]
    assert report.mend == []


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("dev", True),
        ("requirements", True),
        ("requirements-dev", True),
        ("requirements/dev", True),
        ("dev_tools", True),
        ("development", True),
        ("docs", False),
        ("requirements/bench", False),
        ("device", False),
        ("devpi", False),
    ],
)
def test_a_development_set_is_known_by_its_name(name: str, *, is_one: bool) -> None:
    assert is_development_set(name) is is_one

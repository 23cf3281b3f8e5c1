"""The check of dependencies before an installation says what `pip check` would say after it."""

from __future__ import annotations

import pytest

from hephaestus_release._dependencies import Project, misfits

LINUX = {"sys_platform": "linux", "python_version": "3.12", "platform_system": "Linux"}


def project(name: str, version: str = "1.0", *requires: str) -> Project:
    return Project(name, version, requires)


@pytest.mark.parametrize(
    "requirement",
    [
        "alpha",
        "Alpha >= 1.0",
        "alpha[extra]",
        "absent; sys_platform == 'win32'",
        "absent; extra == 'tests'",
        "alpha<2; python_version >= '3.8'",
        "not a requirement at all",
    ],
)
def test_what_fits_is_accepted(requirement: str) -> None:
    for new, installed in (([project("alpha")], []), ([], [project("ALPHA")])):
        assert misfits([project("beta", "2", requirement), *new], installed, LINUX) == []


@pytest.mark.parametrize(
    ("requirement", "line"),
    [
        ("absent", "beta 2 requires absent, which is missing"),
        ("absent; sys_platform == 'linux'", "beta 2 requires absent, which is missing"),
        ("alpha>1", "beta 2 requires alpha>1, but there would be 1.0"),
    ],
)
def test_what_does_not_fit_is_named(requirement: str, line: str) -> None:
    assert misfits([project("beta", "2", requirement)], [project("alpha")], LINUX) == [line]


def test_what_is_installed_may_not_be_broken_by_what_comes() -> None:
    installed = [project("alpha"), project("old", "1", "alpha<2")]
    assert misfits([project("Alpha", "2.0")], installed, LINUX) == ["old 1 requires alpha<2, but there would be 2.0"]
    assert misfits([project("alpha", "1.5rc1")], installed, LINUX) == []


def test_troubles_of_others_are_left_out() -> None:
    assert misfits([project("beta")], [project("old", "1", "absent", "older>3"), project("older")], LINUX) == []

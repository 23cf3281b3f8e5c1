"""What is installed: read from folder names, for the right Python, without starting it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus_guard_rails.drift import DriftReport, check
from hephaestus_guard_rails.drift._target import Target

FILES = {"requirements.txt": "ruff==0.6.9\n"}


def site_packages(environment: Path, python: str = "3.11") -> Path:
    path = environment / "lib" / f"python{python}" / "site-packages"
    path.mkdir(parents=True, exist_ok=True)
    return path


def test_installed_versions_are_those_of_the_metadata_folders(tmp_path: Path) -> None:
    folder = site_packages(tmp_path)
    for name in ("ruff-0.6.9.dist-info", "Pip_Audit-2.7.3.dist-info", "zope.interface-6.0.dist-info", "ruff", "x.pth"):
        (folder / name).mkdir()

    found = Target.read(tmp_path).installed({"ruff", "pip-audit", "zope-interface", "mypy"})

    assert found == {"ruff": ("0.6.9",), "pip-audit": ("2.7.3",), "zope-interface": ("6.0",)}


@pytest.mark.parametrize("name", ["black-24.8.0-py3.11.egg-info", "black-24.8.0.egg-info"])
def test_the_older_metadata_counts_as_folder_and_as_file(name: str, tmp_path: Path) -> None:
    (site_packages(tmp_path) / name).write_text("", encoding="utf-8")

    assert Target.read(tmp_path).installed({"black"}) == {"black": ("24.8.0",)}


def test_what_an_interrupted_uninstall_leaves_is_not_installed(tmp_path: Path) -> None:
    (site_packages(tmp_path) / "~uff-0.6.9.dist-info").mkdir()

    assert Target.read(tmp_path).installed({"ruff", "uff"}) == {}


def test_the_python_of_the_environment_is_the_one_it_says(tmp_path: Path) -> None:
    for python in ("3.10", "3.12", "3.9"):
        site_packages(tmp_path, python)
    (tmp_path / "pyvenv.cfg").write_text("version_info = 3.12.1.final.0\nhome = /x\n", encoding="utf-8")

    target = Target.read(tmp_path)

    assert target.python == "3.12.1"
    assert target.folders == (tmp_path / "lib" / "python3.12" / "site-packages",)


def test_without_a_configuration_the_folder_tells_the_python(tmp_path: Path) -> None:
    site_packages(tmp_path, "3.13")

    assert Target.read(tmp_path).python == "3.13"


def test_packages_of_the_base_count_where_the_environment_lets_them_in(tmp_path: Path) -> None:
    base, environment = tmp_path / "base", tmp_path / "venv"
    (site_packages(base) / "ruff-0.5.0.dist-info").mkdir()
    (site_packages(base) / "mypy-1.0.dist-info").mkdir()
    (site_packages(environment) / "ruff-0.6.9.dist-info").mkdir()
    settings = f"home = {base / 'bin'}\nversion = 3.11.7\ninclude-system-site-packages = "

    (environment / "pyvenv.cfg").write_text(f"{settings}true\n", encoding="utf-8")
    assert Target.read(environment).installed({"ruff", "mypy"}) == {"ruff": ("0.6.9",), "mypy": ("1.0",)}

    (environment / "pyvenv.cfg").write_text(f"{settings}false\n", encoding="utf-8")
    assert Target.read(environment).installed({"ruff", "mypy"}) == {"ruff": ("0.6.9",)}


@given(
    st.from_regex(r"[A-Za-z][A-Za-z0-9_.]{0,8}", fullmatch=True),
    st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}((a|rc|\.post|\.dev)[0-9])?(\+[a-z0-9.]{1,4})?", fullmatch=True),
)
def test_a_metadata_folder_is_split_into_name_and_version(name: str, version: str) -> None:
    from hephaestus_guard_rails.drift._target import _METADATA_NAME

    match = _METADATA_NAME.match(f"{name}-{version}.dist-info")

    assert match is not None
    assert (match["name"], match["version"]) == (name, version)


def test_without_an_environment_nothing_is_compared_but_sources_are(check_drift: Callable[..., DriftReport]) -> None:
    files = {**FILES, ".tool-versions": "ruff 0.6.8\n"}

    report = check_drift(files, None)

    assert [(finding.kind.value, finding.installed) for finding in report.findings] == [("divergence", None)]
    assert (report.compared, report.uncompared, report.comparable) == ((), ("ruff",), False)


def test_a_folder_without_packages_is_no_environment(project: Path) -> None:
    (project / "requirements.txt").write_text("ruff==0.6.9\n", encoding="utf-8")

    report = check(project, environment=project / ".venv")

    assert [str(problem) for problem in report.problems] == [
        ".venv:1: no site-packages here; make the environment anew"
    ]
    assert report.findings == ()
    assert not report.comparable


def test_a_tool_installed_twice_cannot_be_compared(project: Path, check_drift: Callable[..., DriftReport]) -> None:
    (site_packages(project / ".venv2") / "ruff-0.5.0.dist-info").mkdir()
    (site_packages(project / ".venv2") / "ruff-0.6.9.dist-info").mkdir()
    (project / "requirements.txt").write_text("ruff==0.6.9\n", encoding="utf-8")

    report = check(project, environment=project / ".venv2")

    assert "ruff is installed twice, as 0.5.0 and 0.6.9" in report.problems[0].message
    assert report.uncompared == ("ruff",)


def test_a_version_that_is_no_version_cannot_be_compared(check_drift: Callable[..., DriftReport]) -> None:
    report = check_drift(FILES, {"ruff": "unknown"})

    assert report.uncompared == ("ruff",)


def test_markers_are_those_of_the_environments_python(check_drift: Callable[..., DriftReport]) -> None:
    files = {"requirements.txt": "mypy==1.11.2 ; python_version < '3.10'\nmypy==1.14.1 ; python_version >= '3.10'\n"}

    report = check_drift(files, {"mypy": "1.11.2"}, python="3.9.18")

    assert report.findings == ()
    assert report.compared == ("mypy",)

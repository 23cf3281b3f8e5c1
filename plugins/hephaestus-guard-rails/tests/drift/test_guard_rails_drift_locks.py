"""Locks of real shape, and the promise that reading them by line is reading them as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus_guard_rails.drift import DriftReport
from hephaestus_guard_rails.drift._lock_lines import LockEntry, read_lines, read_toml

SAMPLES = Path(__file__).parent / "samples"
LOCKS = {"uv.lock": "package", "poetry.lock": "package", "pdm.lock": "package", "pylock.toml": "packages"}
DECLARED = {
    "uv.lock": '[dependency-groups]\nlint = ["ruff>=0.5", "mypy", "coverage"]\n',
    "pylock.toml": '[dependency-groups]\nlint = ["ruff>=0.5", "mypy", "coverage"]\n',
    "poetry.lock": '[tool.poetry.group.lint.dependencies]\nruff = "*"\nmypy = "*"\ncoverage = "*"\n',
    "pdm.lock": '[tool.pdm.dev-dependencies]\nlint = ["ruff", "mypy", "coverage"]\n',
}
# pytest is in every sample as something that another package needs, and so is never expected.
EXPECTED = {
    ("uv.lock", "3.9.2"): {"coverage": "==7.10.7", "mypy": "==1.11.2"},
    ("uv.lock", "3.10.1"): {"coverage": "==7.16.2", "mypy": "==2.4.1"},
    ("uv.lock", "3.13.0"): {"coverage": "==7.17.3", "mypy": "==2.4.1"},
    ("pylock.toml", "3.9.2"): {"coverage": "==7.10.7", "mypy": "==1.11.2"},
    ("pylock.toml", "3.13.0"): {"coverage": "==7.17.3", "mypy": "==2.4.1"},
    ("poetry.lock", "3.9.2"): {"coverage": "==7.6.10", "mypy": "==1.11.2"},
    ("poetry.lock", "3.13.0"): {"coverage": "==7.6.10", "mypy": "==1.14.1"},
    ("pdm.lock", "3.9.2"): {"coverage": "==7.6.10", "mypy": "==1.11.2"},
    ("pdm.lock", "3.13.0"): {"coverage": "==7.6.10", "mypy": "==1.14.1"},
}


# Made by poetry 2.5 and pdm 2.29 for the tables below; of each package's files the first two are kept, no address is.
WRITTEN = SAMPLES / "written"
WRITTEN_FOR = {
    "poetry.lock": """
        [project]
        name = "forge"
        requires-python = ">=3.9,<4.0"
        dependencies = ["attrs>=23"]
        [project.optional-dependencies]
        test = ["pytest>=7", "pytest-cov"]
        [tool.poetry.group.lint.dependencies]
        ruff = "^0.9"
        mypy = [{version = "1.11.2", python = "<3.10"}, {version = "^1.14", python = ">=3.10"}]
        [tool.poetry.group.docs]
        optional = true
        [tool.poetry.group.docs.dependencies]
        doc8 = "*"
    """,
    "pdm.lock": """
        [project]
        name = "forge"
        requires-python = ">=3.9"
        dependencies = ["attrs>=23"]
        [project.optional-dependencies]
        test = ["pytest>=7", "pytest-cov", "coverage[toml]"]
        [dependency-groups]
        lint = ["ruff~=0.9.0", "mypy"]
        [tool.pdm.dev-dependencies]
        old = ["yamllint"]
    """,
}
WRITTEN_EXPECTED = {
    ("poetry.lock", "3.9.2"): {"mypy": "==1.11.2", "ruff": "==0.9.10", "pytest": "==8.4.2", "doc8": "==1.1.2"},
    ("poetry.lock", "3.13.0"): {"mypy": "==1.20.2", "ruff": "==0.9.10", "pytest": "==9.2.0", "doc8": "==2.0.0"},
    ("pdm.lock", "3.9.2"): {"mypy": "==1.19.1", "ruff": "==0.9.10", "pytest": "==8.4.2", "yamllint": "==1.37.1"},
    ("pdm.lock", "3.13.0"): {"mypy": "==2.4.1", "ruff": "==0.9.10", "pytest": "==9.2.0", "yamllint": "==1.38.0"},
}


def as_toml(text: str, array: str) -> list[LockEntry]:
    return read_toml(tomllib.loads(text), text, array)


@pytest.mark.parametrize(("lock", "python"), EXPECTED, ids=" on ".join)
def test_a_lock_of_real_shape_expects_the_versions_for_the_target_python(
    lock: str, python: str, check_drift: Callable[..., DriftReport]
) -> None:
    files = {lock: (SAMPLES / lock).read_text(encoding="utf-8"), "pyproject.toml": DECLARED[lock]}

    report = check_drift(files, {}, python=python)

    ruff = next(
        entry.values["version"] for entry in as_toml(files[lock], LOCKS[lock]) if entry.values["name"] == "ruff"
    )
    found = {finding.tool: finding.expected for finding in report.findings}
    assert found == {**EXPECTED[lock, python], "ruff": f"=={ruff}"}
    assert not report.problems


@pytest.mark.parametrize("lock", LOCKS)
def test_a_finding_points_at_the_header_of_the_locked_package(
    lock: str, check_drift: Callable[..., DriftReport]
) -> None:
    text = (SAMPLES / lock).read_text(encoding="utf-8")

    report = check_drift({lock: text, "pyproject.toml": DECLARED[lock]}, {})

    lines = text.splitlines()
    for finding in report.findings:
        assert finding.source.file == lock
        assert lines[finding.source.line - 1] == f"[[{LOCKS[lock]}]]"
        assert lines[finding.source.line] == f'name = "{finding.tool}"'
        assert lines[finding.source.line + 1] == f'version = "{finding.expected.removeprefix("==")}"'


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_of_real_shape_are_read_by_line_with_the_answer_of_the_parser(lock: str) -> None:
    text = (SAMPLES / lock).read_text(encoding="utf-8")

    assert read_lines(text, LOCKS[lock]) == as_toml(text, LOCKS[lock])


@pytest.mark.parametrize(("lock", "python"), WRITTEN_EXPECTED, ids=" on ".join)
def test_a_lock_that_its_manager_wrote_expects_the_versions_for_the_target_python(
    lock: str, python: str, check_drift: Callable[..., DriftReport]
) -> None:
    text = (WRITTEN / lock).read_text(encoding="utf-8")
    assert read_lines(text, "package") == as_toml(text, "package")

    report = check_drift({lock: text, "pyproject.toml": WRITTEN_FOR[lock]}, {}, python=python)

    found = {finding.tool: finding.expected for finding in report.findings}
    assert found.items() >= WRITTEN_EXPECTED[lock, python].items()
    assert not report.problems


HOSTILE = [
    'name = "other"',
    'version = "9"',
    'version = """9"""',
    "version = '9'",
    'version = "\\u0039"',
    '"version" = "9"',
    'source.editable = "."',
    'source = { editable = "." } # comment',
    '  version = "9"',
    "version = 9",
    "x = [",
    "x = [ # ]",
    "]",
    "] # end",
    '    "]",',
    "    # version = 1",
    'x = ["a",',
    '"a"]',
    "markers = [",
    "markers = { a = 'b' }",
    "[package]",
    "[[package]]",
    "[[ package ]]",
    "[[package.files]]",
    "[package.source]",
    "[package.source.deep]",
    '[package."source"]',
    "[metadata]",
    "[[packages]]",
    "<<<<<<< HEAD",
    "=======",
    "# [[package]]",
    "",
    'description = "]\\n[[package]]"',
    "x = '''",
    "'''",
    'x = { y = "',
    "x = 1 # [",
    "x = [[",
    "]]",
    "\t",
    "é = 1",
]


@given(st.lists(st.sampled_from(HOSTILE), max_size=12), st.sampled_from(["package", "packages"]))
def test_reading_by_line_gives_the_answer_of_the_parser_or_none(lines: list[str], array: str) -> None:
    text = "\n".join(["[[package]]", 'name = "ruff"', 'version = "1"', *lines]) + "\n"
    try:
        expected = as_toml(text, array)
    except tomllib.TOMLDecodeError:
        return

    assert read_lines(text, array) in (None, expected)


@given(st.data())
def test_a_real_lock_with_a_hostile_line_keeps_the_answer_of_the_parser(data: st.DataObject) -> None:
    lock = data.draw(st.sampled_from(sorted(LOCKS)))
    lines = (SAMPLES / lock).read_text(encoding="utf-8").splitlines()
    position = data.draw(st.integers(0, len(lines)))
    removed = data.draw(st.integers(0, 1))
    text = "\n".join([*lines[:position], data.draw(st.sampled_from(HOSTILE)), *lines[position + removed :]])
    try:
        expected = as_toml(text, LOCKS[lock])
    except tomllib.TOMLDecodeError:
        return

    assert read_lines(text, LOCKS[lock]) in (None, expected)


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True)
# Three apostrophes may open a string over several lines, and then the parser is asked.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).filter(lambda text: "'''" not in text)


def toml_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.lists(st.tuples(NAMES, TEXTS, st.lists(TEXTS, max_size=3), TEXTS), max_size=6))
def test_a_lock_as_programs_write_it_is_read_by_line(packages: list[tuple[str, str, list[str], str]]) -> None:
    text = "version = 1\n"
    for name, version, markers, summary in packages:
        text += f"\n[[package]]\nname = {toml_string(name)}\nversion = {toml_string(version)}\n"
        text += f"summary = {toml_string(summary)}\nresolution-markers = [\n"
        text += "".join(f"    {toml_string(marker)},\n" for marker in markers) + "]\n"
        text += (
            f"files = [\n    {{ url = {toml_string(summary)} }},\n]\n\n[package.optional-dependencies]\nversion = []\n"
        )

    read = read_lines(text, "package")

    assert read == as_toml(text, "package")
    assert [entry.values["name"] for entry in read or []] == [package[0] for package in packages]


@given(st.text())
def test_any_text_is_read_or_declined_without_an_error(text: str) -> None:
    read_lines(text, "package")

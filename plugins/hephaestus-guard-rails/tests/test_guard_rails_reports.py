"""Reports that machines read: JUnit, JSON with its schema, GitHub's workflow commands."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite

from hephaestus_guard_rails._github import annotation, complaints, group, locations
from hephaestus_guard_rails._reports import json_report, json_text, junit_report, schema
from hephaestus_guard_rails._result import Result, RunReport
from hephaestus_guard_rails._text import columns, harmless
from hephaestus_guard_rails.steps import Status
from hephaestus_guard_rails.testing import SampleProject

texts = st.text(max_size=20)
results = st.builds(
    Result,
    step=st.sampled_from(["mypy", "pytest", "ruff check"]),
    phase=st.sampled_from(["fix", "check"]),
    status=st.sampled_from(Status),
    returncode=st.integers(-64, 255),
    seconds=st.floats(0, 1e6),
    cached=st.booleans(),
    reason=texts,
    command=st.lists(texts).map(tuple),
    output=st.binary(max_size=60),
    changed=st.lists(texts).map(tuple),
    origin=texts,
)


def _report(found: list[Result], signum: int | None = None) -> RunReport:
    return RunReport(
        root=Path("/demo"),
        skip_format=False,
        results=found,
        omitted=[("ty", "no config")],
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        seconds=1.5,
        signum=signum,
        run_id="run-1",
    )


@pytest.fixture
def project(tmp_path: Path) -> SampleProject:
    """A project with one gate of each outcome."""
    sample = SampleProject(tmp_path / "demo")
    sample.write({"pyproject.toml": "[tool.ruff]\n[tool.mypy]\n[tool.pytest.ini_options]\n", "demo.py": "\n\nx\n"})
    sample.tool("ruff", "exit 0")
    sample.tool("mypy", "echo 'demo.py:3: error: Name \"x\" is not defined'; exit 1")
    sample.tool("pytest", "exit 5")
    return sample


def test_a_junit_library_reads_back_what_happened(project: SampleProject) -> None:
    path = project.root / "out.xml"
    assert project.run("--no-format", "--junit", str(path)).exit_code == 1
    suites = list(JUnitXml.fromfile(str(path)))
    assert len(suites) == 1
    suite = suites[0]
    assert isinstance(suite, TestSuite)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (4, 1, 0, 1)
    cases = {case.name: case for case in suite}
    assert list(cases) == ["ruff check", "ruff format", "mypy", "pytest"]
    assert isinstance(cases["mypy"].result[0], Failure)
    assert "not defined" in cases["mypy"].result[0].text
    assert isinstance(cases["pytest"].result[0], Skipped)
    assert cases["ruff check"].is_passed


@given(st.lists(results, max_size=5))
def test_any_result_gives_a_junit_file_that_the_library_reads(found: list[Result]) -> None:
    suite = next(iter(JUnitXml.fromstring(junit_report(_report(found)))))
    cases = list(suite)
    assert len(cases) == len(found)
    for case, result in zip(cases, found, strict=True):
        kinds = {type(each) for each in case.result}
        if result.status is Status.FAILED:
            assert kinds == {Failure}
        elif result.status.is_failure or result.status is Status.CANCELLED:
            assert kinds == {Error}
        else:
            assert kinds <= {Skipped}


def test_the_json_report_validates_and_is_what_output_json_prints(project: SampleProject) -> None:
    path = project.root / "out.json"
    outcome = project.run("--no-format", "--no-cache", "--report", str(path), "--output", "json")
    printed, written = json.loads(outcome.stdout), json.loads(path.read_text())
    assert printed == written
    jsonschema.validate(written, schema(), cls=jsonschema.Draft202012Validator)
    assert (written["status"], written["exit_code"], written["failed_step"]) == ("failed", 1, "mypy")
    assert written["run_id"] == outcome.events[0]["run_id"]
    assert [step["duration_ms"] >= 0 for step in written["steps"]] == [True] * 4


@given(st.lists(results, max_size=4), st.sampled_from([None, 2, 15]))
def test_any_report_validates_and_survives_json(found: list[Result], signum: int | None) -> None:
    found = list({(result.step, result.phase): result for result in found}.values())
    report = json.loads(json_text(json_report(_report(found, signum))))
    jsonschema.validate(report, schema(), cls=jsonschema.Draft202012Validator)


def test_the_schema_itself_is_valid_and_refuses_a_report_without_steps() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    report = json_report(_report([]))
    del report["steps"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, schema(), cls=jsonschema.Draft202012Validator)


def test_a_report_replaces_an_older_one_and_leaves_nothing_beside_it(project: SampleProject) -> None:
    folder = project.root / "reports"
    folder.mkdir()
    (folder / "out.xml").write_text("old")
    project.run("--no-format", "--junit", str(folder / "out.xml"))
    assert [path.name for path in folder.iterdir()] == ["out.xml"]
    assert "<testsuites" in (folder / "out.xml").read_text()
    assert (folder / "out.xml").stat().st_mode & 0o044 == 0o044


def test_github_output_groups_each_step_and_annotates_the_line(project: SampleProject) -> None:
    lines = project.run("--no-format", "--output", "github").stdout.splitlines()
    assert '::error title=mypy,file=demo.py,line=3::error: Name "x" is not defined' in lines
    opened = [line for line in lines if line.startswith("::group::")]
    assert len(opened) == lines.count("::endgroup::") == 4
    assert "::group::mypy: failed" in opened


def test_tool_output_cannot_give_workflow_commands(tmp_path: Path) -> None:
    evil = b"::add-mask::x\n::endgroup::\n::error::forged\n\r::set-output name=x::y\n"
    stream = StringIO()
    group(Result("mypy", "check", Status.FAILED, 1, output=evil), tmp_path, tmp_path, stream)
    lines = stream.getvalue().split("\n")
    token = next(line for line in lines if line.startswith("::stop-commands::")).removeprefix("::stop-commands::")
    start, end = lines.index(f"::stop-commands::{token}"), lines.index(f"::{token}::")
    assert start < lines.index("::error::forged") < end
    assert token not in evil.decode()


@pytest.mark.parametrize("name", ["a,b.py", "a%0Ab.py", "ä b.py", "a\x1b[31m.py", "a'\".py", "-rf.py", "a=b;c.py"])
def test_annotations_stay_well_formed_with_hostile_file_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    result = Result("mypy", "check", Status.FAILED, 1, output=f"{name}:3:1: error: bad, 100%: all\n".encode())
    (line,) = complaints(result, tmp_path, tmp_path)
    match = re.fullmatch(r"::error title=mypy,file=([^,:]*),line=3,col=1::(.*)", line)
    assert match is not None
    assert match[2] == "error: bad, 100%25: all"
    decoded = match[1].replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
    assert decoded == harmless(name)


@pytest.mark.parametrize("name", ["::error::x.py", "a\nb.py", "a\r\n::error file=x::y.py", "a:3:b.py"])
def test_a_file_name_that_breaks_lines_or_looks_like_a_command_forges_none(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    result = Result("mypy", "check", Status.FAILED, 1, output=f"{name}:3:1: error: bad\n".encode(), reason=name)
    stream = StringIO()
    group(result, tmp_path, tmp_path, stream)
    shielded = re.sub(r"^::stop-commands::(\w+)$.*?^::\1::$", "", stream.getvalue(), flags=re.MULTILINE | re.DOTALL)
    commands = [line for line in shielded.splitlines() if line]
    assert [line.split()[0] for line in commands[:2]] == ["::group::mypy:", "::endgroup::"]
    assert len(commands) == 3
    assert commands[2].startswith("::error title=mypy")


@given(st.text(), st.dictionaries(st.sampled_from(["file", "title"]), st.text()))
def test_an_annotation_is_always_one_line_with_its_properties(text: str, properties: dict[str, str]) -> None:
    line = annotation("error", text, **properties)
    assert line.splitlines()[0] == line or not line.isprintable()
    assert "\n" not in line
    assert "\r" not in line
    head = line.removeprefix("::error").split("::", 1)[0]
    assert head.count("=") >= sum(bool(value) for value in properties.values())


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("demo.py:3: error: bad  [misc]", [("demo.py", 3, 0, "error: bad  [misc]")]),
        ("demo.py:3:7: E501 long", [("demo.py", 3, 7, "E501 long")]),
        ("./demo.py:3:7: [error] long", [("demo.py", 3, 7, "[error] long")]),
        ("F401 `os` imported but unused\n --> demo.py:1:8\n  |", [("demo.py", 1, 8, "F401 `os` imported but unused")]),
        ("Would reformat: demo.py", [("demo.py", 0, 0, "would be reformatted")]),
        ("demo.py:3: AssertionError\ndemo.py:3: AssertionError", [("demo.py", 3, 0, "AssertionError")]),
        ("absent.py:3: error: bad", []),
        ("12:30:15 started", []),
        ("demo.py: no line", []),
        ("/elsewhere/x\n  demo.py:5:3 - error: Bad (rule)", [("demo.py", 5, 3, "error: Bad (rule)")]),
        ("./demo.py:1:5: [error] too many spaces (colons)", [("demo.py", 1, 5, "[error] too many spaces (colons)")]),
        ("info: Function defined here\n --> demo.py:1:5", [("demo.py", 1, 5, "info: Function defined here")]),
    ],
)
def test_places_are_found_in_the_output_of_the_usual_tools(
    tmp_path: Path, output: str, expected: list[tuple[str, int, int, str]]
) -> None:
    (tmp_path / "demo.py").write_text("")
    assert locations(output, tmp_path) == expected


def test_remarks_are_no_errors_and_do_not_push_errors_out(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("")
    remarks = "".join(f"x.py:{line}: note: see here\n" for line in range(1, 20))
    output = f"{remarks}x.py:30:1: [warning] missing start\nx.py:40: error: bad\nx.py:50:1: E501 warning in a text\n"
    lines = complaints(Result("mypy", "check", Status.FAILED, 1, output=output.encode()), tmp_path, tmp_path)
    assert len(lines) == 10
    assert [line.split()[0] for line in lines[:3]] == ["::error", "::error", "::notice"]
    (warning,) = complaints(
        Result("yamllint", "check", Status.FAILED, 1, output=b"x.py:3:1: [warning] x"), *[tmp_path] * 2
    )
    assert warning.startswith("::warning ")


def test_github_paths_are_relative_to_the_repository(tmp_path: Path) -> None:
    (tmp_path / "packages" / "a").mkdir(parents=True)
    (tmp_path / "packages" / "a" / "x.py").write_text("")
    result = Result("mypy", "check", Status.FAILED, 1, output=b"x.py:1: bad")
    assert "file=packages/a/x.py" in complaints(result, tmp_path / "packages" / "a", tmp_path)[0]


@given(st.text())
def test_harmless_text_holds_no_control_character(text: str) -> None:
    shown = harmless(text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
    assert harmless("plain äöü 漢字\n\t") == "plain äöü 漢字\n\t"


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), min_size=1))
def test_columns_keep_one_line_for_each_row(rows: list[tuple[str, str]]) -> None:
    lines = columns(rows)
    assert len(lines) == len(rows)
    assert all("\n" not in line for line in lines)

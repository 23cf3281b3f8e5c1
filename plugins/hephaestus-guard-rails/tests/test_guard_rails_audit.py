"""pip-audit's verdict: findings, an error, or an audit that audited nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus_guard_rails._audit import judge_audit
from hephaestus_guard_rails.steps import Status
from hephaestus_guard_rails.testing import SampleProject

CLEAN = {"name": "attrs", "version": "26.1", "vulns": []}
VULNERABLE = {"name": "jinja2", "version": "2.0", "vulns": [{"id": "PYSEC-1"}]}
OWN = {"name": "demo", "skip_reason": "distribution marked as editable"}
PRIVATE = {"name": "inhouse", "skip_reason": "Dependency not found"}


@pytest.fixture
def project(tmp_path: Path) -> SampleProject:
    """A project with an empty environment."""
    return SampleProject(tmp_path / "demo")


def _report(*dependencies: object) -> bytes:
    return json.dumps({"dependencies": dependencies, "fixes": []}).encode()


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "status", "said"),
    [
        (0, _report(CLEAN), b"", Status.PASSED, "1 audited"),
        (0, _report(CLEAN, OWN), b"", Status.PASSED, "1 audited"),
        (0, _report(CLEAN, PRIVATE), b"", Status.PASSED, "not audited: inhouse"),
        (0, json.dumps([CLEAN]).encode(), b"", Status.PASSED, "1 audited"),
        (1, _report(CLEAN, VULNERABLE), b"Found 1", Status.FAILED, "1 of 2 distributions vulnerable: jinja2 2.0"),
        (0, _report(), b"", Status.ERROR, "nothing was audited"),
        (0, _report(OWN), b"", Status.ERROR, "nothing was audited"),
        (1, _report(CLEAN), b"", Status.ERROR, "without a finding"),
        (1, b"", b"WARNING\nconnection refused\n", Status.ERROR, "connection refused"),
        (2, b"", b"", Status.ERROR, "return code 2"),
        (0, b'{"dependencies": 3}', b"", Status.ERROR, "no audit took place"),
        (0, b'{"dependencies": ["attrs"]}', b"", Status.ERROR, "no audit took place"),
        (0, b"null", b"", Status.ERROR, "no audit took place"),
    ],
)
def test_the_report_decides_and_not_the_return_code(
    code: int, stdout: bytes, stderr: bytes, status: Status, said: str
) -> None:
    verdict = judge_audit({"demo"})(code, stdout, stderr)
    assert verdict.status is status
    assert said in verdict.reason


@given(st.integers(0, 3), st.binary(max_size=80), st.binary(max_size=80))
def test_output_that_is_no_report_never_passes(code: int, stdout: bytes, stderr: bytes) -> None:
    verdict = judge_audit(())(code, stdout, stderr)
    assert verdict.status is Status.ERROR


def test_the_command_fails_on_findings_and_names_them(project: SampleProject) -> None:
    project.write({"requirements.txt": "pip-audit\n"})
    project.tool("pip-audit", f"echo '{_report(VULNERABLE).decode()}'; exit 1")
    outcome = project.run()
    assert outcome.ended == {"pip-audit": ("failed", 1)}
    assert "jinja2 2.0" in outcome.stdout


def test_an_audit_without_network_is_an_error_and_no_finding(project: SampleProject) -> None:
    project.write({"requirements.txt": "pip-audit\n"})
    project.tool("pip-audit", "echo 'cannot reach the service' >&2; exit 1")
    outcome = project.run()
    assert outcome.exit_code == 1
    assert outcome.ended == {"pip-audit": ("error", 1)}
    assert "no audit took place: cannot reach the service" in outcome.stdout

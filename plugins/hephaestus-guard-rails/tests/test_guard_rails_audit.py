"""pip-audit's verdict: findings, an error, or an audit that audited nothing."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import venv
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus_guard_rails._audit import judge_audit
from hephaestus_guard_rails.steps import Status
from hephaestus_guard_rails.testing import Outcome, SampleProject

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
        (0, _report({"name": "attrs", "version": "1"}), b"", Status.ERROR, "nothing was audited"),
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


def test_findings_are_told_in_words_and_not_as_json() -> None:
    found = {"id": "CVE-1", "aliases": ["PYSEC-1"], "fix_versions": ["2.11.3", "3.0"], "description": "x"}
    broken = {"name": "b", "version": "1", "vulns": ["?"]}
    verdict = judge_audit(())(1, _report({**VULNERABLE, "vulns": [found]}, broken), b"")
    assert verdict.details.splitlines() == [
        "jinja2 2.0: CVE-1, PYSEC-1; fixed in 2.11.3, 3.0",
        "b 1: ?; fixed in no version yet",
    ]


def test_an_audit_of_nothing_says_why_a_few_were_skipped() -> None:
    verdict = judge_audit(())(
        0, _report(*({"name": f"n{i}", "skip_reason": f"not found: n{i}"} for i in range(9))), b""
    )
    assert verdict.details.splitlines() == [*(f"not found: n{i}" for i in range(5)), "and 4 more"]


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


class _Advisories(BaseHTTPRequestHandler):
    """Answers as the service of advisories does; one old distribution is vulnerable."""

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["content-length"])))
        found = query["package"]["name"] == "wheel-of-old"
        events = [{"introduced": "0"}, {"fixed": "2.0"}]
        affected = [{"package": query["package"], "ranges": [{"type": "ECOSYSTEM", "events": events}]}]
        answer = {"vulns": [{"id": "PYSEC-2026-1", "summary": "x", "affected": affected}]} if found else {}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: standard error is the test's."""


@pytest.fixture
def advisories() -> Iterator[str]:
    """The address of a service of advisories on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Advisories) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_the_real_tool_audits_the_projects_environment_and_not_its_own(tmp_path: Path, advisories: str) -> None:
    project = SampleProject(tmp_path / "demo", environment=False)
    project.write({"requirements.txt": "pip-audit\n"})
    venv.create(project.root / ".venv", with_pip=True)
    found = shutil.which("pip-audit", path=os.path.dirname(sys.executable))
    assert found is not None, "pip-audit is a development dependency"
    (project.bin / "pip-audit").symlink_to(found)

    def audit() -> Outcome:
        return project.run(PIP_AUDIT_VULNERABILITY_SERVICE="osv", PIP_AUDIT_OSV_URL=advisories)

    passed = audit()
    assert passed.ended == {"pip-audit": ("passed", 0)}, passed.stdout

    (site,) = (project.root / ".venv").glob("lib/python*/site-packages")
    (site / "wheel_of_old-1.0.dist-info").mkdir()
    (site / "wheel_of_old-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: wheel-of-old\nVersion: 1.0\n"
    )
    failed = audit()
    assert failed.ended == {"pip-audit": ("failed", 1)}
    assert "wheel-of-old 1.0: PYSEC-2026-1; fixed in 2.0" in failed.stdout
    assert '"dependencies"' not in failed.stdout

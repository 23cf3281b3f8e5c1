"""Signals to the command: nothing is left running, one terminal event, the right exit code, the terminal restored."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from hephaestus_guard_rails.testing import Outcome, SampleProject, survivors, wait_for

HANGING = """
[[tool.hephaestus.guard-rails.steps]]
name = "hang"
command = ["sh", "hang.sh"]

[[tool.hephaestus.guard-rails.steps]]
name = "later"
command = ["sh", "-c", "touch later"]
needs = ["hang"]
"""


@pytest.fixture
def project(tmp_path: Path) -> SampleProject:
    """A project with an empty environment."""
    return SampleProject(tmp_path / "demo")


@pytest.fixture
def hanging(project: SampleProject) -> SampleProject:
    """A project whose gate never ends by itself and whose grandchildren hold its pipe."""
    children = "setsid sleep 600 & echo $! > b.pid; sleep 600 & echo $! > c.pid; wait"
    project.write({"pyproject.toml": HANGING, "hang.sh": f"echo $$ > a.pid; ({children}) & sleep 600"})
    return project


def _hangs(project: SampleProject) -> Callable[[], bool]:
    names = ("a.pid", "b.pid", "c.pid")
    return lambda: all((project.root / name).exists() and (project.root / name).read_text() for name in names)


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_a_signal_ends_the_run_with_nothing_left(hanging: SampleProject, signum: int, code: int) -> None:
    report, junit = hanging.root / "report.json", hanging.root / "junit.xml"
    process = hanging.start("--report", str(report), "--junit", str(junit))
    wait_for(_hangs(hanging))
    process.send_signal(signum)
    stdout, stderr = process.communicate(timeout=60)
    outcome = Outcome(process.returncode, stdout, stderr)
    assert outcome.exit_code == code
    assert survivors(hanging.root) == []
    assert outcome.terminal == ["cli.guard-rails.failed"]
    failed = outcome.payloads("cli.guard-rails.failed")[0]
    assert (failed["step"], failed["returncode"]) == ("hang", -signal.SIGTERM)
    assert [each["step"] for each in outcome.payloads("guard-rails.step.skipped")] == ["later"]
    assert not (hanging.root / "later").exists()
    assert json.loads(report.read_text())["status"] == "interrupted"
    assert junit.exists()


def _stopped(project: SampleProject, signum: int, *arguments: str, **variables: str) -> Outcome:
    """Start the command, wait until its child has written `a.pid`, and send it a signal."""
    process = project.start(*arguments, **variables)
    ready = project.root / "a.pid"
    wait_for(lambda: ready.exists() and bool(ready.read_text()))
    process.send_signal(signum)
    stdout, stderr = process.communicate(timeout=60)
    return Outcome(process.returncode, stdout, stderr)


def test_a_signal_during_a_fix_pass_starts_no_check(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.ruff]\n[tool.mypy]\n", "a.py": ""})
    project.tool("ruff", '[ "$2" = "--fix" ] && { echo $$ > a.pid; sleep 600; }; exit 0')
    project.tool("mypy", "touch checked")
    outcome = _stopped(project, signal.SIGINT)
    assert outcome.exit_code == 130
    assert outcome.terminal == ["cli.guard-rails.failed"]
    assert survivors(project.root) == []
    assert not (project.root / "checked").exists()
    skipped = [(each["step"], each["phase"]) for each in outcome.payloads("guard-rails.step.skipped")]
    assert skipped == [("ruff format", "fix"), *((name, "check") for name in ("ruff check", "ruff format", "mypy"))]


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_a_signal_during_a_mend_ends_its_command(project: SampleProject, signum: int, code: int) -> None:
    project.write({"requirements.txt": "ruff==0.9.0\n"})
    project.installed("ruff", "0.8.0")
    project.tool("uv", "(sleep 600 & echo $! > b.pid; wait) & echo $$ > a.pid; sleep 600")
    outcome = _stopped(project, signum, "--drift", "--remediate")
    assert outcome.exit_code == code
    assert outcome.terminal == ["cli.guard-rails.failed"]
    failed = outcome.payloads("cli.guard-rails.failed")[0]
    assert (failed["step"], failed["returncode"]) == ("drift", -signum)
    assert survivors(project.root) == []


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_a_signal_before_the_first_step_ends_the_run_with_its_event(
    project: SampleProject, signum: int, code: int
) -> None:
    """Here a third party is slow to say what its steps are."""
    site = project.third_party(
        "slow",
        "import time\nfrom hephaestus.plugins import hookimpl\n\n\n@hookimpl\n"
        "def hephaestus_guard_rails_steps(project):\n"
        "    (project.root / 'a.pid').write_text('none')\n    time.sleep(600)\n",
    )
    outcome = _stopped(project, signum, PYTHONPATH=site)
    assert outcome.exit_code == code
    assert [record["event"] for record in outcome.events] == ["cli.guard-rails.start", "cli.guard-rails.failed"]
    assert outcome.payloads("cli.guard-rails.failed")[0]["step"] == "plan"


def test_a_reader_that_goes_away_ends_the_run_with_a_terminal_event(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.mypy]\n", "a.py": ""})
    project.tool("mypy", "sleep 0.3; exit 1")
    process = project.start()
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    outcome = Outcome(process.wait(timeout=60), "", process.stderr.read())
    process.stderr.close()
    assert outcome.exit_code == 141
    assert outcome.terminal == ["cli.guard-rails.failed"]


def _read_all(master: int) -> bytes:
    """What a terminal shows until nobody holds its other end."""
    shown = b""
    while True:
        ready, _, _ = select.select([master], [], [], 60)
        if not ready:
            pytest.fail("the command never ended")
        try:
            chunk = os.read(master, 65536)
        except OSError:
            return shown
        if not chunk:
            return shown
        shown += chunk


def _in_terminal(project: SampleProject, log: Path) -> tuple[int, int, subprocess.Popen[bytes]]:
    """Start the command as the foreground job of a new terminal, events in a log file."""
    master, slave = pty.openpty()
    command = project.command()
    command[command.index("--log-format") : command.index("guard-rails")] = ["--log-file", str(log)]
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command],
        cwd=project.root,
        env=project.environment(),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    return master, slave, process


def test_ctrl_c_in_a_terminal_restores_it_and_leaves_nothing(hanging: SampleProject, tmp_path: Path) -> None:
    log = tmp_path / "events.log"
    master, slave, process = _in_terminal(hanging, log)
    before = termios.tcgetattr(slave)
    wait_for(_hangs(hanging))
    os.write(master, b"\x03")
    process.wait(timeout=60)
    assert termios.tcgetattr(slave) == before
    os.close(slave)
    shown = _read_all(master)
    os.close(master)
    assert process.returncode == 130
    assert survivors(hanging.root) == []
    # The board hides the cursor; the last word must be to show it again.
    assert b"\x1b[?25l" in shown
    assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l")
    assert b"stopped by signal 2" in shown
    assert log.read_text().count("cli.guard-rails.failed") == 1


def test_a_step_that_asks_at_the_terminal_fails_and_does_not_hang(project: SampleProject, tmp_path: Path) -> None:
    project.write({"pyproject.toml": "[tool.mypy]\n", "a.py": ""})
    project.tool("mypy", "read answer < /dev/tty || exit 3")
    master, slave, process = _in_terminal(project, tmp_path / "events.log")
    os.close(slave)
    _read_all(master)
    os.close(master)
    assert process.wait(timeout=60) == 1
    assert '"status":"error","returncode":3' in (tmp_path / "events.log").read_text()


def test_the_board_shows_running_steps_and_leaves_a_summary(project: SampleProject, tmp_path: Path) -> None:
    project.write({"pyproject.toml": "[tool.mypy]\n", "a.py": ""})
    project.tool("mypy", "sleep 0.5; echo found it; exit 1")
    master, slave, process = _in_terminal(project, tmp_path / "events.log")
    os.close(slave)
    shown = _read_all(master).decode()
    process.wait(timeout=60)
    os.close(master)
    assert process.returncode == 1
    assert "⠋ mypy" in shown or "mypy 0 s" in shown
    assert "found it" in shown.rpartition("--- mypy")[2]
    assert "1 of 1 gates failed" in shown


def test_signs_of_life_come_where_no_person_watches(project: SampleProject) -> None:
    project.write({"pyproject.toml": "[tool.mypy]\n[tool.hephaestus.guard-rails]\nheartbeat = 0.1\n", "a.py": ""})
    project.tool("mypy", "sleep 0.6")
    assert "still running: mypy (" in project.run().stderr

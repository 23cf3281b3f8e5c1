"""What a person at a terminal sees: progress and a summary, logs only when asked for, colour where wanted."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest


def on_a_terminal(*arguments: str, cwd: Path, **env: str) -> tuple[int, str]:
    """Run `hephaestus` on a pseudo-terminal; returns the exit code and all that the terminal showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "hephaestus", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env={**os.environ, "TERM": "xterm-256color", **env},
        close_fds=True,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the last process that held the terminal has ended
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    return process.wait(timeout=30), shown.decode()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / ".DS_Store").touch()
    return folder


def test_a_person_sees_a_summary_and_no_log_lines(workspace: Path) -> None:
    code, shown = on_a_terminal("cleanup", "--dry-run", str(workspace), cwd=workspace)
    assert code == 0
    assert ".DS_Store" in shown
    assert "event=cleanup" not in shown


@pytest.mark.parametrize("option", [["--log-format", "text"], ["--log-level", "info"]])
def test_a_person_who_asks_for_logs_gets_them(option: list[str], workspace: Path) -> None:
    code, shown = on_a_terminal(*option, "cleanup", "--dry-run", str(workspace), cwd=workspace)
    assert code == 0
    assert "event=cleanup.path.preview" in shown


def test_errors_are_coloured_on_a_terminal_and_never_under_no_color(workspace: Path) -> None:
    _, coloured = on_a_terminal("nonsense", cwd=workspace)
    _, plain = on_a_terminal("nonsense", cwd=workspace, NO_COLOR="1")
    assert "\x1b[31m" in coloured
    assert "\x1b[" not in plain
    assert "error: No such command 'nonsense'." in plain


def test_a_failure_is_told_once(workspace: Path) -> None:
    code, shown = on_a_terminal("cleanup", "/", cwd=workspace)
    assert code == 1
    assert shown.count("is refused") == 1

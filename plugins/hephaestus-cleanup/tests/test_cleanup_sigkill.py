"""After SIGKILL at any moment the manifest says of every path whether it is gone, there, or in doubt."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hephaestus_cleanup._record import read_record

Fill = Callable[..., None]

SWEEP = Path(__file__).parent / "sweeps" / "sigkill.py"
UNAVAILABLE = 77


@pytest.fixture
def sweep(workspace: Path, unmeasured_environment: dict[str, str]) -> Callable[..., list[int]]:
    """Run the script, without coverage: it forks a process for each point."""
    return partial(_sweep, workspace, unmeasured_environment)


def _sweep(workspace: Path, environment: dict[str, str], *arguments: str) -> list[int]:
    command = [sys.executable, str(SWEEP), str(workspace), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    if done.returncode == UNAVAILABLE:
        pytest.skip(f"{done.stdout.strip()}: runs are not killed at system calls, only at calls of Python's")
    assert done.returncode == 0, done.stdout + done.stderr
    return [int(word) for word in done.stdout.split() if word.isdigit()]


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("mode", [(), ("--quarantine",)], ids=["delete", "quarantine"])
def test_after_sigkill_before_any_change_every_path_is_accounted_for(
    sweep: Callable[..., list[int]], workers: str, mode: tuple[str, ...]
) -> None:
    _, killed, doubted = sweep("calls", "--workers", workers, *mode)

    assert killed > 20
    assert doubted > 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="system calls are stopped at by Linux's ptrace")
@pytest.mark.parametrize(
    ("workers", "mode", "start"),
    [("1", (), 1), ("2", (), 5), ("2", ("--quarantine",), 9)],
    ids=["1", "2", "quarantine"],
)
def test_after_sigkill_at_a_system_call_every_path_is_accounted_for(
    sweep: Callable[..., list[int]], workers: str, mode: tuple[str, ...], start: int
) -> None:
    """Every 23rd stop, a different set in each case; the script itself, without `--stride`, takes every one."""
    _, killed, doubted = sweep("syscalls", "--workers", workers, *mode, "--stride", "23", "--start", str(start))

    assert killed > 10
    assert doubted > 3


@pytest.mark.slow
@pytest.mark.parametrize("call", ["unlinkat", "openat2", "fsync"])
def test_the_command_line_killed_within_a_system_call_leaves_a_true_manifest(
    workspace: Path, fill: Fill, tmp_path: Path, strace: Callable[..., Any], call: str
) -> None:
    fill(workspace, *(f"{name}/x.pyc" for name in "abcd"))
    manifest = tmp_path / "audit.json"

    done = strace(
        f"inject={call}:signal=KILL:when=3",
        *(sys.executable, "-m", "hephaestus", "cleanup", "--python-cache", "--workers", "1", "."),
        *("--audit-manifest", str(manifest)),
    )

    assert done.returncode == -9
    record = read_record(str(manifest))
    told = {key: {each["path"] for each in record[key]} for key in ("removed", "not_removed", "in_doubt")}
    there = {str(path) for path in workspace.glob("*/*")}
    assert told["not_removed"] <= there
    assert not told["removed"] & there
    assert len(told["in_doubt"]) <= 1
    assert sum(map(len, told.values())) == 4

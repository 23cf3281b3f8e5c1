"""For tests of steps: sample projects with tools of your own making, on which the real command runs in a child process.

::

    project = SampleProject(tmp_path / "demo")
    project.write({"pyproject.toml": "[tool.ruff]\\n", "a.py": ""})
    project.tool("ruff", "exit 1")
    assert project.run("--no-format").exit_code == 1
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Outcome", "SampleProject", "survivors", "wait_for"]

_TERMINAL = frozenset({"cli.guard-rails.complete", "cli.guard-rails.failed"})
_LIMIT_SECONDS = 60


class Outcome(NamedTuple):
    """What one run of the command brought: exit code, stdout, stderr as text, and the events as dictionaries."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event on stderr, in order: the parsed JSON lines."""
        lines = (line for line in self.stderr.splitlines() if line.startswith("{"))
        return [record for record in map(json.loads, lines) if record.get("event")]

    def payloads(self, name: str) -> list[dict[str, Any]]:
        """The payloads of the events of one name."""
        return [record["payload"] for record in self.events if record["event"] == name]

    @property
    def terminal(self) -> list[str]:
        """Names of the terminal events; there is one."""
        return [record["event"] for record in self.events if record["event"] in _TERMINAL]

    @property
    def ended(self) -> dict[str, tuple[str, int]]:
        """Step → status and return code of its check, from the events."""
        ends = self.payloads("guard-rails.step.complete")
        return {each["step"]: (each["status"], each["returncode"]) for each in ends if each["phase"] == "check"}


class SampleProject:
    """A folder with an environment that holds nothing but what a test puts in.

    Attributes:
        root: the project's root; its environment is `.venv` there.
    """

    def __init__(self, root: Path, *, environment: bool = True) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        if environment:
            self.bin.mkdir(parents=True)
            (self.bin / "python").symlink_to(sys.executable)
            (self.bin.parent / "pyvenv.cfg").write_text("version = 3.11.0\n")

    @property
    def bin(self) -> Path:
        """Folder of the environment's scripts."""
        return self.root / ".venv" / "bin"

    def write(self, files: Mapping[str, str]) -> None:
        """Write files; names are relative to the root."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def tool(self, name: str, body: str) -> None:
        """Put a shell script into the environment."""
        script = self.bin / name
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)

    def installed(self, name: str, version: str) -> None:
        """Make the environment look as if it held a distribution."""
        folder = self.bin.parent / "lib" / "python3.11" / "site-packages" / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    def third_party(self, name: str, source: str) -> str:
        """Write a third party's plugin of one module beside the project; returns its folder, for `PYTHONPATH`."""
        site = self.root.parent / "site"
        metadata = site / f"{name}-1.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "entry_points.txt").write_text(f"[hephaestus.plugins]\n{name} = {name}\n")
        (metadata / "METADATA").write_text(f"Name: {name}\nVersion: 1\n")
        (site / f"{name}.py").write_text(source)
        return str(site)

    def environment(self, **variables: str) -> dict[str, str]:
        """The environment for the command: no CI, no activated environment, a cache of the project's own."""
        kept = {
            name: value
            for name, value in os.environ.items()
            # A measured test run measures the command, too.
            if name in ("PATH", "HOME", "TMPDIR", "LANG") or name.startswith("COVERAGE_")
        }
        cache = self.root.parent / f"{self.root.name}-cache"
        return {**kept, "XDG_CACHE_HOME": str(cache), "TERM": "xterm", **variables}

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """The command line that runs guard-rails with events as JSON lines on stderr."""
        return [sys.executable, "-m", "hephaestus", "--log-format", "json", "guard-rails", *arguments]

    def run(self, *arguments: str, cwd: Path | None = None, **variables: str) -> Outcome:
        """Run the command to its end; `variables` are added to its environment."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=cwd or self.root,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_SECONDS,
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start the command and return at once."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.root,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds.

    Raises:
        TimeoutError: it never did, within a generous while.
    """
    deadline = time.monotonic() + _LIMIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition never came true")
        time.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def survivors(folder: Path) -> list[int]:
    """Those of the processes that wrote their id to a `*.pid` file below `folder` that still run; they are killed.

    Reads `/proc`, so it is for Linux.
    """
    texts = [path.read_text().strip() for path in folder.rglob("*.pid")]
    pids = [int(text) for text in texts if text.isdigit()]
    # The kernel may need a moment to take a killed process away.
    for _ in range(100):
        if not any(map(_alive, pids)):
            return []
        time.sleep(0.02)
    left = [pid for pid in pids if _alive(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left

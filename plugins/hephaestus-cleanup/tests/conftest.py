"""Workspaces to clean, the real command line over them, and the engine without a command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve

from hephaestus_cleanup._builtin_rules import BUILTIN_RULES
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._engine import Engine
from hephaestus_cleanup._options import CleanupOptions, effective_options
from hephaestus_cleanup._roots import search_roots


@define
class Run:
    """What one run of the command line did.

    Attributes:
        code: its exit code.
        out, err: what it printed.
        events: (name, payload without the operation's ids), in order.
    """

    code: int
    out: str
    err: str
    events: list[tuple[str, dict[str, Any]]]

    @property
    def names(self) -> list[str]:
        """The events' names, in order."""
        return [name for name, _ in self.events]

    def of(self, name: str) -> list[dict[str, Any]]:
        """The payloads of one event."""
        return [payload for each, payload in self.events if each == name]


def read_events(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """The events of a log file; asserts that they belong to one operation."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    events = [line for line in lines if "event" in line]
    assert len({line["payload"]["operation_id"] for line in events}) <= 1
    hidden = ("operation", "operation_id")
    return [
        (line["event"], {key: value for key, value in line["payload"].items() if key not in hidden}) for line in events
    ]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder, a fresh one."""
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@pytest.fixture
def workspace(tmp_path: Path, state: Path) -> Path:
    """An empty folder to clean."""
    folder = Path(os.path.realpath(tmp_path)) / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def cleanup(workspace: Path, tmp_path: Path) -> Callable[..., Run]:
    """Run `hephaestus cleanup` (or another command) in the workspace, in a process of its own, without a terminal."""

    def run(
        *arguments: str,
        command: tuple[str, ...] = ("cleanup",),
        cwd: Path = workspace,
        env: Mapping[str, str] | None = None,
        code: str | None = None,
    ) -> Run:
        log = tmp_path / f"log-{len(list(tmp_path.glob('log-*')))}"
        program = ["-c", code] if code is not None else ["-m", "hephaestus"]
        done = subprocess.run(
            [sys.executable, *program, "--log-file", str(log), *command, *arguments],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        out, err = (os.fsdecode(each) for each in (done.stdout, done.stderr))
        return Run(done.returncode, out, err, read_events(log))

    return run


@pytest.fixture
def engine(workspace: Path) -> Callable[..., Engine]:
    """Build an engine over the workspace (or another root); keywords are those of `CleanupConfig` and `Engine`."""

    def build(
        root: Path = workspace,
        *,
        extra_paths: tuple[str, ...] = (),
        dry_run: bool = False,
        audit_manifest: str | None = None,
        yes: bool = True,
        config: Mapping[str, Any] | None = None,
        **keywords: Any,
    ) -> Engine:
        flags = dict.fromkeys(("python_cache", "build_artifacts", "node_modules"), True)
        options = effective_options(
            evolve(CleanupConfig(), **{**flags, **(config or {})}),
            {},
            extra_paths=extra_paths,
            dry_run=dry_run,
            yes=yes,
            audit_manifest=audit_manifest,
        )
        roots = search_roots(os.path.realpath(root), options)
        given = {"rules": BUILTIN_RULES, "consent": Consent(yes=yes), "run_id": "run-test", **keywords}
        return Engine(roots, options, **given)

    return build


@pytest.fixture
def options() -> CleanupOptions:
    """Options with every category on."""
    return effective_options(CleanupConfig(), {"deep_clean": True})


def fill(root: Path, *paths: str, text: str = "x") -> None:
    """Make files (and, for paths with a last slash, folders) below a root."""
    for path in paths:
        target = root / path
        if path.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)


def left(root: Path) -> set[str]:
    """Every file and empty folder below a root, `.git` left out."""
    found = set()
    for folder, folders, files in os.walk(root):
        if ".git" in folders:
            folders.remove(".git")
        names = [*files, *(each for each in folders if os.path.islink(os.path.join(folder, each)))]
        found |= {os.path.relpath(os.path.join(folder, name), root) for name in names}
        if not folders and not files and folder != str(root):
            found.add(os.path.relpath(folder, root) + "/")
    return found


@pytest.fixture(name="fill")
def fill_fixture() -> Callable[..., None]:
    """`fill(root, *paths)` makes files and folders."""
    return fill


@pytest.fixture(name="left")
def left_fixture() -> Callable[[Path], set[str]]:
    """`left(root)` tells what lies below a root."""
    return left


@pytest.fixture(name="read_events")
def read_events_fixture() -> Callable[[Path], list[tuple[str, dict[str, Any]]]]:
    """`read_events(log)` gives the events of a log file."""
    return read_events


@pytest.fixture
def git() -> Callable[..., str]:
    """Run git in a folder."""

    def run(folder: Path, *arguments: str) -> str:
        command = ["git", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", *arguments]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout

    return run


@pytest.fixture
def strace(workspace: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command in the workspace while strace(1) tampers with a system call; skips loudly where that can't be."""

    def run(inject: str, *command: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        if shutil.which("strace") is None:
            pytest.skip("no strace: nothing is injected at the system calls themselves here")
        call = inject.removeprefix("inject=").partition(":")[0]
        options = ["-f", "-q", "-o", str(tmp_path / "trace"), "-e", f"trace={call}", "-e", inject]
        options += ["-P", str(path)] if path is not None else []  # only what concerns this path
        done = subprocess.run(
            ["strace", *options, *command], cwd=workspace, capture_output=True, text=True, timeout=120
        )
        if "Operation not permitted" in done.stderr or "invalid system call" in done.stderr:
            pytest.skip(f"strace cannot do this here: {done.stderr.strip().splitlines()[-1]}")
        return done

    return run


@pytest.fixture
def interrupting_code() -> Callable[[str, int], str]:
    """Python code that runs the command line and gets a signal at a given point of the engine."""

    def code(where: str, signum: int = signal.SIGINT) -> str:
        return (
            "import os\n"
            "from hephaestus_cleanup import _engine\n"
            f"original = _engine.{where}\n"
            "def interrupted(*args, **kwargs):\n"
            "    global signums\n"
            "    result = original(*args, **kwargs)\n"
            "    for signum in signums:\n"
            "        os.kill(os.getpid(), signum)\n"
            "    signums = ()\n"
            "    return result\n"
            f"signums = ({int(signum)},)\n"
            f"_engine.{where} = interrupted\n"
            "from hephaestus.cli import main\n"
            "main()\n"
        )

    return code

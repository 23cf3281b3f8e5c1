"""Every way in which `hephaestus cleanup` can end: one terminal event, the right exit code, nothing lost."""

from __future__ import annotations

import errno
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hephaestus_cleanup import _consent, _listing
from hephaestus_cleanup.errors import CleanupRefused

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]
Build = Callable[..., Any]
Cleanup = Callable[..., Any]


def assert_ended_once(run: Any) -> None:
    """Exactly one start, one terminal event at the very end, and run.start paired with run.complete."""
    assert run.names[0] == "cli.cleanup.start"
    assert run.names.count("cli.cleanup.start") == 1
    assert [name for name in run.names if name in ("cli.cleanup.complete", "cli.cleanup.failed")] == [run.names[-1]]
    assert run.names.count("cleanup.run.start") == run.names.count("cleanup.run.complete") <= 1


# ---- refused before anything is touched ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "root",
    ["/", "/etc", "/usr/lib", "/var/lib", "/home", "/tmp", "/tmp/../etc", "{home}", "{home}/..", "/opt/anything/.."],
)
def test_a_dangerous_root_is_refused_with_a_reason(cleanup: Cleanup, workspace: Path, home: Path, root: str) -> None:
    run = cleanup(root.format(home=home))

    assert run.code == 1
    assert run.names == ["cli.cleanup.start", "cli.cleanup.failed"]
    assert run.of("cli.cleanup.failed") == [{"errors": 1}]
    assert "is refused" in run.err
    assert "hint" in run.err


@pytest.mark.parametrize("extra", ["/", "/etc", "/usr/share", "{home}", "{home}/../../..", ".."])
def test_a_dangerous_extra_path_is_refused_and_nothing_in_root_goes(
    cleanup: Cleanup, workspace: Path, home: Path, fill: Fill, left: Left, extra: str
) -> None:
    fill(workspace, ".DS_Store")

    run = cleanup(".", "--yes", "--extra-path", extra.format(home=home))

    assert run.code == 1
    assert run.names == ["cli.cleanup.start", "cli.cleanup.failed"]
    assert left(workspace) == {".DS_Store"}


@pytest.mark.parametrize(
    "arguments", [("",), ("missing",), ("file",), (".", "--max-depth", "0"), (".", "--json", "--print0")]
)
def test_a_bad_value_is_a_usage_error_of_one_line_and_a_hint(
    cleanup: Cleanup, workspace: Path, fill: Fill, left: Left, arguments: tuple[str, ...]
) -> None:
    fill(workspace, "file", ".DS_Store")

    run = cleanup(*arguments)

    assert run.code == 2
    assert run.events == []
    assert "Traceback" not in run.err
    assert left(workspace) == {"file", ".DS_Store"}


def test_an_empty_extra_path_is_a_usage_error_after_the_start(cleanup: Cleanup, workspace: Path) -> None:
    run = cleanup(".", "--extra-path", "")

    assert run.code == 2
    assert run.names == ["cli.cleanup.start", "cli.cleanup.failed"]


def test_an_existing_manifest_is_refused_and_kept(
    cleanup: Cleanup, workspace: Path, fill: Fill, left: Left, tmp_path: Path
) -> None:
    fill(workspace, ".DS_Store")
    manifest = tmp_path / "audit.json"
    manifest.write_text("precious")

    run = cleanup(".", "--audit-manifest", str(manifest))

    assert run.code == 1
    assert_ended_once(run)
    assert run.of("cli.cleanup.failed") == [{"errors": 1}]
    assert manifest.read_text() == "precious"
    assert left(workspace) == {".DS_Store"}
    assert "exists already" in run.err


def test_a_manifest_that_cannot_be_written_means_that_nothing_is_removed(
    cleanup: Cleanup, workspace: Path, fill: Fill, left: Left, tmp_path: Path
) -> None:
    fill(workspace, ".DS_Store")

    run = cleanup(".", "--audit-manifest", str(tmp_path / "no" / "such" / "folder.json"))

    assert run.code == 1
    assert_ended_once(run)
    assert left(workspace) == {".DS_Store"}


def test_a_manifest_within_a_leftover_protects_it(cleanup: Cleanup, workspace: Path, fill: Fill) -> None:
    fill(workspace, "src/__pycache__/a.pyc")

    run = cleanup(".", "--python-cache", "--audit-manifest", "src/__pycache__/audit.json")

    assert run.code == 0
    assert run.of("cleanup.path.skipped") == [
        {"path": str(workspace / "src/__pycache__"), "reason": "holds the audit manifest"}
    ]
    assert (workspace / "src/__pycache__/audit.json").exists()


# ---- what lies outside ROOT ------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(workspace: Path, fill: Fill) -> Path:
    other = workspace.parent / "elsewhere"
    fill(other, "a.pyc")
    fill(workspace, "b.pyc")
    return other


def test_without_a_terminal_and_without_yes_what_lies_outside_is_skipped(
    cleanup: Cleanup, workspace: Path, elsewhere: Path, left: Left
) -> None:
    run = cleanup(".", "--python-cache", "--extra-path", str(elsewhere))

    assert run.code == 0
    assert run.of("cleanup.run.start")[0]["search_roots"] == [str(workspace), str(elsewhere)]
    assert run.of("cleanup.path.skipped") == [{"path": str(elsewhere), "reason": "outside root"}]
    assert left(elsewhere) == {"a.pyc"}
    assert left(workspace) == set()


def test_yes_consents_to_what_lies_outside(cleanup: Cleanup, elsewhere: Path, left: Left) -> None:
    run = cleanup(".", "--python-cache", "--yes", "--extra-path", str(elsewhere))

    assert run.code == 0
    assert left(elsewhere) == set()


def test_a_missing_extra_path_is_skipped(cleanup: Cleanup, workspace: Path) -> None:
    run = cleanup(".", "--extra-path", "nowhere")

    assert run.code == 0
    assert run.of("cleanup.path.skipped") == [{"path": str(workspace / "nowhere"), "reason": "missing"}]


def test_extra_paths_are_neither_repeated_nor_nested(cleanup: Cleanup, workspace: Path, elsewhere: Path) -> None:
    (elsewhere / "inner").mkdir()

    run = cleanup(
        *(".", "--dry-run", "--extra-path", str(elsewhere / "inner"), "--extra-path", str(elsewhere)),
        *("--extra-path", f"{elsewhere}/../elsewhere/", "--extra-path", "."),
    )

    assert run.of("cleanup.run.start")[0]["search_roots"] == [str(workspace), str(elsewhere)]


def test_a_workspaces_configuration_reaches_no_further_than_the_workspace(
    cleanup: Cleanup, workspace: Path, elsewhere: Path, left: Left
) -> None:
    (workspace / "hephaestus.toml").write_text('[cleanup]\nextra-paths = ["../elsewhere"]\n')

    run = cleanup(".", "--python-cache", "--yes")

    assert run.code == 1
    assert run.names == ["cli.cleanup.start", "cli.cleanup.failed"]
    assert left(elsewhere) == {"a.pyc"}
    assert "b.pyc" in left(workspace)


def on_a_terminal(arguments: list[str], cwd: Path, answer: bytes, log: Path) -> tuple[int, bytes]:
    """Run the command line on a pseudo-terminal and answer its question; returns exit code and what was shown."""
    command = [sys.executable, "-m", "hephaestus", "--log-file", str(log), "cleanup", *arguments]
    main, side = pty.openpty()
    try:
        with subprocess.Popen(
            command, cwd=cwd, stdin=side, stdout=side, stderr=side, start_new_session=True
        ) as process:
            os.close(side)
            shown = b""
            while b"Type CONFIRM" not in shown:
                shown += os.read(main, 4096)
            if answer == b"\x03":
                process.send_signal(signal.SIGINT)
            else:
                os.write(main, answer)
            try:
                while data := os.read(main, 4096):
                    shown += data
            except OSError as error:
                if error.errno != errno.EIO:  # the other side was closed
                    raise
            return process.wait(timeout=60), shown
    finally:
        os.close(main)


@pytest.mark.parametrize(
    ("answer", "code", "removed"),
    [
        (b"CONFIRM\n", 0, True),
        (b"yes\n", 1, False),
        (b"confirm\n", 1, False),
        (b"\n", 1, False),
        (b"\x04", 1, False),
        (b"\x03", 130, False),
    ],
    ids=["the word", "yes", "lower case", "nothing", "end of file", "Ctrl-C"],
)
def test_only_the_typed_word_lets_what_lies_outside_go(
    workspace: Path, elsewhere: Path, left: Left, tmp_path: Path, answer: bytes, code: int, removed: bool
) -> None:
    log = tmp_path / "events"

    got, shown = on_a_terminal(["--python-cache", ".", "--extra-path", str(elsewhere)], workspace, answer, log)

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    names = [line["event"] for line in lines if "event" in line]
    assert got == code, shown
    assert left(elsewhere) == (set() if removed else {"a.pyc"})
    assert left(workspace) == (set() if removed else {"b.pyc"})
    assert names[-2:] == ["cleanup.run.complete", "cli.cleanup.complete" if removed else "cli.cleanup.failed"]
    assert removed or lines[-1]["payload"]["errors"] == 1
    assert b"would remove" in shown


# ---- the budget ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [("--max-entries", "2"), ("--max-bytes", "7"), ("--max-share", "0.5")])
def test_a_plan_over_the_budget_needs_consent(
    cleanup: Cleanup, workspace: Path, fill: Fill, left: Left, limit: tuple[str, str]
) -> None:
    fill(workspace, "a.pyc", "b.pyc", "c.pyc", "keep.py", text="1234")

    refused = cleanup(".", "--python-cache", *limit)

    assert refused.code == 1
    assert_ended_once(refused)
    assert len(left(workspace)) == 4
    assert "budget" in refused.err

    assert cleanup(".", "--python-cache", *limit, "--yes").code == 0
    assert left(workspace) == {"keep.py"}


@pytest.mark.parametrize("limit", [("--max-entries", "3"), ("--max-bytes", "12"), ("--max-share", "0.8")])
def test_a_plan_within_the_budget_needs_none(
    cleanup: Cleanup, workspace: Path, fill: Fill, limit: tuple[str, str]
) -> None:
    fill(workspace, "a.pyc", "b.pyc", "c.pyc", "keep.py", text="1234")

    assert cleanup(".", "--python-cache", *limit).code == 0


def test_what_cannot_be_measured_is_over_the_budget(
    engine: Build, workspace: Path, fill: Fill, left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace, "src/__pycache__/closed/x.pyc")
    listed = _listing.list_folder

    def refusing(path: str) -> Any:
        if path.endswith("/closed"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return listed(path)

    monkeypatch.setattr(_consent, "list_folder", refusing)

    with pytest.raises(CleanupRefused, match="cannot be measured"):
        engine(yes=False, config={"max_entries": 10}).run()

    assert left(workspace) == {"src/__pycache__/closed/x.pyc"}


def test_a_tree_deeper_than_a_path_may_be_long_counts_against_the_budget(engine: Build, workspace: Path) -> None:
    handle = os.open(workspace, os.O_RDONLY)
    for name in ("__pycache__", *["d" * 200] * 40):
        os.mkdir(name, dir_fd=handle)
        above, handle = handle, os.open(name, os.O_RDONLY, dir_fd=handle)
        os.close(above)
    os.close(handle)

    with pytest.raises(CleanupRefused, match="41 entries would go, more than the budget of 40"):
        engine(yes=False, config={"max_entries": 40}).run()

    assert len(engine(yes=False, config={"max_entries": 41}).run().removed) == 1


def test_an_expired_quarantine_is_no_share_of_the_tree(engine: Build, workspace: Path, fill: Fill) -> None:
    fill(workspace, "a.py", *(f".hephaestus-quarantine/{number}/0" for number in range(5)))
    for number in range(5):
        os.utime(workspace / f".hephaestus-quarantine/{number}", (0, 0))

    assert len(engine(yes=False, config={"max_share": 0.9}).run().removed) == 5


# ---- errors and interruptions ----------------------------------------------------------------------------------


def test_an_unreadable_folder_is_an_error_the_rest_goes_and_the_run_fails(
    cleanup: Cleanup, workspace: Path, fill: Fill, left: Left
) -> None:
    fill(workspace, "a.pyc", "closed/b.pyc", "z.pyc")
    code = (
        "import os\n"
        "from hephaestus_cleanup import _scan\n"
        "listed = _scan.list_folder\n"
        "def failing(path):\n"
        "    if path.endswith('/closed'):\n"
        "        raise PermissionError(13, 'Permission denied', path)\n"
        "    return listed(path)\n"
        "_scan.list_folder = failing\n"
        "from hephaestus.cli import main\n"
        "main()\n"
    )

    run = cleanup("--python-cache", ".", code=code)

    assert run.code == 1
    assert run.names == [
        *("cli.cleanup.start", "cleanup.run.start", "cleanup.path.error"),
        *("cleanup.path.removed", "cleanup.path.removed", "cleanup.run.complete", "cli.cleanup.failed"),
    ]
    assert run.of("cleanup.path.error") == [{"path": str(workspace / "closed"), "reason": "Permission denied"}]
    assert run.of("cli.cleanup.failed") == [{"errors": 1}]
    assert left(workspace) == {"closed/b.pyc"}
    assert "Traceback" not in run.err


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("where", ["Engine._plan", "create_journal", "Engine._settled"])
def test_a_signal_at_any_point_ends_with_both_events_and_a_whole_manifest(
    cleanup: Cleanup,
    workspace: Path,
    fill: Fill,
    tmp_path: Path,
    interrupting_code: Callable[[str, int], str],
    signum: int,
    code: int,
    where: str,
) -> None:
    fill(workspace, *(f"{name}.pyc" for name in "abcdefgh"))
    manifest = tmp_path / "audit.json"

    run = cleanup(*("--python-cache", ".", "--audit-manifest", str(manifest)), code=interrupting_code(where, signum))

    assert run.code == code, run.err
    assert_ended_once(run)
    assert run.names[-1] == "cli.cleanup.failed"
    gone = {str(workspace / f"{name}.pyc") for name in "abcdefgh"} - {str(path) for path in workspace.iterdir()}
    assert {payload["path"] for payload in run.of("cleanup.path.removed")} == gone
    if where == "Engine._settled":
        document = json.loads(manifest.read_text())
        assert document["state"] == "interrupted"
        assert {each["path"] for each in document["removed"]} == gone
        assert document["in_doubt"] == []


@pytest.mark.slow
@pytest.mark.parametrize(("start", "workers"), [("1", "1"), ("600", "2")])
def test_a_signal_at_any_line_lets_the_run_end_in_order(
    tmp_path: Path, unmeasured_environment: dict[str, str], start: str, workers: str
) -> None:
    """Every 1201st line, a different set in each case; the script itself, without `--stride`, takes every one."""
    sweep = Path(__file__).parent / "sweeps" / "signals.py"
    options = ["--stride", "1201", "--start", start, "--workers", workers]

    command = [sys.executable, str(sweep), str(tmp_path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=unmeasured_environment)

    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[2]) > 5


def test_a_second_run_of_the_same_root_is_told_which_process_holds_it(
    cleanup: Cleanup, workspace: Path, fill: Fill, left: Left
) -> None:
    import fcntl

    fill(workspace, ".DS_Store")
    handle = os.open(workspace, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        run = cleanup(".")
    finally:
        os.close(handle)

    assert run.code == 1
    assert_ended_once(run)
    assert f"is being cleaned by process {os.getpid()}" in run.err
    assert left(workspace) == {".DS_Store"}


def test_a_holder_in_another_process_namespace_is_told_of_without_a_number(
    workspace: Path, fill: Fill, left: Left
) -> None:
    unshared = ["unshare", "--pid", "--fork", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*unshared, "true"], capture_output=True).returncode:
        pytest.skip("no right to make a process namespace: a holder that cannot be seen is not tested here")
    import fcntl

    fill(workspace, ".DS_Store")
    handle = os.open(workspace, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        command = [*unshared, sys.executable, "-m", "hephaestus", "cleanup", "."]
        run = subprocess.run(command, cwd=workspace, capture_output=True, text=True, timeout=60)
    finally:
        os.close(handle)

    assert run.returncode == 1
    assert "is being cleaned by another process" in run.stderr
    assert left(workspace) == {".DS_Store"}


def test_of_runs_that_start_together_each_removes_or_is_refused_and_nothing_goes_twice(
    workspace: Path, fill: Fill, left: Left, tmp_path: Path
) -> None:
    fill(workspace, *(f"{number}/__pycache__/x.pyc" for number in range(200)))
    logs = [tmp_path / f"events-{number}" for number in range(4)]
    command = [sys.executable, "-m", "hephaestus", "--log-file"]
    processes = [
        subprocess.Popen([*command, str(log), "cleanup", "--python-cache", "."], cwd=workspace, stderr=subprocess.PIPE)
        for log in logs
    ]
    complaints = [process.communicate(timeout=60)[1].decode() for process in processes]

    removed: list[str] = []
    for process, complaint, log in zip(processes, complaints, logs, strict=True):
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        removed += [line["payload"]["path"] for line in lines if line.get("event") == "cleanup.path.removed"]
        assert process.returncode == 0 or "is being cleaned by" in complaint
    assert sorted(removed) == sorted(str(workspace / f"{number}/__pycache__") for number in range(200))
    assert all(name.endswith("/") for name in left(workspace))


def test_names_that_act_on_terminals_are_shown_escaped_and_logged_exactly(
    cleanup: Cleanup, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "evil\x1b[2J\nname.pyc").touch()

    run = cleanup("--python-cache", "--dry-run", ".")

    assert run.of("cleanup.path.preview") == [{"path": str(workspace / "evil\x1b[2J\nname.pyc"), "dry_run": True}]
    assert "\x1b" not in run.out + run.err
    assert "evil\\x1b[2J\\x0aname.pyc" in run.out


@pytest.mark.parametrize("where", ["root", "manifest"])
def test_nothing_that_is_shown_acts_on_a_terminal(
    cleanup: Cleanup, workspace: Path, tmp_path: Path, state: Path, where: str
) -> None:
    evil = "\x1b]0;title\x07\u202e\n"
    if where == "root":
        folder = workspace / evil
        folder.mkdir()
        (folder / "a.pyc").touch()
        runs = [cleanup("--python-cache", str(folder)), cleanup("show", command=("cleanup-runs",))]
        runs += [cleanup("list", command=("cleanup-runs",)), cleanup(str(folder / "missing"))]
    else:
        record = {"format": "hephaestus-cleanup-manifest", "version": 1, "run": evil, "when": evil, "root": evil}
        note = {"path": evil, "reason": evil}
        item = {"path": evil, "rule": evil, "evidence": evil}
        lists = {"removed": [item], "kept": [], "not_removed": [item], "in_doubt": [item], "skipped": [note]}
        folder = state / "hephaestus/cleanup/runs"
        folder.mkdir(parents=True)
        (folder / "evil.json").write_text(json.dumps({**record, "state": evil, **lists, "errors": [note]}, indent=1))
        (folder / "evil\x1b[2J.json").write_text("damaged")
        runs = [cleanup("show", "evil", command=("cleanup-runs",)), cleanup("list", command=("cleanup-runs",))]

    for run in runs:
        assert not set("\x1b\x07\u202e") & set(run.out + run.err), run.out + run.err

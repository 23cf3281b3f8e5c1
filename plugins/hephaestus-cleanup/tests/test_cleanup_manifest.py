"""The audit manifest accounts for every planned path, whenever and however the run dies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus_cleanup._journal import FORMAT
from hephaestus_cleanup._plan import Note
from hephaestus_cleanup._record import read_record
from hephaestus_cleanup.errors import ManifestError

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]
Build = Callable[..., Any]

# Forks a child for each system call of a run that changes something, kills it there, and checks the manifest.
SWEEP = """
import json, os, signal, shutil, sys
from hephaestus_cleanup import _engine
from hephaestus_cleanup._beneath import pick_opener
from hephaestus_cleanup._builtin_rules import BUILTIN_RULES
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._engine import Engine
from hephaestus_cleanup._options import effective_options
from hephaestus_cleanup._record import read_record
from hephaestus_cleanup._roots import search_roots
from hephaestus_cleanup.errors import ManifestError

base, workers, quarantine = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "quarantine"
CALLS = ("open", "write", "fsync", "unlink", "rmdir", "replace", "mkdir")
pick_opener()

def kill_before(step):
    seen = [0]
    def watch(name):
        original = getattr(os, name)
        def call(*args, **kwargs):
            seen[0] += 1
            if seen[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)
        setattr(os, name, call)
    for name in CALLS:
        watch(name)
    if quarantine:
        from hephaestus_cleanup import _crew
        move = _crew.move_without_overwriting
        def moving(*args):
            seen[0] += 1
            if seen[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)
            move(*args)
            seen[0] += 1
            if seen[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)
        _crew.move_without_overwriting = moving

step = finished = 0
killed = doubted = 0
while not finished:
    step += 1
    root = os.path.join(base, "ws")
    shutil.rmtree(root, ignore_errors=True)
    for name in ("a", "b", "c"):
        os.makedirs(f"{root}/{name}/__pycache__/sub")
        for file in ("x.pyc", "sub/y.pyc"):
            open(f"{root}/{name}/__pycache__/{file}", "w").close()
        open(f"{root}/{name}.pyc", "w").close()
    manifest = os.path.join(base, f"audit-{step}.json")
    pid = os.fork()
    if pid == 0:
        flags = {"python_cache": True, "workers": workers, "quarantine": quarantine}
        options = effective_options(CleanupConfig(), flags, yes=True, audit_manifest=manifest)
        engine = Engine(search_roots(root, options), options, BUILTIN_RULES, consent=Consent(True), run_id="run")
        kill_before(step)
        engine.run()
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    finished = os.WIFEXITED(status)
    planned = [f"{root}/{name}{tail}" for name in "abc" for tail in ("/__pycache__", ".pyc")]
    whole = {p for p in planned if os.path.exists(p)
             and (p.endswith(".pyc") or all(os.path.exists(f"{p}/{f}") for f in ("x.pyc", "sub/y.pyc")))}
    gone = {p for p in planned if not os.path.lexists(p)}
    if finished:
        assert os.WEXITSTATUS(status) == 0 and len(gone) == 6
    killed += not finished
    try:
        record = read_record(manifest)
    except ManifestError:
        assert len(whole) == 6, (step, "removed without a manifest")
        continue
    if not any(record[key] for key in ("removed", "kept", "in_doubt")) and len(record["not_removed"]) < 6:
        assert len(whole) == 6, (step, "removed before the plan was written")
        continue
    told = {key: {each["path"] for each in record[key]} for key in ("removed", "not_removed", "in_doubt", "kept")}
    assert sum(map(len, told.values())) == 6, (step, told)
    assert told["removed"] <= gone, (step, told, gone)
    assert told["not_removed"] <= whole, (step, told, whole)
    assert not told["kept"], (step, told)
    assert len(told["in_doubt"]) <= workers, (step, told)
    doubted += bool(told["in_doubt"])
assert killed > 30 and doubted > 3, (killed, doubted)
print(killed, doubted)
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("mode", ["delete", "quarantine"])
def test_after_sigkill_at_any_call_the_manifest_accounts_for_every_path(
    workspace: Path, workers: int, mode: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, str(workspace), str(workers), mode], capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("call", ["unlinkat", "openat2", "fsync"])
def test_after_sigkill_at_the_system_call_itself_the_manifest_is_right(
    cleanup: Callable[..., Any], workspace: Path, fill: Fill, tmp_path: Path, call: str
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("no strace: system calls are not interrupted here")
    fill(workspace, *(f"{name}/x.pyc" for name in "abcd"))
    manifest = tmp_path / "audit.json"
    inject = ["-f", "-o", str(tmp_path / "trace"), "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when=3"]
    command = [sys.executable, "-m", "hephaestus", "cleanup", "--python-cache", "--workers", "1", "."]
    done = subprocess.run(
        ["strace", *inject, *command, "--audit-manifest", str(manifest)], cwd=workspace, capture_output=True, timeout=60
    )
    if b"Operation not permitted" in done.stderr or b"invalid system call" in done.stderr:
        pytest.skip("strace cannot do this here")

    assert done.returncode == -9
    record = read_record(str(manifest))
    told = {key: {each["path"] for each in record[key]} for key in ("removed", "not_removed", "in_doubt")}
    there = {str(path) for path in workspace.glob("*/*")}
    assert told["not_removed"] <= there
    assert not told["removed"] & there
    assert len(told["in_doubt"]) <= 1
    assert sum(map(len, told.values())) == 4


# ---- an unwritable manifest ------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("when", [1, 2])
def test_a_full_disk_before_the_first_removal_removes_nothing(
    engine: Build,
    workspace: Path,
    fill: Fill,
    left: Left,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    call: str,
    when: int,
) -> None:
    fill(workspace, "a.pyc", "b.pyc")
    original = getattr(os, call)
    seen: list[int] = []

    def full(handle: int, *data: bytes) -> Any:
        seen.append(handle)
        if len(seen) == when:
            raise OSError(28, "No space left on device")
        return original(handle, *data)

    built = engine(audit_manifest=str(tmp_path / "audit.json"))
    monkeypatch.setattr(os, call, full)
    with pytest.raises(ManifestError, match="No space left on device"):
        built.run()

    assert left(workspace) == {"a.pyc", "b.pyc"}


def test_a_disk_that_fills_up_meanwhile_stops_the_run_and_the_manifest_stays_true(
    engine: Build, workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(workspace, *(f"{number}.pyc" for number in range(10)))
    original = os.write
    manifest = tmp_path / "audit.json"

    def full(handle: int, data: bytes) -> int:
        if data.startswith(b'{"begin":4}'):
            raise OSError(28, "No space left on device")
        return original(handle, data)

    built = engine(audit_manifest=str(manifest), config={"workers": 1})
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ManifestError):
        built.run()

    record = read_record(str(manifest))
    assert {each["path"] for each in record["not_removed"]} == {str(path) for path in workspace.iterdir()}
    assert len(record["removed"]) == 4


def test_the_journal_stays_if_it_cannot_be_replaced_by_the_document(
    engine: Build, workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(workspace, "a.pyc")
    manifest = tmp_path / "audit.json"

    def refuse(*paths: str) -> None:
        raise OSError(28, "No space left on device")

    built = engine(audit_manifest=str(manifest))
    monkeypatch.setattr(os, "replace", refuse)
    built.run()

    assert [each["path"] for each in read_record(str(manifest))["removed"]] == [str(workspace / "a.pyc")]
    assert sorted(os.listdir(tmp_path)) == ["audit.json", "state", "workspace"]


def test_two_runs_of_one_name_never_share_a_manifest(engine: Build, workspace: Path, fill: Fill) -> None:
    fill(workspace, "a.pyc")
    first = engine().run()
    fill(workspace, "a.pyc")

    with pytest.raises(ManifestError, match="exists already"):
        engine().run()

    assert (workspace / "a.pyc").exists()
    assert len(read_record(str(first.manifest))["removed"]) == 1


# ---- reading back ----------------------------------------------------------------------------------------------


def journal_of(built: Any, manifest: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr("hephaestus_cleanup._journal.Journal.replace", lambda self, document: None)
    built.run()
    return manifest.read_bytes()


def test_a_journal_cut_at_any_byte_is_read_or_said_to_be_none(
    engine: Build, workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(workspace, "a.pyc", "b.pyc")
    manifest = tmp_path / "audit.json"
    data = journal_of(engine(audit_manifest=str(manifest), config={"workers": 1}), manifest, monkeypatch)
    removed_before = 0
    for length in range(len(data) + 1):
        manifest.write_bytes(data[:length])
        try:
            record = read_record(str(manifest))
        except ManifestError:
            assert b"\n" not in data[:length]
            continue
        assert len(record["removed"]) >= removed_before
        removed_before = len(record["removed"])
        assert len(record["in_doubt"]) <= 1
    assert removed_before == 2


def test_journal_and_document_say_the_same(
    engine: Build, workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(workspace, "a.pyc", "build/x")
    outcome = engine(audit_manifest=str(tmp_path / "one.json")).run()
    document = json.loads(Path(str(outcome.manifest)).read_text())
    fill(workspace, "a.pyc")
    manifest = tmp_path / "two.json"
    journal_of(engine(audit_manifest=str(manifest)), manifest, monkeypatch)
    journal = read_record(str(manifest))

    assert set(document) == set(journal)
    changing = ("when",)
    for each in (*document["removed"], *journal["removed"]):
        each.pop("inode")
    assert {key: value for key, value in document.items() if key not in changing} == {
        key: value for key, value in journal.items() if key not in changing
    }


@given(st.binary(max_size=200))
def test_any_other_file_is_said_to_be_no_manifest(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("record") / "file.json"
    path.write_bytes(data)

    with pytest.raises(ManifestError):
        read_record(str(path))


@given(
    st.lists(st.dictionaries(st.sampled_from(["begin", "removed", "kept", "plan", "end", "skipped"]), st.integers()))
)
def test_lines_that_make_no_sense_are_said_to_be_no_manifest_or_read(
    tmp_path_factory: pytest.TempPathFactory, lines: list[dict[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("record") / "file.json"
    path.write_text("".join(json.dumps(line) + "\n" for line in [{"format": FORMAT}, *lines]))

    try:
        assert read_record(str(path))["format"] == FORMAT
    except ManifestError:
        return


def test_names_of_any_bytes_survive_the_manifest(engine: Build, workspace: Path, fill: Fill) -> None:
    name = os.fsdecode(b"\xff\n\x1b'\"\\.pyc")
    fill(workspace, name)

    outcome = engine().run()

    (removed,) = read_record(str(outcome.manifest))["removed"]
    assert removed["path"] == str(workspace / name)
    assert Note(removed["path"], "") == Note(str(workspace / name), "")

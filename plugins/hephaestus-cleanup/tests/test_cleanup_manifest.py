"""The audit manifest accounts for every planned path, whenever and however the run dies."""

from __future__ import annotations

import json
import os
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


def test_a_line_written_in_part_does_not_spoil_what_is_written_later(
    engine: Build, workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(workspace, *(f"{number}.pyc" for number in range(10)))
    original = os.write
    manifest = tmp_path / "audit.json"
    full: list[int] = []

    def partly(handle: int, data: bytes) -> int:
        if data.startswith(b'{"begin":4}'):
            full.append(1)
            return original(handle, data[:5])
        if data.startswith(b'in":4}'):
            raise OSError(28, "No space left on device")
        return original(handle, data)

    built = engine(audit_manifest=str(manifest), config={"workers": 1})
    monkeypatch.setattr(os, "write", partly)
    with pytest.raises(ManifestError):
        built.run()

    assert full
    record = read_record(str(manifest))
    assert record["state"] == "interrupted"
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


def test_plan_and_folders_are_on_disk_before_the_first_removal(
    engine: Build, workspace: Path, state: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace, "a.pyc")
    steps: list[str] = []
    sync, unlink, write = os.fsync, os.unlink, os.write

    def synced(handle: int) -> None:
        steps.append(f"sync {os.path.relpath(os.readlink(f'/proc/self/fd/{handle}'), state.parent)}")
        sync(handle)

    def unlinked(name: str, **keywords: Any) -> None:
        steps.append(f"unlink {name}")
        unlink(name, **keywords)

    def written(handle: int, data: bytes) -> int:
        steps.append(f"write {data[:9].decode()}")
        return write(handle, data)

    built = engine(config={"workers": 1})
    for name, call in (("fsync", synced), ("unlink", unlinked), ("write", written)):
        monkeypatch.setattr(os, name, call)
    built.run()

    runs = "state/hephaestus/cleanup/runs"
    steps = [each for each in steps if not each.startswith('write {"planned')]  # a write of its own, or not
    assert steps[: steps.index("unlink a.pyc") + 1] == [
        *("sync .", "sync state", "sync state/hephaestus", "sync state/hephaestus/cleanup"),  # each has a new folder
        *(f"sync {runs}", 'write {"format"', 'write {"plan":0', f"sync {runs}/run-test.json"),
        *('write {"begin":', "unlink a.pyc"),
    ]


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_manifest_whose_plan_cannot_be_written_leaves_nothing_behind(
    engine: Build, workspace: Path, state: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    fill(workspace, "a.pyc")

    def full(*arguments: Any) -> Any:
        raise OSError(28, "No space left on device")

    built = engine()
    (state / "hephaestus/cleanup/runs").mkdir(parents=True)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(ManifestError):
        built.run()

    assert os.listdir(state / "hephaestus/cleanup/runs") == []


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

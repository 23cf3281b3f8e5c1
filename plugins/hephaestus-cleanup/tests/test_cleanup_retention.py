"""How long manifests are kept, and whose word counts in that."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hephaestus_cleanup import _retention
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._retention import Retention, prune_records, retention_of

Fill = Callable[..., None]
Build = Callable[..., Any]

DAY = 86400
PLENTY = 1 << 30


@pytest.fixture
def runs(state: Path) -> Path:
    folder = state / "hephaestus/cleanup/runs"
    folder.mkdir(parents=True)
    return folder


def record(runs: Path, name: str, *, age: float, size: int = 0, root: Path | None = None) -> Path:
    """A manifest of some age in days; with a root it is one of a quarantine."""
    document = {
        "format": "hephaestus-cleanup-manifest",
        "run": name,
        "quarantine": root is not None,
        "search_roots": [str(root)],
        "options": {"quarantine_days": 200},
        "filler": "x" * size,
    }
    path = runs / f"{name}.json"
    path.write_text(json.dumps(document, indent=1))
    os.utime(path, (time.time() - age * DAY,) * 2)
    return path


def left(runs: Path) -> set[str]:
    return {each.name for each in runs.iterdir()} - {".pruned"}


def test_manifests_older_than_their_time_go_and_the_others_stay(runs: Path) -> None:
    record(runs, "old", age=91)
    record(runs, "young", age=89)
    (runs / "damaged.json").write_text("{")
    (runs / "old.json.17.tmp").write_text("{")
    for name in ("damaged.json", "old.json.17.tmp"):
        os.utime(runs / name, (0, 0))

    assert prune_records(Retention(90, PLENTY)) == 3

    assert left(runs) == {"young.json"}


def test_the_oldest_go_when_all_together_are_too_large_but_none_of_the_last_day(runs: Path) -> None:
    for age in (0.5, 2, 3, 4):
        record(runs, f"age-{age}", age=age, size=1000)

    prune_records(Retention(90, 3000))
    assert left(runs) == {"age-0.5.json", "age-2.json"}

    (runs / ".pruned").unlink()
    prune_records(Retention(0, 0))
    assert left(runs) == {"age-0.5.json"}


def test_a_run_that_can_be_undone_keeps_its_manifest(runs: Path, workspace: Path, fill: Fill) -> None:
    fill(workspace, ".hephaestus-quarantine/undoable/0")
    record(runs, "undoable", age=400, root=workspace)
    record(runs, "undone", age=400, root=workspace)
    record(runs, "unmounted", age=150, root=workspace / "missing")
    record(runs, "gone", age=250, root=workspace / "missing")

    prune_records(Retention(90, 0))

    assert left(runs) == {"undoable.json", "unmounted.json"}


def test_a_manifest_elsewhere_stays_and_only_the_pointer_to_it_goes(runs: Path, tmp_path: Path) -> None:
    elsewhere = record(tmp_path, "elsewhere", age=100)
    (runs / "run.json").symlink_to(elsewhere)
    os.utime(runs / "run.json", (0, 0), follow_symlinks=False)

    prune_records(Retention(90, PLENTY))

    assert left(runs) == set()
    assert elsewhere.exists()


def test_it_is_looked_once_a_day_and_by_real_runs_only(
    runs: Path, engine: Build, workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = record(runs, "old", age=100)
    fill(workspace, "a.pyc")

    engine(dry_run=True).run()
    assert old.exists()

    engine().run()
    assert left(runs) == {"run-test.json"}

    record(runs, "old", age=100)
    fill(workspace, "a.pyc")
    engine(run_id="later").run()
    assert old.exists()


def test_a_folder_that_cannot_be_looked_at_is_no_failure(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(runs, "old", age=100)

    def refuse(folder: str) -> Any:
        raise OSError("no")

    monkeypatch.setattr(_retention, "_newest_first", refuse)

    assert prune_records(Retention(90, PLENTY)) == 0


def test_a_workspace_may_lengthen_and_only_the_environment_shorten() -> None:
    shorter = CleanupConfig(manifest_days=1, manifest_max_bytes=10)
    longer = CleanupConfig(manifest_days=400, manifest_max_bytes=1 << 40)

    assert retention_of(shorter, {}) == retention_of(CleanupConfig(), {}) == Retention(90, 1 << 30)
    assert retention_of(longer, {}) == Retention(400, 1 << 40)
    assert retention_of(shorter, {"HEPHAESTUS_CLEANUP_MANIFEST_DAYS": "1"}) == Retention(1, 1 << 30)
    assert retention_of(shorter, {"HEPHAESTUS_CLEANUP_MANIFEST_MAX_BYTES": "10"}) == Retention(90, 10)

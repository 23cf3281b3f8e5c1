"""Recorded runs: which there are, what one did, and undoing one that went to the quarantine."""

from __future__ import annotations

import os
from typing import Any

from attrs import define, field

from hephaestus_cleanup._beneath import OpenFolder, pick_opener
from hephaestus_cleanup._erase import reason_of
from hephaestus_cleanup._plan import Note
from hephaestus_cleanup._quarantine import EXPIRED, move_without_overwriting
from hephaestus_cleanup._record import read_record
from hephaestus_cleanup._rootlock import open_root
from hephaestus_cleanup._roots import SearchRoot
from hephaestus_cleanup._rulebook import QUARANTINE_NAME
from hephaestus_cleanup._state import file_name_of, runs_folder
from hephaestus_cleanup.errors import CleanupError, ManifestError, UnknownRunError

__all__ = ["Undone", "find_record", "recorded_runs", "undo_run"]


@define
class Undone:
    """What an undo came to: paths restored, and paths left in the quarantine with the reason."""

    restored: list[str] = field(factory=list)
    left: list[Note] = field(factory=list)


def recorded_runs() -> list[dict[str, Any]]:
    """All recorded runs, the newest first; a manifest that cannot be read has `problem` instead of the rest."""
    folder = runs_folder()
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".json")]
    except OSError:
        return []
    found = []
    for name in names:
        run = name.removesuffix(".json")
        path = os.path.join(folder, name)
        try:
            found.append({**read_record(path), "manifest": os.path.realpath(path)})
        except ManifestError as error:
            found.append({"run": run, "when": "", "manifest": path, "problem": error.message})
    return sorted(found, key=lambda each: str(each["when"]), reverse=True)


def find_record(run: str | None) -> dict[str, Any]:
    """One recorded run.

    Args:
        run: its id, or the path of its manifest; None for the newest that can be read.

    Raises:
        UnknownRunError: there is none.
        ManifestError: it cannot be read.
    """
    if run is None:
        newest = next((each for each in recorded_runs() if "problem" not in each), None)
        if newest is None:
            raise UnknownRunError("no cleanup run is recorded", hint="runs that remove something are recorded")
        return newest
    for path in (os.path.join(runs_folder(), f"{file_name_of(run)}.json"), run):
        if os.path.isfile(path):
            return {**read_record(path), "manifest": os.path.realpath(path)}
    known = ", ".join(str(each["run"]) for each in recorded_runs()[:3]) or "none"
    raise UnknownRunError(f"no cleanup run {run!r} is recorded", hint=f"the newest are: {known}")


def undo_run(record: dict[str, Any], opener: OpenFolder | None = None) -> Undone:
    """Move what a run has quarantined back to where it was; nothing is overwritten.

    Args:
        record: what `find_record` returned.
        opener: how folders are opened.

    Raises:
        CleanupError: the run deleted instead of quarantining, or another run holds the root.
    """
    if not record.get("quarantine"):
        raise CleanupError(
            f"run {record['run']} deleted what it removed", hint="only runs with --quarantine can be undone"
        )
    undone = Undone()
    open_folder = opener or pick_opener()
    # Quarantines that had expired were deleted for good by the same run.
    items = [item for item in (*record["removed"], *record["in_doubt"]) if item["rule"] != EXPIRED]
    for root in sorted({str(item["root"]) for item in items}):
        within = [item for item in items if item["root"] == root]
        try:
            _undo_root(root, str(record["run"]), within, open_folder, undone)
        except OSError as error:
            undone.left += [Note(item["path"], f"no quarantine: {reason_of(error)}") for item in within]
    return undone


def _undo_root(root: str, run: str, items: list[dict[str, Any]], open_folder: OpenFolder, undone: Undone) -> None:
    status = os.lstat(root)
    handle = open_root(SearchRoot(root, status.st_dev, status.st_ino), lock=True)
    try:
        shelf = open_folder(handle, f"{QUARANTINE_NAME}/{file_name_of(run)}")
        try:
            for item in items:
                _restore(handle, shelf, item, open_folder, undone)
        finally:
            os.close(shelf)
        _tidy(handle, run, open_folder)
    finally:
        os.close(handle)


def _restore(root: int, shelf: int, item: dict[str, Any], open_folder: OpenFolder, undone: Undone) -> None:
    # One component, whatever a manifest says: nothing but what lies in the quarantine is moved.
    name = str(item.get("quarantined", item["index"])).rpartition("/")[2]
    folder, _, last = str(item["relative"]).rpartition("/")
    try:
        os.stat(name, dir_fd=shelf, follow_symlinks=False)
        parent = _parent(root, folder, open_folder)
        try:
            move_without_overwriting(shelf, name, parent, last)
        finally:
            os.close(parent)
    except FileExistsError:
        undone.left.append(Note(item["path"], "something is there now"))
    except FileNotFoundError:
        undone.left.append(Note(item["path"], "not in the quarantine (restored or expired)"))
    except OSError as error:
        undone.left.append(Note(item["path"], reason_of(error)))
    else:
        undone.restored.append(item["path"])


def _parent(root: int, folder: str, open_folder: OpenFolder) -> int:
    """Open the folder that an item lay in, making what is missing of it."""
    handle = os.dup(root)
    for name in folder.split("/") if folder else ():
        above = handle
        try:
            try:
                handle = open_folder(above, name)
            except FileNotFoundError:
                os.mkdir(name, dir_fd=above)
                handle = open_folder(above, name)
        finally:
            os.close(above)
    return handle


def _tidy(root: int, run: str, open_folder: OpenFolder) -> None:
    """Remove the run's folder if it is empty, and the quarantine if that is."""
    try:
        quarantine = open_folder(root, QUARANTINE_NAME)
    except OSError:
        return
    try:
        os.rmdir(file_name_of(run), dir_fd=quarantine)
        if os.listdir(quarantine) == [".gitignore"]:
            os.unlink(".gitignore", dir_fd=quarantine)
            os.rmdir(QUARANTINE_NAME, dir_fd=root)
    except OSError:
        return  # something is still in there
    finally:
        os.close(quarantine)

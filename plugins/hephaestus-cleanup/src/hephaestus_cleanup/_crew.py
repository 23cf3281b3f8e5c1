"""The workers that carry a plan out; a large folder is split among them, results come back in the plan's order."""

from __future__ import annotations

import os
import queue
import stat
import threading
from collections.abc import Callable, Iterator, Mapping

from attrs import define, field

from hephaestus_cleanup._beneath import OpenFolder
from hephaestus_cleanup._erase import Changed, Eraser, Stopped, Tally, kept_reason, list_entries, reason_of
from hephaestus_cleanup._journal import Journal
from hephaestus_cleanup._plan import Note, Plan, PlanItem
from hephaestus_cleanup._quarantine import EXPIRED, move_without_overwriting

__all__ = ["Crew", "Result"]

# A folder with fewer sub-folders isn't worth sharing.
_WORTH_SPLITTING = 16
_TICK = 0.1
# So many files may be settled before the main thread hears of them.
_HANDFUL = 32


@define
class Result:
    """What became of one item.

    Attributes:
        item: the item.
        outcome: "removed", "kept" (an error left it, or part of it) or "gone" (it had vanished or changed by itself).
        tally: counts, sizes and problems.
        reason: for "gone", what to say.
        quarantined: its name in the quarantine, if it was moved there.
    """

    item: PlanItem
    outcome: str
    tally: Tally
    reason: str = ""
    quarantined: str | None = None


@define
class _Share:
    """An item whose sub-folders several workers erase."""

    item: PlanItem
    parent: int
    handle: int
    name: str
    left: int
    whole: bool
    tally: Tally


@define
class _Worker:
    """What one thread works with.

    Attributes:
        eraser: its own.
        results: where the main thread gets them.
        done: results that it hasn't got yet. Each hand-over wakes it, which costs more than it takes to unlink a file.
    """

    eraser: Eraser
    results: queue.SimpleQueue[list[Result] | BaseException | None]
    done: list[Result] = field(factory=list, init=False)

    def hand_over(self) -> None:
        if self.done:
            self.results.put(self.done)
            self.done = []


@define
class Crew:
    """Removes the items of a plan.

    Args:
        plan: the frozen plan.
        roots: open descriptors of the roots, by path.
        journal: gets each step.
        open_folder: how folders are opened.
        workers: number of threads.
        exact: measure every file.
        quarantines: where to move things, by root's path; empty to erase.
        tick: called by `results` between two results and while it waits for one; what it raises ends the waiting.
    """

    plan: Plan
    roots: Mapping[str, int]
    journal: Journal
    open_folder: OpenFolder
    workers: int = 2
    exact: bool = False
    quarantines: Mapping[str, int] = field(factory=dict)
    tick: Callable[[], None] = lambda: None
    _results: queue.SimpleQueue[list[Result] | BaseException | None] = field(factory=queue.SimpleQueue, init=False)
    _ready: threading.Condition = field(factory=threading.Condition, init=False)
    _shared: list[tuple[_Share, str]] = field(factory=list, init=False)
    _open_shares: int = field(default=0, init=False)
    _next: int = field(default=0, init=False)
    _stop: bool = field(default=False, init=False)
    _waiting: dict[int, Result] = field(factory=dict, init=False)
    _threads: list[threading.Thread] = field(factory=list, init=False)

    def results(self) -> Iterator[Result]:
        """Start the workers and yield the results in the plan's order.

        When the caller is interrupted, `stop`, `join` and `unheard` give what was done all the same.

        Raises:
            ManifestError: the journal can no longer be written; the workers have stopped then.
        """
        count = max(1, min(self.workers, len(self.plan.items) * 4))
        for number in range(count):
            thread = threading.Thread(target=self._work, name=f"cleanup-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        turn = 0
        for arrived in self._arrivals(count):
            self._wait_for_their_turn(arrived)
            while turn in self._waiting:
                turn += 1
                yield self._waiting.pop(turn - 1)
        yield from self._rest()

    def join(self) -> None:
        """Wait until all workers have ended."""
        for thread in self._threads:
            thread.join()

    def unheard(self) -> Iterator[Result]:
        """After `join`: the results that `results` has not yielded, in the plan's order."""
        while True:
            try:
                arrived = self._results.get_nowait()
            except queue.Empty:
                break
            if isinstance(arrived, list):
                self._wait_for_their_turn(arrived)
        yield from self._rest()

    def _wait_for_their_turn(self, arrived: list[Result]) -> None:
        self._waiting.update((each.item.index, each) for each in arrived)

    def _rest(self) -> Iterator[Result]:
        for index in sorted(self._waiting):
            yield self._waiting.pop(index)

    def stop(self) -> None:
        """Ask the workers to stop at the next folder."""
        with self._ready:
            self._stop = True
            self._ready.notify_all()

    def _arrivals(self, running: int) -> Iterator[list[Result]]:
        failure: BaseException | None = None
        while running:
            self.tick()
            try:
                arrived = self._results.get(timeout=_TICK)
            except queue.Empty:
                continue
            if arrived is None:
                running -= 1
            elif isinstance(arrived, BaseException):
                failure = failure or arrived
                self.stop()
            else:
                yield arrived
        if failure is not None:
            raise failure

    # ---- in the workers ----------------------------------------------------------------------------------------

    def _work(self) -> None:
        worker = _Worker(Eraser(self.open_folder, self.exact, lambda: self._stop), self._results)
        try:
            while True:
                task = self._take(worker)
                if task is None:
                    return
                if isinstance(task, PlanItem):
                    self._item(task, worker)
                else:
                    self._part(*task, worker)
        except BaseException as error:  # handed to the main thread, which alone may raise
            self._results.put(error)
        finally:
            worker.hand_over()
            self._results.put(None)

    def _take(self, worker: _Worker) -> PlanItem | tuple[_Share, str] | None:
        with self._ready:
            while True:
                # Parts of begun items come first: so no more items are begun at a time than there are workers.
                if self._shared:
                    return self._shared.pop()
                if not self._stop and self._next < len(self.plan.items):
                    item = self.plan.items[self._next]
                    self._next += 1
                    return item
                if not self._open_shares:
                    return None
                worker.hand_over()
                self._ready.wait()

    def _item(self, item: PlanItem, worker: _Worker) -> None:
        if item.is_folder:
            worker.hand_over()  # this may take long
        tally = Tally()
        self.journal.begin(item.index)
        folder, _, name = item.relative.rpartition("/")
        try:
            root = self.roots[item.root.path]
            parent = self.open_folder(root, folder) if folder else os.dup(root)
        except OSError as error:
            self._settle(_failure(item, tally, error), worker)
            return
        shared = False
        try:
            status = _check_identity(item, parent, name)
            if item.root.path in self.quarantines and item.rule != EXPIRED:
                result = self._move(item, parent, name, status, tally)
            elif not item.is_folder:
                worker.eraser.file(parent, name, status, tally)
                result = Result(item, "removed", tally)
            elif self._split(item, parent, name, tally):
                shared = True
                return
            else:
                whole = worker.eraser.folder(parent, name, item.path, tally, (item.device, item.inode))
                result = Result(item, "removed" if whole else "kept", tally)
        except (OSError, Changed, Stopped) as error:
            result = _failure(item, tally, error)
        finally:
            if not shared:
                os.close(parent)
        self._settle(result, worker)

    def _move(self, item: PlanItem, parent: int, name: str, status: os.stat_result, tally: Tally) -> Result:
        target = self.quarantines[item.root.path]
        new_name = str(item.index)
        move_without_overwriting(parent, name, target, new_name)
        try:
            # Between the check and the rename something else may have taken the name: put that back.
            _check_identity(item, target, new_name)
        except Changed:
            try:
                move_without_overwriting(target, new_name, parent, name)
            except OSError as error:
                words = f"changed since the plan; what had come in its place is {new_name} in the quarantine"
                raise OSError(error.errno, words) from error
            raise
        tally.entries += 1
        if not item.is_folder:
            tally.size = status.st_size
        elif item.size is not None:
            tally.size, tally.entries = item.size, item.entries or 1
        else:
            tally.approximate = True
        return Result(item, "removed", tally, quarantined=new_name)

    def _split(self, item: PlanItem, parent: int, name: str, tally: Tally) -> bool:
        """Share an item's sub-folders out, if it has many; False when it is better erased in one go."""
        if self.workers == 1:
            return False
        try:
            handle = self.open_folder(parent, name)
        except PermissionError:
            return False  # the eraser may open it up
        try:
            status = os.fstat(handle)
            if (status.st_dev, status.st_ino) != (item.device, item.inode):
                raise Changed
            files, folders = list_entries(handle)
        except BaseException:
            os.close(handle)
            raise
        closed = status.st_mode & 0o700 != 0o700
        if len(folders) < _WORTH_SPLITTING or closed or kept_reason(files, folders) is not None:
            os.close(handle)
            return False
        share = _Share(item, parent, handle, name, len(folders), True, tally)
        for each in files:
            self._leaf(share, each)
        with self._ready:
            self._open_shares += 1
            self._shared += [(share, each) for each in reversed(folders)]
            self._ready.notify_all()
        return True

    def _leaf(self, share: _Share, name: str) -> None:
        try:
            share.tally.measure(share.handle, name)
            os.unlink(name, dir_fd=share.handle)
            share.tally.entries += 1
        except FileNotFoundError:
            return
        except OSError as error:
            share.whole = False
            share.tally.problems.append((f"{share.item.path}/{name}", reason_of(error)))

    def _part(self, share: _Share, name: str, worker: _Worker) -> None:
        worker.hand_over()
        eraser = worker.eraser
        tally = Tally(seen=eraser.seen)
        path = f"{share.item.path}/{name}"
        whole = False
        try:
            whole = eraser.folder(share.handle, name, path, tally)
        except FileNotFoundError:
            whole = True
        except Stopped:
            tally.problems.append((path, "interrupted"))
        except OSError as error:
            tally.problems.append((path, reason_of(error)))
        finally:
            eraser.seen = tally.seen
            # Whatever happened: a share that is never closed would let the other workers wait for ever.
            self._part_done(share, tally, whole, worker)

    def _part_done(self, share: _Share, tally: Tally, whole: bool, worker: _Worker) -> None:
        with self._ready:
            share.tally.add(tally)
            share.whole &= whole
            share.left -= 1
            last = share.left == 0
        if last:
            self._close_share(share, worker)

    def _close_share(self, share: _Share, worker: _Worker) -> None:
        os.close(share.handle)
        try:
            if share.whole:
                os.rmdir(share.name, dir_fd=share.parent)
                share.tally.entries += 1
        except OSError as error:
            share.whole = False
            share.tally.problems.append((share.item.path, reason_of(error)))
        finally:
            os.close(share.parent)
            with self._ready:
                self._open_shares -= 1
                self._ready.notify_all()
        self._settle(Result(share.item, "removed" if share.whole else "kept", share.tally), worker)

    def _settle(self, result: Result, worker: _Worker) -> None:
        index, tally = result.item.index, result.tally
        if result.outcome == "removed":
            self.journal.removed(
                index, tally.size, tally.entries, approximate=tally.approximate, quarantined=result.quarantined
            )
        else:
            notes = [Note(*each) for each in tally.problems] or [Note(result.item.path, result.reason)]
            self.journal.kept(index, notes, partly=tally.entries > 0)
        worker.done.append(result)
        if len(worker.done) >= _HANDFUL:
            worker.hand_over()


def _check_identity(item: PlanItem, parent: int, name: str) -> os.stat_result:
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    same = (status.st_dev, status.st_ino) == (item.device, item.inode)
    if not same or stat.S_ISDIR(status.st_mode) != item.is_folder:
        raise Changed
    return status


def _failure(item: PlanItem, tally: Tally, error: BaseException) -> Result:
    if isinstance(error, Changed):
        return Result(item, "gone", tally, "changed since the plan")
    if isinstance(error, FileNotFoundError) and not tally.entries:
        return Result(item, "gone", tally, "missing")
    reason = reason_of(error) if isinstance(error, OSError) else "interrupted"
    tally.problems.append((item.path, reason))
    return Result(item, "kept", tally)

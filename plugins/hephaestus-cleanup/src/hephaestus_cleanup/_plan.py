"""The plan of a run: what will be removed, in order, and what is kept and why. Frozen once it is made."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator

from attrs import frozen

from hephaestus_cleanup._roots import SearchRoot

__all__ = ["Note", "Plan", "PlanItem", "ordered", "without_nested"]

_RUN = 4096


@frozen
class Note:
    """A path and what is to be said of it: the reason of a skip or of an error."""

    path: str
    reason: str


@frozen(weakref_slot=False)
class PlanItem:
    """One path that will be removed, with everything beneath it.

    Attributes:
        index: its place in the plan, from 0.
        root: the search root that it lies under.
        relative: its path below the root, exactly as the file system has it (undecodable bytes as surrogates).
        is_folder: True for a real folder; a link to one is no folder.
        device, inode: identity when it was planned; what is there instead later on is left alone.
        rule: the rule's name.
        evidence: what spoke for it.
        size: bytes, where they were measured for a budget; else None.
        entries: files and folders, itself included, where measured; else None.
    """

    index: int
    root: SearchRoot
    relative: str
    is_folder: bool
    device: int
    inode: int
    rule: str
    evidence: str
    size: int | None = None
    entries: int | None = None

    @property
    def path(self) -> str:
        """The absolute path, for people and events; never used to remove."""
        return f"{self.root.path}/{self.relative}"


@frozen
class Plan:
    """What a run will do.

    Attributes:
        items: in the order of removal; none lies within another.
        skips: paths that are kept, in order.
        errors: paths that could not be read, in order.
        entries: files and folders that the scan has seen, those beneath the items not counted.
    """

    items: tuple[PlanItem, ...] = ()
    skips: tuple[Note, ...] = ()
    errors: tuple[Note, ...] = ()
    entries: int = 0

    @property
    def outside(self) -> tuple[PlanItem, ...]:
        """The items outside ROOT."""
        return tuple(each for each in self.items if each.root.outside)


def ordered(items: Iterable[PlanItem], roots: Iterable[SearchRoot]) -> tuple[PlanItem, ...]:
    """Sort by root, then by path so that a folder comes right before what lies in it; drop nested; number."""
    rank = {root.path: number for number, root in enumerate(roots)}

    def key(item: PlanItem) -> tuple[int, str]:
        return rank[item.root.path], item.relative.replace("/", "\0")

    # Runs that are sorted one by one and then merged: the keys of 200,000 items would take half as much as the items.
    unsorted = iter(items)
    runs = []
    while run := sorted(itertools.islice(unsorted, _RUN), key=key):
        runs.append(run)
    kept = tuple(without_nested(heapq.merge(*runs, key=key)))
    for number, item in enumerate(kept):
        # In place, for the same reason.
        object.__setattr__(item, "index", number)
    return kept


def without_nested(items: Iterable[PlanItem]) -> Iterator[PlanItem]:
    """Leave out what lies within (or equals) an item before it; the items are sorted as `ordered` sorts."""
    root, last = None, ""
    for item in items:
        if item.root is not root and item.root != root:
            root, last = item.root, ""
        # The cheap test first: a path that begins like the last one without lying in it is rare.
        if last and item.relative.startswith(last) and f"{item.relative}/".startswith(f"{last}/"):
            continue
        last = item.relative
        yield item

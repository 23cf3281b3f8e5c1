"""The plan of a run: what will be removed, in order, and what is kept and why. Frozen once it is made."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from hephaestus_cleanup._roots import SearchRoot

__all__ = ["Note", "Plan", "PlanItem", "ordered", "without_nested"]


@frozen
class Note:
    """A path and what is to be said of it: the reason of a skip or of an error."""

    path: str
    reason: str


@frozen
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
    found = sorted(items, key=lambda each: (rank[each.root.path], each.relative.replace("/", "\0")))
    return tuple(_numbered(number, each) for number, each in enumerate(without_nested(found)))


def _numbered(index: int, item: PlanItem) -> PlanItem:
    # Spelled out: attrs.evolve takes three times as long, which counts for 200,000 items.
    return PlanItem(
        index,
        item.root,
        item.relative,
        item.is_folder,
        item.device,
        item.inode,
        item.rule,
        item.evidence,
        item.size,
        item.entries,
    )


def without_nested(items: Iterable[PlanItem]) -> list[PlanItem]:
    """Leave out what lies within (or equals) an item before it; the items are sorted as `ordered` sorts."""
    kept: list[PlanItem] = []
    for item in items:
        last = kept[-1] if kept else None
        nested = last is not None and last.root == item.root and f"{item.relative}/".startswith(f"{last.relative}/")
        if not nested:
            kept.append(item)
    return kept

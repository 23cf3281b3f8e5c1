"""What a run has removed: some bytes a path beside the plan, because there may be 200,000."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import overload

from attrs import define, field

from hephaestus_cleanup._crew import Result
from hephaestus_cleanup._erase import Tally
from hephaestus_cleanup._plan import PlanItem

__all__ = ["Removals"]


@define
class Removals(Sequence[Result]):
    """The results of what is gone, in the order in which they came; made anew whenever one is looked at.

    Args:
        items: the plan's items.
    """

    items: tuple[PlanItem, ...] = ()
    _indices: array[int] = field(factory=lambda: array("Q"), init=False)
    _sizes: array[int] = field(factory=lambda: array("Q"), init=False)
    _entries: array[int] = field(factory=lambda: array("Q"), init=False)
    _sampled: bytearray = field(factory=bytearray, init=False)
    _quarantined: bytearray = field(factory=bytearray, init=False)

    def append(self, result: Result) -> None:
        """Note one."""
        self._indices.append(result.item.index)
        self._sizes.append(result.tally.size)
        self._entries.append(result.tally.entries)
        self._sampled.append(result.tally.approximate)
        self._quarantined.append(result.quarantined is not None)

    @property
    def size(self) -> int:
        """Bytes freed; what went to the quarantine has freed none."""
        return sum(size for size, moved in zip(self._sizes, self._quarantined, strict=True) if not moved)

    @property
    def approximate(self) -> bool:
        """True when large folders were sampled, so that `size` is an estimate."""
        return any(sampled and not moved for sampled, moved in zip(self._sampled, self._quarantined, strict=True))

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, place: int) -> Result: ...
    @overload
    def __getitem__(self, place: slice) -> list[Result]: ...
    def __getitem__(self, place: int | slice) -> Result | list[Result]:
        if isinstance(place, slice):
            return [self._result(each) for each in range(*place.indices(len(self)))]
        return self._result(place)

    def _result(self, place: int) -> Result:
        index = self._indices[place]
        tally = Tally(self._entries[place], self._sizes[place], bool(self._sampled[place]))
        quarantined = str(index) if self._quarantined[place] else None
        return Result(self.items[index], "removed", tally, quarantined=quarantined)

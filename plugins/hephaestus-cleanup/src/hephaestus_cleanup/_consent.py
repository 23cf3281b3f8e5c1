"""What a run asks before it acts: for what lies outside ROOT, and for more than the budget allows."""

from __future__ import annotations

import os
from collections.abc import Callable

from attrs import evolve, frozen

from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._listing import list_folder
from hephaestus_cleanup._plan import Plan, PlanItem
from hephaestus_cleanup._quarantine import EXPIRED
from hephaestus_cleanup.errors import CleanupDeclined, CleanupRefused

__all__ = ["CONFIRMATION", "Ask", "Consent", "measured", "over_budget"]

CONFIRMATION = "CONFIRM"
"""What has to be typed."""

Ask = Callable[[str], str]
"""Puts a question to a person and returns what was typed, without the newline."""


@frozen
class Consent:
    """How consent is got.

    Attributes:
        yes: given beforehand.
        ask: asks a person; None where nobody can be asked.
    """

    yes: bool = False
    ask: Ask | None = None

    def require(self, question: str) -> None:
        """Get consent, or raise.

        Raises:
            CleanupRefused: there is nobody to ask.
            CleanupDeclined: something else than the word was typed.
        """
        if self.yes:
            return
        if self.ask is None:
            raise CleanupRefused(f"{question}: nobody can be asked", hint="pass --yes to consent beforehand")
        if self.ask(f"{question}. Type {CONFIRMATION} to go on: ").strip() != CONFIRMATION:
            raise CleanupDeclined(f"{question}: not confirmed", hint="nothing was removed")


def measured(plan: Plan) -> Plan:
    """The same plan with each item's size and entries, where they can be found out."""
    return evolve(plan, items=tuple(_measured(each) for each in plan.items))


def over_budget(plan: Plan, config: CleanupConfig) -> str | None:
    """What a plan exceeds, in words; None when it is within the budget.

    Args:
        plan: measured.
        config: the limits.
    """
    limits = (config.max_entries, config.max_bytes, config.max_share)
    unknown = next((each.path for each in plan.items if each.entries is None), None)
    if unknown is not None and any(each is not None for each in limits):
        return f"{unknown} cannot be measured and may exceed the budget"
    entries = sum(each.entries or 0 for each in plan.items)
    size = sum(each.size or 0 for each in plan.items)
    # The scan has counted each item once already, though not what lies beneath it; the quarantine it has not entered.
    counted = sum(each.rule != EXPIRED for each in plan.items)
    share = entries / (plan.entries - counted + entries) if entries else 0.0
    if config.max_entries is not None and entries > config.max_entries:
        return f"{entries} entries would go, more than the budget of {config.max_entries}"
    if config.max_bytes is not None and size > config.max_bytes:
        return f"{size} bytes would go, more than the budget of {config.max_bytes}"
    if config.max_share is not None and share > config.max_share:
        return f"{share:.0%} of the tree would go, more than the budget of {config.max_share:.0%}"
    return None


def _measured(item: PlanItem) -> PlanItem:
    try:
        status = os.lstat(item.path)
    except OSError:
        return evolve(item, size=0, entries=0)
    if not item.is_folder:
        return evolve(item, size=status.st_size if status.st_nlink == 1 else 0, entries=1)
    size, entries, pending = 0, 1, [item.path]
    try:
        while pending:
            folder = pending.pop()
            for entry in list_folder(folder):
                entries += 1
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{folder}/{entry.name}")
                else:
                    status = entry.stat(follow_symlinks=False)
                    size += status.st_size if status.st_nlink == 1 else 0
    except OSError:
        return item  # a folder that is closed now may still be opened up by the removal
    return evolve(item, size=size, entries=entries)

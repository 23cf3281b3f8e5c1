"""Plans and outcomes as text for people and as data for programs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from hephaestus_cleanup._engine import Outcome
from hephaestus_cleanup._options import CleanupOptions
from hephaestus_cleanup._plan import Note, Plan

__all__ = ["displayed", "human_size", "outcome_document", "plan_lines", "summary_lines"]

_UNITS = ("B", "kB", "MB", "GB", "TB")
# Characters that move the cursor, colour the terminal or turn the reading direction, or are no characters at all.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def displayed(text: str) -> str:
    """A path or a reason as it may be shown: one line, nothing acts on the terminal, bytes kept apart."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(_shown(character) for character in text)


def human_size(size: int, *, approximate: bool = False) -> str:
    """Bytes in the largest unit that leaves at least 1, e.g. `1.4 MB` (powers of 1000); `≈` before an estimate."""
    if approximate:
        return f"≈ {human_size(size)}"
    value = float(size)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            return f"{int(value)} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable: the last unit takes any value")


def plan_lines(plan: Plan, *, limit: int | None = None) -> Iterator[str]:
    """What a plan removes, one line for each path.

    Args:
        plan: the plan.
        limit: how many at most; None for all.
    """
    shown = plan.items if limit is None else plan.items[:limit]
    for item in shown:
        slash = "/" if item.is_folder else ""
        yield displayed(f"would remove {item.path}{slash}  [{item.rule}: {item.evidence}]")
    if len(shown) < len(plan.items):
        yield f"… and {len(plan.items) - len(shown)} more; --dry-run lists all"


def summary_lines(outcome: Outcome, options: CleanupOptions, run_id: str) -> Iterator[str]:
    """What a run came to, in a few lines."""
    skipped = f"{len(outcome.skipped)} skipped, {len(outcome.errors)} errors"
    if options.dry_run:
        yield f"{len(outcome.plan.items)} paths would be removed, {skipped}; nothing was touched"
    elif not outcome.removed:
        yield f"nothing removed, {skipped}"
    else:
        verb = "quarantined" if options.config.quarantine else "removed"
        freed = human_size(outcome.size, approximate=outcome.approximate)
        size = "" if options.config.quarantine else f" ({freed} freed)"
        yield f"{len(outcome.removed)} paths {verb}{size}, {skipped}"
    if outcome.manifest is not None:
        yield f"manifest: {displayed(outcome.manifest)}"
    if options.config.quarantine and outcome.removed:
        yield f"undo: hephaestus cleanup-runs undo {run_id}"


def outcome_document(outcome: Outcome, options: CleanupOptions, run_id: str, root: str) -> dict[str, Any]:
    """A run as one object of plain values, for `--json`."""
    return {
        "run": run_id,
        "root": root,
        "dry_run": options.dry_run,
        "options": options.record(),
        "planned": [
            {
                "path": each.path,
                "kind": "folder" if each.is_folder else "file",
                "rule": each.rule,
                "evidence": each.evidence,
            }
            for each in outcome.plan.items
        ],
        "removed": [
            {"path": each.item.path, "size": each.tally.size, "entries": each.tally.entries, "rule": each.item.rule}
            for each in outcome.removed
        ],
        "skipped": [_note(each) for each in outcome.skipped],
        "errors": [_note(each) for each in outcome.errors],
        "counts": {
            "planned": len(outcome.plan.items),
            "removed": len(outcome.removed),
            "skipped": len(outcome.skipped),
            "errors": len(outcome.errors),
        },
        "freed_bytes": outcome.size,
        "freed_approximate": outcome.approximate,
        "audit_manifest": outcome.manifest,
        "seconds": round(outcome.seconds, 3),
    }


def _note(note: Note) -> dict[str, str]:
    return {"path": note.path, "reason": note.reason}


def _shown(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if character == "\\":
        return "\\\\"
    if unicodedata.category(character) in _HIDDEN:
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character

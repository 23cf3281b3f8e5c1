"""A transparency log's checkpoint: a signed note that states the size and the root of its tree.

The library checks the note's signature and root. What it leaves unchecked is settled here: that the size is the one
that the inclusion proof was made for, that every line after the blank one is a signature, and that the log's own
signature stands under the log's name.
"""

from __future__ import annotations

import base64
import re

from hephaestus_release.errors import VerificationError

__all__ = ["check_checkpoint"]

_SIGNATURE = re.compile(r"\u2014 (?P<name>\S+) (?P<signature>[A-Za-z0-9+/]+={0,2})")
_HINT_SIZE = 4


def check_checkpoint(envelope: str, tree_size: int, log_id: bytes) -> None:
    """Refuse a checkpoint that does not belong to the proof or the log.

    Args:
        envelope: the checkpoint's text.
        tree_size: of the inclusion proof.
        log_id: of the log entry.

    Raises:
        VerificationError: another size, a line that is no signature, or not exactly one signature by the log.
    """
    note, _, signatures = envelope.partition("\n\n")
    origin, size = (*note.split("\n"), "", "")[:2]
    if size != str(tree_size):
        raise VerificationError("the log's checkpoint is for a tree of another size than the inclusion proof")
    names = [_signer(line, log_id) for line in signatures.removesuffix("\n").split("\n")]
    own = [name for name in names if name is not None]
    # Rekor v1 appends " - " and the tree's number to its name to form the origin; v2 uses the name itself.
    if len(own) != 1 or not (origin == own[0] or origin.startswith(f"{own[0]} - ")):
        raise VerificationError("the log's checkpoint is not signed once, and under its own name, by the log")


def _signer(line: str, log_id: bytes) -> str | None:
    match = _SIGNATURE.fullmatch(line)
    if match is None:
        raise VerificationError("the log's checkpoint has a line that is no signature")
    decoded = base64.b64decode(match["signature"])
    if base64.b64encode(decoded).decode() != match["signature"]:
        raise VerificationError("the log's checkpoint has a signature in irregular Base64")
    return match["name"] if decoded[:_HINT_SIZE] == log_id[:_HINT_SIZE] else None

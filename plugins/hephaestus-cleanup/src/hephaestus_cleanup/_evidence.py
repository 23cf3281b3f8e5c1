"""What speaks for a match besides its name."""

from __future__ import annotations

import os
from collections.abc import Sequence

from hephaestus_cleanup._rulebook import CACHE_TAG
from hephaestus_cleanup.rules import Rule

__all__ = ["IGNORED", "cache_tag_is_genuine", "find_evidence"]

IGNORED = "ignored by git"

# The Cache Directory Tagging Specification: the tag counts only with this signature at the very beginning.
_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"


def find_evidence(rules: Sequence[Rule], path: str, names: frozenset[str]) -> tuple[Rule, str | None]:
    """The first of some rules that a match gives evidence for.

    Args:
        rules: the rules whose patterns fit the name; at least one.
        path: the match, absolute.
        names: all names in its folder.

    Returns:
        The rule and its evidence, which for any folder may be a genuine CACHEDIR.TAG; else the first rule and None.
    """
    for rule in rules:
        evidence = _evidence(rule, path, names) if rule.weak else "name"
        if evidence is not None:
            return rule, evidence
    if rules[0].kind == "folder" and cache_tag_is_genuine(path):
        return rules[0], f"holds {CACHE_TAG}"
    return rules[0], None


def cache_tag_is_genuine(folder: str) -> bool:
    """True when a folder's CACHEDIR.TAG is a plain file with the signature."""
    try:
        # O_NONBLOCK: a FIFO of that name must not hang the scan.
        handle = os.open(f"{folder}/{CACHE_TAG}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.read(handle, len(_SIGNATURE)) == _SIGNATURE
    except OSError:
        return False
    finally:
        os.close(handle)


def _evidence(rule: Rule, path: str, names: frozenset[str]) -> str | None:
    for name in rule.beside:
        if name in names:
            return f"beside {name}"
    for name in rule.inside:
        if name == CACHE_TAG:
            if cache_tag_is_genuine(path):
                return f"holds {CACHE_TAG}"
        elif os.path.lexists(f"{path}/{name}"):
            return f"holds {name}"
    return None

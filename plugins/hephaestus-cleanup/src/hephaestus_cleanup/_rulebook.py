"""Rules compiled for the scan: one look-up for a name, one test of all suffixes, one of all prefixes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from fnmatch import translate

from hephaestus_cleanup.rules import Rule

__all__ = [
    "CACHE_TAG",
    "ENVIRONMENT_NAMES",
    "IGNORE_FILE",
    "INSTALLED_NAMES",
    "QUARANTINE_NAME",
    "REPOSITORY_NAMES",
    "SPECIAL_NAMES",
    "RuleBook",
    "merge_rules",
]

REPOSITORY_NAMES = frozenset({".git", ".hg", ".svn", ".bzr", ".jj", "_darcs"})
ENVIRONMENT_NAMES = frozenset({"pyvenv.cfg", "conda-meta"})
# Folders whose contents belong to a package manager: nothing within is a leftover of this workspace.
INSTALLED_NAMES = frozenset({"site-packages", "dist-packages", "node_modules", "bower_components"})
IGNORE_FILE = ".hephaestusignore"
QUARANTINE_NAME = ".hephaestus-quarantine"
CACHE_TAG = "CACHEDIR.TAG"

SPECIAL_NAMES = (
    REPOSITORY_NAMES | ENVIRONMENT_NAMES | INSTALLED_NAMES | {IGNORE_FILE, QUARANTINE_NAME, CACHE_TAG, "HEAD"}
)
"""Names that tell the scan something about the folder that they lie in, whatever the rules say."""

_WILD = re.compile(r"[*?\[]")


class RuleBook:
    """Rules compiled by the form of their patterns.

    Args:
        rules: the rules in force.
    """

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        # A special name is always present, maybe with no rules.
        self._exact: dict[str, tuple[Rule, ...]] = dict.fromkeys(SPECIAL_NAMES, ())
        self._by_suffix: dict[str, tuple[Rule, ...]] = {}
        self._by_prefix: dict[str, tuple[Rule, ...]] = {}
        self._globs: list[tuple[re.Pattern[str], Rule]] = []
        for rule in rules:
            for pattern in rule.names:
                self._add(pattern, rule)
        self._suffixes, self._prefixes = tuple(self._by_suffix), tuple(self._by_prefix)

    def _add(self, pattern: str, rule: Rule) -> None:
        head, tail = pattern[:-1], pattern[1:]
        if not _WILD.search(pattern):
            _append(self._exact, pattern, rule)
        elif pattern[0] == "*" and not _WILD.search(tail):
            _append(self._by_suffix, tail, rule)
        elif pattern[-1] == "*" and not _WILD.search(head):
            _append(self._by_prefix, head, rule)
        else:
            self._globs.append((re.compile(translate(pattern)), rule))

    def sort_out(self, entries: Iterable[os.DirEntry[str]]) -> tuple[list[str], list[os.DirEntry[str]]]:
        """Names of folders that no rule mentions, and the entries that some rule or special name does."""
        # This loop sees every entry of a tree once. `endswith` and `startswith` try all patterns in one call.
        exact, suffixes, prefixes, globs = self._exact, self._suffixes, self._prefixes, self._globs
        below, hits = [], []
        for entry in entries:
            name = entry.name
            if (
                name in exact
                or name.endswith(suffixes)
                or name.startswith(prefixes)
                or (globs and any(pattern.match(name) for pattern, _ in globs))
            ):
                hits.append(entry)
            elif entry.is_dir(follow_symlinks=False):
                below.append(name)
        return below, hits

    def match(self, name: str) -> tuple[Rule, ...] | None:
        """The rules whose patterns fit a name; an empty tuple for a special name without rules; None for neither."""
        found = self._exact.get(name)
        others: tuple[Rule, ...] = ()
        if name.endswith(self._suffixes):
            others += tuple(rule for tail, rules in self._by_suffix.items() if name.endswith(tail) for rule in rules)
        if name.startswith(self._prefixes):
            others += tuple(rule for head, rules in self._by_prefix.items() if name.startswith(head) for rule in rules)
        if self._globs:
            others += tuple(rule for pattern, rule in self._globs if pattern.match(name))
        if found is None:
            return others or None
        return found + others


def merge_rules(offered: Iterable[Rule]) -> tuple[list[Rule], list[str]]:
    """Put the plugins' rules together.

    Args:
        offered: all plugins' rules, in the plugins' order.

    Returns:
        The rules in force, and a line for each rule that was left out because its name is taken by another.
    """
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for rule in offered:
        if rules.setdefault(rule.name, rule) != rule:
            problems.append(f"cleanup rule {rule.name!r} is defined twice, differently; the first one counts")
    return list(rules.values()), problems


def _append(table: dict[str, tuple[Rule, ...]], key: str, rule: Rule) -> None:
    if rule not in table.get(key, ()):
        table[key] = (*table.get(key, ()), rule)

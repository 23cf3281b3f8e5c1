"""Rules compiled for the scan: one look-up for a name, one test of all suffixes, one of all prefixes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
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
        named: dict[str, tuple[Rule, ...]] = {}
        self._by_suffix: dict[str, tuple[Rule, ...]] = {}
        self._by_prefix: dict[str, tuple[Rule, ...]] = {}
        self._globs: list[tuple[re.Pattern[str], Rule]] = []
        for rule in rules:
            for pattern in rule.names:
                self._add(pattern, rule, named)
        self._suffixes, self._prefixes = tuple(self._by_suffix), tuple(self._by_prefix)
        # A special name is always present, maybe with no rules.
        self._exact = {
            name: _by_kind((*named.get(name, ()), *self._fitting(name))) for name in {*named, *SPECIAL_NAMES}
        }

    def _add(self, pattern: str, rule: Rule, named: dict[str, tuple[Rule, ...]]) -> None:
        head, tail = pattern[:-1], pattern[1:]
        if not _WILD.search(pattern):
            _append(named, pattern, rule)
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

    def match(self, name: str, *, is_folder: bool) -> tuple[Rule, ...]:
        """The rules that fit an entry; those that name it come before those that have a pattern for it."""
        files, folders = self._exact.get(name) or _by_kind(self._fitting(name))
        return folders if is_folder else files

    def _fitting(self, name: str) -> Iterator[Rule]:
        if name.endswith(self._suffixes):
            yield from (rule for tail, rules in self._by_suffix.items() if name.endswith(tail) for rule in rules)
        if name.startswith(self._prefixes):
            yield from (rule for head, rules in self._by_prefix.items() if name.startswith(head) for rule in rules)
        yield from (rule for pattern, rule in self._globs if pattern.match(name))


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


def _by_kind(rules: Iterable[Rule]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """The rules for files, and those for folders."""
    found = tuple(rules)
    return tuple(each for each in found if each.kind == "file"), tuple(each for each in found if each.kind == "folder")


def _append(table: dict[str, tuple[Rule, ...]], key: str, rule: Rule) -> None:
    if rule not in table.get(key, ()):
        table[key] = (*table.get(key, ()), rule)

"""Rules compiled for the scan: one dictionary look-up for a name, one for its suffix, one test of prefixes."""

from __future__ import annotations

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

    Attributes:
        exact: name → rules; a special name is always present, maybe with no rules.
        suffixes: suffix from the last dot (or the last character of a name without one) → rules.
        prefixes: literal prefixes of patterns such as `._*`, for one `str.startswith`.
    """

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.exact: dict[str, tuple[Rule, ...]] = dict.fromkeys(SPECIAL_NAMES, ())
        self.suffixes: dict[str, tuple[Rule, ...]] = {}
        self._by_prefix: dict[str, tuple[Rule, ...]] = {}
        self._globs: list[tuple[re.Pattern[str], Rule]] = []
        for rule in rules:
            for pattern in rule.names:
                self._add(pattern, rule)
        self.prefixes = tuple(self._by_prefix)
        self.has_globs = bool(self._globs)

    def _add(self, pattern: str, rule: Rule) -> None:
        head, tail = pattern[:-1], pattern[1:]
        if not _WILD.search(pattern):
            _append(self.exact, pattern, rule)
        elif pattern[0] == "*" and not _WILD.search(tail) and tail.rfind(".") == 0:
            _append(self.suffixes, tail, rule)
        elif pattern[-1] == "*" and not _WILD.search(head):
            _append(self._by_prefix, head, rule)
        else:
            self._globs.append((re.compile(translate(pattern)), rule))

    def match(self, name: str) -> tuple[Rule, ...] | None:
        """The rules whose patterns fit a name; an empty tuple for a special name without rules; None for neither."""
        found = self.exact.get(name)
        suffixed = self.suffixes.get(name[name.rfind(".") :], ()) if "." in name else ()
        others = suffixed
        if self.prefixes and name.startswith(self.prefixes):
            for prefix, rules in self._by_prefix.items():
                if name.startswith(prefix):
                    others = (*others, *rules)
        if self.has_globs:
            others = (*others, *(rule for pattern, rule in self._globs if pattern.match(name)))
        if found is None:
            return others or None
        return (*found, *others)


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

"""`Rule`: one kind of leftover, as data; what `hephaestus_cleanup_rules` returns.

Imports nothing but the errors, so that a plugin's entry module can build rules at no cost.
"""

from __future__ import annotations

from typing import Any

from hephaestus_cleanup.errors import RuleError

__all__ = ["CATEGORIES", "KINDS", "Rule"]

CATEGORIES = ("litter", "python_cache", "build_artifacts", "node_modules")
"""What switches a rule on: `litter` always, each other its flag of the same name (and `--deep-clean`)."""

KINDS = ("file", "folder")
"""What a rule matches; links count as files and are removed as links."""

# A rule may never name what holds a project's history or its definition.
_UNTOUCHABLE = frozenset(
    {".git", ".hg", ".svn", ".bzr", ".jj", "_darcs", ".gitignore", ".gitmodules", ".hephaestusignore"}
)
_WILDCARDS = frozenset("*?[")


class Rule:
    """One kind of leftover that cleanup may remove.

    Args:
        name: short and unique, e.g. `"python-bytecode"`; shown in previews and manifests.
        names: patterns for the last component of a path, compared case-sensitively: an exact name, or
            a glob (`*.pyc`, `._*`). A pattern has at least two literal characters and no slash.
        kind: `"folder"` or `"file"`.
        category: one of `CATEGORIES`; which flag switches the rule on.
        beside: evidence: one of these names must lie in the same folder as the match.
        inside: evidence: one of these names must lie directly inside the matched folder.
        tool_owned: True when a tool writes the whole folder (a cache): its contents are not looked
            through for repositories and environments before it is planned for removal.

    A rule with neither `beside` nor `inside` needs no evidence: choose this only for a name that nobody
    gives to work of their own. Where the evidence is missing, a match counts only if git ignores it.

    Raises:
        RuleError: a pattern or a category that cannot be right.
    """

    __slots__ = ("beside", "category", "inside", "kind", "name", "names", "tool_owned")

    name: str
    names: tuple[str, ...]
    kind: str
    category: str
    beside: tuple[str, ...]
    inside: tuple[str, ...]
    tool_owned: bool

    def __init__(
        self,
        name: str,
        *,
        names: tuple[str, ...] | list[str],
        kind: str,
        category: str,
        beside: tuple[str, ...] | list[str] = (),
        inside: tuple[str, ...] | list[str] = (),
        tool_owned: bool = False,
    ) -> None:
        put = object.__setattr__
        put(self, "name", name)
        put(self, "names", _strings(name, "names", names))
        put(self, "kind", kind)
        put(self, "category", category)
        put(self, "beside", _strings(name, "beside", beside))
        put(self, "inside", _strings(name, "inside", inside))
        put(self, "tool_owned", bool(tool_owned))
        _check(self)

    @property
    def weak(self) -> bool:
        """True when the name alone proves nothing and evidence is asked for."""
        return bool(self.beside or self.inside)

    def __setattr__(self, attribute: str, value: object) -> None:
        raise AttributeError(f"a Rule is frozen; build a new one instead of setting {attribute!r}")

    def __repr__(self) -> str:
        return f"Rule({self.name!r}, names={self.names!r}, kind={self.kind!r}, category={self.category!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        return tuple(getattr(self, slot) for slot in self.__slots__)


def _strings(rule: str, field: str, values: Any) -> tuple[str, ...]:
    # A bare string is iterable too, and would silently become one rule per letter.
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise RuleError(f"cleanup rule {rule!r}: {field} must be a tuple of strings, not {values!r}")
    return tuple(values)


def _check(rule: Rule) -> None:
    if not isinstance(rule.name, str) or not rule.name.strip():
        raise RuleError(f"a cleanup rule needs a name, not {rule.name!r}")
    if rule.category not in CATEGORIES:
        raise RuleError(
            f"cleanup rule {rule.name!r}: unknown category {rule.category!r}", hint=f"one of {', '.join(CATEGORIES)}"
        )
    if rule.kind not in KINDS:
        raise RuleError(f"cleanup rule {rule.name!r}: unknown kind {rule.kind!r}", hint=f"one of {', '.join(KINDS)}")
    if rule.inside and rule.kind != "folder":
        raise RuleError(f"cleanup rule {rule.name!r}: only a folder can have names inside it")
    if not rule.names:
        raise RuleError(f"cleanup rule {rule.name!r} matches nothing: names is empty")
    for pattern in rule.names:
        _check_pattern(rule.name, pattern)


def _check_pattern(rule: str, pattern: str) -> None:
    if "/" in pattern or "\0" in pattern or pattern in {"", ".", ".."}:
        raise RuleError(f"cleanup rule {rule!r}: {pattern!r} is not one component of a path")
    literal = sum(character not in _WILDCARDS for character in pattern)
    if literal < 2 and _WILDCARDS & set(pattern):
        raise RuleError(
            f"cleanup rule {rule!r}: {pattern!r} would match nearly everything",
            hint="give the pattern at least two literal characters",
        )
    if _matches_untouchable(pattern):
        raise RuleError(f"cleanup rule {rule!r}: {pattern!r} would match a repository's own files")


def _matches_untouchable(pattern: str) -> bool:
    if not _WILDCARDS & set(pattern):
        return pattern.casefold() in _UNTOUCHABLE
    from fnmatch import fnmatchcase

    return any(fnmatchcase(name, pattern) for name in _UNTOUCHABLE)

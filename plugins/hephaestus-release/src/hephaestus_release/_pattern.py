"""Patterns for a signer's identity, made so that a wrong identity cannot slip through a careless one.

A pattern is compared with the whole identity, case counts, and only two signs are special: ``*`` stands for any
characters but ``/`` and ``@``; ``**`` also crosses ``/``, never ``@``, and is allowed only after the ``@`` that
separates a workflow's path from its ref. A segment that is all wildcard must not be empty. The scheme, host and owner
of a URI, and the domain of an e-mail address, must be written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import field, frozen

from hephaestus.errors import UsageError
from hephaestus_release._text import one_line, unprintable

__all__ = ["IdentityPattern"]

_LONGEST = 2048
_TOKEN = re.compile(r"\*\*|\*|[^*]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LITERAL_HEAD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/@*\s]+/[^/@*\s]+/")
_EXAMPLE = "https://github.com/OWNER/REPO/.github/workflows/release.yml@refs/tags/*"


@frozen
class IdentityPattern:
    """A checked pattern.

    Args:
        text: the pattern as it was given.
    """

    text: str = field()
    _tokens: tuple[str, ...] = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_tokens", tuple(_TOKEN.findall(self.text)))

    @classmethod
    def parse(cls, text: str) -> IdentityPattern:
        """Check a pattern and return it.

        Raises:
            UsageError: the pattern is empty, over 2048 characters, has control characters, or has a wildcard where
                one would let strangers in.
        """
        fault = _fault(text)
        if fault:
            raise UsageError(f"identity pattern {one_line(text)!r}: {fault}", hint=f"for example {_EXAMPLE}")
        return cls(text)

    def __str__(self) -> str:
        return self.text

    @property
    def literal(self) -> bool:
        """Whether the pattern has no wildcard."""
        return "*" not in self.text

    def matches(self, identity: str) -> bool:
        """Whether the whole identity fits the pattern."""
        if unprintable(identity) or len(identity) > _LONGEST:
            return False
        if self.literal:
            return identity == self.text
        return not _climbs(identity) and len(identity) in self._ends(identity)

    def _ends(self, identity: str) -> set[int]:
        # All ends at once, token by token: no pattern can make this backtrack.
        ends = {0}
        for index, token in enumerate(self._tokens):
            if token.startswith("*"):
                ends = set(_stretch(identity, ends, token, self._needs_one(index)))
            else:
                ends = {end + len(token) for end in ends if identity.startswith(token, end)}
        return ends

    def _needs_one(self, index: int) -> bool:
        before = self._tokens[index - 1][-1:] if index else ""
        after = self._tokens[index + 1][:1] if index + 1 < len(self._tokens) else ""
        return before in "/@" and after in "/@"


def _stretch(identity: str, starts: Iterable[int], token: str, needs_one: bool) -> Iterable[int]:
    stops = "@" if token == "**" else "/@"
    end = -1
    for start in sorted(starts):
        # A start within the last stretch would only lead to the same ends again.
        if start <= end:
            continue
        end = start
        if not needs_one:
            yield end
        while end < len(identity) and identity[end] not in stops:
            end += 1
            yield end


def _climbs(identity: str) -> bool:
    return not {".", ".."}.isdisjoint(re.split("[/@]", identity))


def _fault(text: str) -> str | None:
    if not text or len(text) > _LONGEST:
        return f"must have 1 to {_LONGEST} characters"
    if unprintable(text) or text != text.strip():
        return "has control characters, or blanks around it"
    if "***" in text:
        return "has more than two '*' in a row"
    if "*" not in text:
        return None
    return _uri_fault(text) if _URI.match(text) else _address_fault(text)


def _uri_fault(text: str) -> str | None:
    head = _LITERAL_HEAD.match(text)
    if not head:
        return "has a wildcard before the end of scheme://host/owner/, which must be written out"
    path, _, _ = text[head.end() :].partition("@")
    if "**" in path:
        return "has '**' before the '@', where only '*' is allowed"
    return None


def _address_fault(text: str) -> str | None:
    mailbox, at, domain = text.rpartition("@")
    if not at or "@" in mailbox or "*" in domain or not domain:
        return "has a wildcard where a host must be written out"
    if "**" in mailbox:
        return "has '**' in an e-mail address, where only '*' is allowed"
    return None

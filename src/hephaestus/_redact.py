"""Secrets never reach an output: credentials in URLs, `Authorization` values, tokens that can be told by their form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

__all__ = ["MASK", "redact", "redact_text"]

#: What stands in place of a secret.
MASK = "***"

# One cheap search decides that a text holds nothing to redact, as nearly every text does.
_HINT = re.compile(
    r":/+[^\s/]*@|authorization|bearer\s|gh[a-z]_|github_pat_|glpat-|pypi-|[?&][^=&\s]*(?:token|sig|pass|key|secret)[^=&\s]*=",
    re.IGNORECASE,
)

Replacement = str | Callable[[re.Match[str]], str]

_RULES: tuple[tuple[re.Pattern[str], Replacement], ...] = (
    # Greedy up to the last @ of the authority: a password may hold an unescaped @.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*:/{1,2})[^\s/?#\"'<>]+@", re.IGNORECASE), rf"\1{MASK}@"),
    (
        re.compile(r"(\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)(?:[a-z]+\s+)?[^\s\"',;]+", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    (re.compile(r"(\bbearer\s+)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\b(?:gh[a-z]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|pypi-[\w-]{16,})"), MASK),
    (
        re.compile(r"([?&][^=&\s]*(?:token|sig|pass|key|secret)[^=&\s]*=)[^&\s#\"'<>]+", re.IGNORECASE),
        rf"\1{MASK}",
    ),
)

# Keys under which a nested mapping (request headers, say) carries a secret, whatever its form.
_SECRET_KEYS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "password", "secret", "token", "x-api-key"}
)
_DEEPEST = 32


def redact_text(text: str) -> str:
    """Return `text` with each secret in it replaced by `***`."""
    if _HINT.search(text) is None:
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redact(value: Any, _depth: int = 0) -> Any:
    """Return `value` with the secrets in its texts replaced; the same object where there are none to look for.

    Containers are copied only on the way to a change, so a payload without secrets costs no copy.
    """
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, PurePath):
        text = str(value)
        clean = redact_text(text)
        return value if clean is text else clean
    if isinstance(value, bytes):
        text = value.decode("utf-8", "surrogateescape")
        clean = redact_text(text)
        return value if clean is text else clean.encode("utf-8", "surrogateescape")
    if _depth >= _DEEPEST:
        return value
    if type(value) in (list, tuple):
        items = [redact(each, _depth + 1) for each in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else type(value)(items)
    if isinstance(value, Mapping):
        pairs = {key: _redact_item(key, each, _depth + 1) for key, each in value.items()}
        return value if all(pairs[key] is value[key] for key in pairs) else pairs
    return value


def _redact_item(key: object, value: Any, depth: int) -> Any:
    if isinstance(key, str) and key.lower() in _SECRET_KEYS and isinstance(value, (str, bytes)):
        return MASK
    return redact(value, depth)

"""Secrets never reach an output: credentials in URLs, `Authorization` values, tokens that can be told by their form."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Callable, Mapping
from datetime import date, time
from functools import cache
from typing import Any

__all__ = ["MASK", "SECRET_KEYS", "may_hold_secret", "redact", "redact_text"]

#: What stands in place of a secret.
MASK = "***"

# Every repetition below is bounded or cannot begin inside itself: texts come from the network, and a hostile one must
# not stop the process.
_PARAMETER = r"[?&][^=&?\s]{0,64}(?:token|sig|pass|key|secret)[^=&?\s]{0,64}="

Replacement = str | Callable[[re.Match[str]], str]


@cache
def _rules() -> tuple[tuple[re.Pattern[str], Replacement], ...]:
    # Compiled on first need: most runs meet no text that could hold a secret. ASCII, so that `may_hold_secret` need not
    # know the letters that only Unicode holds to be the same.
    flags = re.ASCII | re.IGNORECASE
    return (
        # Greedy up to the last @ of the authority: a password may hold an unescaped @.
        (re.compile(r"(:/+)[^\s/?#\"<>]+@"), rf"\1{MASK}@"),
        # The name may stand in a header, an environment, a Python literal or JSON inside JSON; parameters may follow.
        (
            re.compile(
                r"(authorization(?:[\\\"']*\s*[:=]|[\\\"']+\s*,)\s*(?:b(?=['\"]))?[\\\"']*)"
                r"(?:[a-z][\w-]*[ \t]+)?[^\s\"',;\\]+(?:\"[^\"]*\")?"
                r"(?:,[ \t]*[\w-]+=(?:\"[^\"]*\"|[^\s,\"]+))*",
                flags,
            ),
            rf"\1{MASK}",
        ),
        (re.compile(r"(bearer\s+)[\w.~+/=-]{8,}", flags), rf"\1{MASK}"),
        (re.compile(r"(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|pypi-[\w-]{16,})"), MASK),
        (re.compile(rf"({_PARAMETER})[^&\s#\"<>]+", flags), rf"\1{MASK}"),
    )


#: Keys under which a mapping (request headers, say) carries a secret, whatever its form; in lower case.
SECRET_KEYS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "password", "secret", "token", "x-api-key"}
)
# As deep as the formats write; what lies deeper is written by neither.
_DEEPEST = 64
_HARMLESS = (bool, int, float, type(None), date, time)


def may_hold_secret(text: str) -> bool:
    """Say whether `redact_text` could find anything in `text`: False only where it certainly does not.

    Looks for what each rule cannot do without, by the cheapest search that there is; most texts fail all of them.
    """
    if "@" in text and ":/" in text:
        return True
    if "=" in text and ("?" in text or "&" in text):
        return True
    if "_" in text and ("gh" in text or "github_pat_" in text):
        return True
    if "-" in text and ("glpat-" in text or "pypi-" in text):
        return True
    lower = text.lower()
    return "bearer" in lower or ("z" in lower and "authorization" in lower)


def redact_text(text: str) -> str:
    """Return `text` with each secret in it replaced by `***`."""
    if not may_hold_secret(text):
        return text
    for pattern, replacement in _rules():
        text = pattern.sub(replacement, text)
    return text


def redact(value: Any, _inside: tuple[int, ...] = ()) -> Any:
    """Return `value` with the secrets in its texts replaced; the same object where there are none to look for.

    Containers are copied only on the way to a change, so a payload without secrets costs no copy. A container inside
    itself, or nested deeper than 64 levels, becomes `"..."`.
    """
    kind = type(value)
    if kind is str:
        return redact_text(value)
    if kind in _HARMLESS:
        return value
    try:
        if isinstance(value, (list, tuple, set, frozenset, Mapping)):
            if id(value) in _inside or len(_inside) >= _DEEPEST:
                return "..."
            return _redact_container(value, (*_inside, id(value)))
        return value if isinstance(value, _HARMLESS) else _redact_object(value, _inside)
    except Exception:
        # A value whose own methods raise: the formats fall back to its str, too.
        return _redact_written(str, value)


def _redact_container(value: Any, inside: tuple[int, ...]) -> Any:
    if isinstance(value, Mapping):
        if _is_clean(value):
            return value
        pairs = [(redact(key, inside), key, _redact_item(key, each, inside), each) for key, each in value.items()]
        if all(new is old and clean is each for new, old, clean, each in pairs):
            return value
        return {key: clean for key, _, clean, _ in pairs}
    old = list(value)
    new = [redact(each, inside) for each in old]
    if len(old) == 2 and isinstance(value, (list, tuple)):
        # A header may come as a pair: ("Authorization", "Basic …").
        new[1] = _redact_item(old[0], old[1], inside)
    if all(one is other for one, other in zip(new, old, strict=True)):
        return value
    return tuple(new) if isinstance(value, tuple) else new


def _is_clean(mapping: Mapping[Any, Any]) -> bool:
    """Say whether a mapping certainly holds no secret: one question about all its texts, as nearly every payload."""
    texts = []
    for key, value in mapping.items():
        if type(key) is not str or key.lower() in SECRET_KEYS:
            return False
        texts.append(key)
        if type(value) is str:
            texts.append(value)
        elif type(value) not in _HARMLESS:
            return False
    # Whatever stands in one text stands in all of them together.
    return not may_hold_secret("\n".join(texts))


def _redact_item(key: object, value: Any, inside: tuple[int, ...]) -> Any:
    name = key.decode("latin-1") if isinstance(key, bytes) else key
    if isinstance(name, str) and name.lower() in SECRET_KEYS and isinstance(value, (str, bytes, list, tuple, dict)):
        return MASK
    return redact(value, inside)


def _redact_object(value: Any, inside: tuple[int, ...]) -> Any:
    """Redact the text that the formats will write for an object that is neither a plain scalar nor a container."""
    if isinstance(value, enum.Enum):
        clean = redact(value.value, inside)
        return value if clean is value.value else clean
    if isinstance(value, os.PathLike):
        return _redact_written(os.fsdecode, value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _redact_written(lambda data: bytes(data).decode("utf-8", "backslashreplace"), value)
    return _redact_written(str, value)


def _redact_written(write: Callable[[Any], str], value: Any) -> Any:
    try:
        text = write(value)
        clean = redact_text(text)
    except Exception:
        return value  # the formats will find no text in it either
    return value if clean is text else clean

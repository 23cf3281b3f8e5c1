"""When a request is tried again, and after how long."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

from attrs import frozen

__all__ = ["Limits", "OnRetry", "Retry", "TransientError", "asked_delay", "backoff", "is_rate_limit", "is_transient"]

_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_BACKOFF: Final = 30.0


@frozen
class Limits:
    """How patient the network part is.

    Attributes:
        timeout: seconds for an answer's head, and for each read of its body.
        attempts: in all, the first one included.
        backoff: seconds before the second attempt; doubled for each further one.
        longest_wait: seconds; when a forge asks for a longer pause, the run fails and says until when.
        deadline: seconds for one file, retries included.
        minimum_rate: bytes per second, over each window of `timeout` seconds.
    """

    timeout: float = 30.0
    attempts: int = 5
    backoff: float = 0.5
    longest_wait: float = 60.0
    deadline: float = 3600.0
    minimum_rate: int = 1024


@frozen
class Retry:
    """A failed attempt that will be followed by another.

    Attributes:
        url: without query and user info.
        attempt: number of the failed attempt, from 1.
        attempts: attempts in all.
        reason: what failed, e.g. `HTTP 503` or `connection refused`.
        status: HTTP status; None when there was no answer.
        delay: seconds until the next attempt.
    """

    url: str
    attempt: int
    attempts: int
    reason: str
    status: int | None
    delay: float


OnRetry: TypeAlias = Callable[[Retry], None]


class TransientError(Exception):
    """An attempt failed in a way that another one may mend; never leaves the transport.

    Args:
        reason: what failed, in a few words.
        status: HTTP status, if there was an answer.
        delay: seconds that the server asked for.
    """

    def __init__(self, reason: str, *, status: int | None = None, delay: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.delay = delay


def is_rate_limit(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the answer says "too many requests" rather than "forbidden"."""
    return status == 429 or (
        status == 403 and (headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers)
    )


def is_transient(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the same request may succeed later."""
    return status in _TRANSIENT or is_rate_limit(status, headers)


def asked_delay(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` or `X-RateLimit-Reset` asks for; None when neither says anything usable."""
    after = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", after):
        return float(after)
    now = _date(headers.get("date", "")) or time.time()
    moment = _date(after)
    if moment is None and headers.get("x-ratelimit-remaining") == "0":
        reset = headers.get("x-ratelimit-reset", "").strip()
        moment = float(reset) if re.fullmatch(r"[0-9]{1,12}", reset) else None
    return None if moment is None else max(0.0, moment - now)


def backoff(base: float, attempt: int) -> float:
    """Seconds to wait after the given failed attempt: doubling, with a quarter of jitter."""
    return float(min(base * 2 ** min(attempt - 1, 16), _LONGEST_BACKOFF) * random.uniform(1.0, 1.25))


def _date(text: str) -> float | None:
    """An HTTP date as seconds since the epoch."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

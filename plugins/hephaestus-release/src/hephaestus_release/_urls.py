"""URLs: which ones may be fetched, which share an origin, and how they are shown."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from hephaestus_release.errors import NetworkError

__all__ = ["check_url", "is_loopback", "joined", "origin_of", "shown"]

_PORTS: Final = {"http": 80, "https": 443}


def _split(url: str) -> SplitResult:
    """The parts of an absolute URL whose port is a number."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if not parts.scheme or not parts.hostname:
        raise NetworkError("the server gave a malformed address")
    return parts


def shown(url: str) -> str:
    """The URL without user info, query and fragment: these may hold secrets."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "")
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return "(malformed address)"
    return urlunsplit((parts.scheme, host + port, parts.path, "", ""))


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port, with the scheme's own port where none is given.

    Raises:
        NetworkError: not an absolute URL.
    """
    parts = _split(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def joined(base: str, location: str) -> str:
    """The absolute URL that a redirect from `base` names.

    Raises:
        NetworkError: it is malformed.
    """
    try:
        return urljoin(base, location)
    except ValueError:
        raise NetworkError(f"{shown(base)}: redirected to a malformed address") from None


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its very name: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str, *, loopback_http: bool) -> None:
    """Refuse whatever is not https.

    Args:
        url: absolute URL.
        loopback_http: also accept http, to this machine.

    Raises:
        NetworkError: another scheme, http to another machine, or user info in the URL.
    """
    parts = _split(url)
    if parts.username is not None or parts.password is not None:
        raise NetworkError(f"the address {shown(url)} carries user info, which is refused")
    if parts.scheme == "https":
        return
    if parts.scheme == "http" and loopback_http and is_loopback(parts.hostname or ""):
        return
    raise NetworkError(
        f"the address {shown(url)} is not https, which is refused",
        hint="plain http is accepted for this machine alone, with --loopback-http",
    )

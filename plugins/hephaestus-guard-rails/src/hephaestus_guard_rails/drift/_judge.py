"""The verdict on one tool: which of its pins contradict each other, and which of them the installed version breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hephaestus_guard_rails.drift._pin import Origin, Pin
from hephaestus_guard_rails.drift._report import Finding, Kind

if TYPE_CHECKING:
    from packaging.version import Version


class Verdict(NamedTuple):
    """What is known of one tool.

    `agreed` are the pins that no weightier one contradicts, the weightiest first; `stale_locks` are locks that no
    longer meet what the project asks for; `declared` are the places that make the tool part of the project's
    environment. `compared` is False when the versions asked for or installed can't be known.
    """

    tool: str
    findings: tuple[Finding, ...]
    agreed: tuple[Pin, ...]
    stale_locks: tuple[Pin, ...]
    compared: bool
    declared: tuple[Pin, ...]


def judge(
    tool: str, pins: list[Pin], installed: tuple[str, ...], *, known: bool, absent: bool = False
) -> Verdict | None:
    """Weigh all pins of a tool against each other and against what is installed.

    Args:
        tool: normal name.
        pins: everything that asks for it, in any order.
        installed: the versions found; none means not installed, two or more a broken installation.
        known: False if there is no environment to look into.
        absent: True if every set that declares the tool is left out of the environment.

    Returns:
        The verdict, or None for a tool that is declared nowhere: a transitive entry of a lock is no pin.
    """
    pins = _relevant(pins)
    if not pins:
        return None
    bound = [pin for pin in pins if pin.specifiers]
    dissent = _dissent(bound)
    agreed = [pin for pin in bound if pin not in dissent]
    declared = [pin for pin in pins if pin.origin.declares]
    text = installed[0] if len(installed) == 1 else None
    findings = [_divergence(pin, against, text) for pin, against in dissent.items()]
    version = _parse(text)
    if known and not installed and declared and not absent:
        findings.append(_missing(declared, agreed))
    elif version is not None:
        findings += _violations(agreed, version, str(text))
    said = {finding.source for finding in findings}
    findings += [_unpinned(pin, text) for pin in _loose(pins, bound) if pin.source not in said]
    readable = version is not None or not installed
    compared = known and readable and (bool(bound) or not any(pin.opaque for pin in pins))
    stale = [pin for pin, against in dissent.items() if _is_stale_lock(pin, against)]
    stale += [against for pin, against in dissent.items() if _is_stale_lock(against, pin)]
    return Verdict(tool, tuple(findings), tuple(agreed), tuple(dict.fromkeys(stale)), compared, tuple(declared))


def _relevant(pins: list[Pin]) -> list[Pin]:
    """Pins by weight; locks and constraints only where the tool is declared, and a fork's versions narrowed."""
    ordered = sorted(pins, key=lambda pin: pin.origin)
    if not any(pin.origin.declares for pin in ordered):
        ordered = [pin for pin in ordered if not pin.origin.follows]
    ranges = [pin for pin in ordered if pin.origin is Origin.PROJECT and pin.specifiers]
    return [_narrowed(pin, ranges) if pin.origin is Origin.LOCK else pin for pin in ordered]


def _narrowed(lock: Pin, ranges: list[Pin]) -> Pin:
    """A lock that holds several versions without markers: keep those that the project's own ranges allow."""
    if len(lock.exact) < 2:
        return lock
    pairs = zip(lock.specifiers, lock.exact, strict=True)
    fitting = tuple(spec for spec, version in pairs if all(pin.accepts(version) for pin in ranges))
    if not fitting or fitting == lock.specifiers:
        return lock
    return lock._replace(specifiers=fitting)


def _dissent(bound: list[Pin]) -> dict[Pin, Pin]:
    """Pins that contradict the authority, each with the pin that it contradicts.

    The authority is the weightiest exact version that breaks no declared range. Without one, every declared range is.
    """
    ranges = [pin for pin in bound if pin.origin.declares and not pin.exact]
    exact = [pin for pin in bound if pin.exact]
    authority = next((pin for pin in exact if all(pin.agrees_with(each) for each in ranges)), None)
    references = [authority] if authority is not None else ranges
    dissent: dict[Pin, Pin] = {}
    for pin in bound:
        against = next((each for each in references if each is not pin and not pin.agrees_with(each)), None)
        if against is not None and pin not in references:
            dissent[pin] = against
    return dissent


def _parse(text: str | None) -> Version | None:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text) if text is not None else None
    except InvalidVersion:
        return None


def _is_stale_lock(lock: Pin, other: Pin) -> bool:
    return lock.origin is Origin.LOCK and other.origin is Origin.PROJECT


def _divergence(pin: Pin, against: Pin, installed: str | None) -> Finding:
    if _is_stale_lock(pin, against):
        hint = f"the lock no longer meets {against.source} ({against.expected}); lock again"
    elif _is_stale_lock(against, pin):
        hint = f"the lock at {against.source} ({against.expected}) does not meet this; change one or lock again"
    else:
        hint = f"{against.source} asks for {against.expected}; write the same version in both"
    return Finding(pin.tool, Kind.DIVERGENCE, pin.expected, pin.source, installed, hint, against.source)


def _missing(declared: list[Pin], agreed: list[Pin]) -> Finding:
    expected = agreed[0].expected if agreed else declared[0].expected
    source = declared[0].source
    hint = "declared, but not in the project's environment; install it"
    exact = next((pin for pin in agreed if pin.exact), None)
    if exact is not None:
        expected, source = exact.expected, exact.source
    return Finding(declared[0].tool, Kind.MISSING, expected, source, None, hint)


def _violations(agreed: list[Pin], version: Version, installed: str) -> list[Finding]:
    """One finding for each thing asked for, at the weightiest place that asks for it."""
    broken: dict[str, Pin] = {}
    for pin in agreed:
        if not pin.accepts(version):
            broken.setdefault(pin.expected, pin)
    return [
        Finding(
            pin.tool,
            Kind.VIOLATION,
            pin.expected,
            pin.source,
            installed,
            f"{installed} is installed; install {pin.expected}",
        )
        for pin in broken.values()
    ]


def _loose(pins: list[Pin], bound: list[Pin]) -> list[Pin]:
    """Pins worth a note: "latest" and the like always, a bare name only if nothing else fixes the tool."""
    bare = [pin for pin in pins if not pin.specifiers and not pin.note]
    return [pin for pin in pins if pin.note] + (bare[:1] if not bound else [])


def _unpinned(pin: Pin, installed: str | None) -> Finding:
    reason = "names no version that can be compared" if pin.opaque else "two machines may run different versions"
    return Finding(pin.tool, Kind.UNPINNED, pin.expected, pin.source, installed, f"{reason}; write one down")

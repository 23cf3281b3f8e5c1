"""The registry: every event that is known, who defines it, and how to find it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping

from hephaestus.errors import DuplicateEventError, UnknownEventError
from hephaestus.event import TelemetryEvent

__all__ = ["Definition", "TelemetryRegistry", "check_clash"]


class Definition:
    """An event and the name of who defines it (a plugin's distribution, or a module)."""

    __slots__ = ("event", "owner")

    def __init__(self, event: TelemetryEvent, owner: str) -> None:
        self.event = event
        self.owner = owner


Contributions = Callable[[], Mapping[str, Definition]]


def _nothing() -> Mapping[str, Definition]:
    return {}


def check_clash(event: TelemetryEvent, owner: str, constants: Mapping[str, Definition]) -> Definition | None:
    """Find the equal definition that is already there, if any.

    Args:
        event: the new definition.
        owner: who defines it.
        constants: the definitions that are there, by constant; events of one name have one constant, too.

    Raises:
        DuplicateEventError: another definition has the name, or another name the constant; both owners are named.
    """
    known = constants.get(event.constant)
    if known is None or known.event == event:
        return known
    if known.event.name != event.name:
        raise DuplicateEventError(
            f"Event '{event.name}' of {owner} and '{known.event.name}' of {known.owner} "
            f"share the constant {event.constant}"
        )
    raise DuplicateEventError(
        f"Event '{event.name}' of {owner} is already defined differently by {known.owner}",
        hint="give it a name under the plugin's own prefix",
    )


class TelemetryRegistry:
    """Events registered here, over the events that plugins contribute.

    Args:
        contributions: called on each look-up for what plugins contribute; the default contributes nothing.
            It must be cheap when called again.
    """

    def __init__(self, contributions: Contributions = _nothing) -> None:
        self._contributions = contributions
        self._registered: dict[str, Definition] = {}

    def register(self, event: TelemetryEvent, *, owner: str | None = None) -> TelemetryEvent:
        """Add an event and return the registered definition; an equal one that is there already is returned instead.

        Args:
            event: the definition.
            owner: who defines it; the calling module by default.

        Raises:
            DuplicateEventError: a different definition has the name; both owners are named.
        """
        if not isinstance(event, TelemetryEvent):
            raise TypeError(f"register() takes a TelemetryEvent, got {type(event).__name__}")
        if owner is None:
            owner = str(sys._getframe(1).f_globals.get("__name__", "unknown module"))
        known = check_clash(event, owner, {each.event.constant: each for each in self._definitions().values()})
        if known is not None:
            return known.event
        self._registered[event.name] = Definition(event, owner)
        return event

    def get(self, name: str) -> TelemetryEvent:
        """Return the event of that name.

        Raises:
            UnknownEventError: a KeyError that names the nearest event.
        """
        return self.definition(name).event

    def definition(self, name: str) -> Definition:
        """Return the event of that name together with its owner; raises as `get` does."""
        definitions = self._definitions()
        try:
            return definitions[name]
        except KeyError:
            pass
        raise UnknownEventError(
            f"no event named {name!r}{_nearest(str(name), definitions)}", hint="hephaestus events list"
        )

    def constant(self, name: str) -> TelemetryEvent:
        """Return the event whose constant has that name, e.g. `CLEANUP_PATH_REMOVED`.

        Raises:
            UnknownEventError: a KeyError that names the nearest constant.
        """
        constants = {each.constant: each for each in self}
        try:
            return constants[name]
        except KeyError:
            pass
        raise UnknownEventError(f"no event has the constant {name}{_nearest(name, constants)}")

    def all_events(self) -> tuple[TelemetryEvent, ...]:
        """All events, ordered by name."""
        return tuple(self)

    def __iter__(self) -> Iterator[TelemetryEvent]:
        definitions = self._definitions()
        return iter([definitions[name].event for name in sorted(definitions)])

    def __len__(self) -> int:
        return len(self._definitions())

    def __contains__(self, name: object) -> bool:
        return name in self._definitions()

    def _definitions(self) -> Mapping[str, Definition]:
        contributed = self._contributions()
        return {**contributed, **self._registered} if self._registered else contributed


def _nearest(name: str, known: Mapping[str, object]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""

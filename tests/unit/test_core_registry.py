"""The registry: one definition a name, clear words for a clash or a typo, a stable order."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hephaestus.errors import DuplicateEventError, HephaestusError, UnknownEventError
from hephaestus.event import TelemetryEvent
from hephaestus.registry import Definition, TelemetryRegistry

ONE = TelemetryEvent("demo.one", "One.", {"a": int})
TWO = TelemetryEvent("demo.two", "Two.")


def test_register_returns_the_event_and_get_finds_it() -> None:
    registry = TelemetryRegistry()
    assert registry.register(ONE) is ONE
    assert registry.get("demo.one") is ONE
    assert "demo.one" in registry
    assert len(registry) == 1


def test_registering_an_equal_definition_again_returns_the_first() -> None:
    registry = TelemetryRegistry()
    registry.register(ONE)
    assert registry.register(TelemetryEvent("demo.one", "One.", {"a": int})) is ONE
    assert len(registry) == 1


def test_a_different_definition_under_the_same_name_is_refused_naming_both_owners() -> None:
    registry = TelemetryRegistry()
    registry.register(ONE, owner="first-dist")
    with pytest.raises(DuplicateEventError, match=r"second-dist.*first-dist") as caught:
        registry.register(TelemetryEvent("demo.one", "Other."), owner="second-dist")
    assert isinstance(caught.value, ValueError)
    assert registry.get("demo.one") is ONE


def test_two_names_with_one_constant_are_refused() -> None:
    registry = TelemetryRegistry()
    registry.register(TelemetryEvent("demo.a-b", ""), owner="first-dist")
    with pytest.raises(DuplicateEventError, match="DEMO_A_B"):
        registry.register(TelemetryEvent("demo.a_b", ""), owner="second-dist")


def test_the_owner_is_the_calling_module_by_default() -> None:
    registry = TelemetryRegistry()
    registry.register(ONE)
    assert registry.definition("demo.one").owner == __name__


def test_only_events_can_be_registered() -> None:
    with pytest.raises(TypeError, match="takes a TelemetryEvent, got str"):
        TelemetryRegistry().register("demo.one")  # type: ignore[arg-type]


def test_an_unknown_name_is_a_key_error_with_the_nearest_event() -> None:
    registry = TelemetryRegistry()
    registry.register(ONE)
    with pytest.raises(KeyError, match=r"did you mean 'demo.one'") as caught:
        registry.get("demo.noe")
    assert isinstance(caught.value, HephaestusError)
    assert str(caught.value).startswith("no event named 'demo.noe'")


def test_an_unknown_name_far_from_all_gets_no_guess() -> None:
    with pytest.raises(UnknownEventError) as caught:
        TelemetryRegistry().get("zzz")
    assert "did you mean" not in str(caught.value)


def test_constants_are_found_and_typos_get_the_nearest() -> None:
    registry = TelemetryRegistry()
    registry.register(ONE)
    assert registry.constant("DEMO_ONE") is ONE
    with pytest.raises(UnknownEventError, match="did you mean 'DEMO_ONE'"):
        registry.constant("DEMO_OEN")


def test_all_events_come_in_the_order_of_their_names() -> None:
    registry = TelemetryRegistry()
    registry.register(TWO)
    registry.register(ONE)
    assert registry.all_events() == (ONE, TWO) == tuple(registry)


def test_contributions_are_asked_on_need_and_lie_under_what_is_registered() -> None:
    asked = 0

    def contributions() -> Mapping[str, Definition]:
        nonlocal asked
        asked += 1
        return {"demo.one": Definition(ONE, "a-plugin")}

    registry = TelemetryRegistry(contributions)
    assert asked == 0
    assert registry.get("demo.one") is ONE
    registry.register(TWO)
    assert registry.all_events() == (ONE, TWO)
    with pytest.raises(DuplicateEventError, match="a-plugin"):
        registry.register(TelemetryEvent("demo.one", "Mine."))

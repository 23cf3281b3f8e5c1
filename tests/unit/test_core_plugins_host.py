"""The host: every plugin by itself, every fault in one line that names the distribution and the mend."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from hephaestus import telemetry
from hephaestus.emit import Emitted, emit_event
from hephaestus.errors import Interrupted
from hephaestus.event import TelemetryEvent
from hephaestus.plugins import (
    Command,
    ConfigTable,
    PluginHost,
    PluginSource,
    Problem,
    current_host,
    hookimpl,
    hookspec,
    hookspecs,
    implements,
    use_host,
)

ONE = TelemetryEvent("one.done", "One.", {"a": int})
TWO = TelemetryEvent("two.done", "Two.")
GREET = Command("greet", "pkg.cli:greet", "Greets.")


def module(name: str, **members: Any) -> ModuleType:
    """A module with these members, its functions taken as its own."""
    made = ModuleType(name)
    for key, value in members.items():
        if callable(value) and not isinstance(value, type):
            value.__module__ = name
        setattr(made, key, value)
    return made


def answering(specification: Callable[..., Any], answer: Any, **options: Any) -> Callable[..., Any]:
    """An implementation of a hook that returns `answer`, or raises it where it is an exception."""

    def implementation() -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return implements(specification, **options)(implementation)


def source(name: str, plugin: object | None = None, *, value: str = "", distribution: str = "") -> PluginSource:
    return PluginSource(name, value or f"{name}.plugin", distribution or f"dist-{name}", "1.0", plugin)


class Bench:
    """A host over the given plugins, and what it reported."""

    def __init__(self, *sources: PluginSource, **options: Any) -> None:
        self.problems: list[Problem] = []
        self.host = PluginHost(sources, report=self.problems.append, **options)

    @property
    def lines(self) -> list[str]:
        return [str(problem) for problem in self.problems]


GOOD = source("good", module("good.plugin", events=answering(hookspecs.hephaestus_events, [ONE])))


def assert_one_fault(bench: Bench, *words: str) -> None:
    assert len(bench.lines) == 1, bench.lines
    assert "\n" not in bench.lines[0]
    for word in words:
        assert word in bench.lines[0]


# ---- isolation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("def broken(:", "SyntaxError"),
        ("raise RuntimeError('two\\nlines')", "two lines"),
        ("class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E", "E;"),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_reported_and_the_others_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, word: str
) -> None:
    (tmp_path / "hephaestus_broken_sample.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    bench = Bench(source("broken", value="hephaestus_broken_sample"), GOOD)
    try:
        assert list(bench.host.definitions()) == ["one.done"]
    finally:
        sys.modules.pop("hephaestus_broken_sample", None)
    assert_one_fault(bench, "dist-broken", "cannot be imported", word, "--disable-plugin broken")
    assert [plugin.state for plugin in bench.host.plugins] == ["broken", "ok"]


def test_a_value_that_names_no_attribute_is_reported() -> None:
    bench = Bench(source("broken", value="json:no_such"), GOOD)
    assert list(bench.host.definitions()) == ["one.done"]
    assert_one_fault(bench, "json:no_such", "AttributeError")


@pytest.mark.parametrize("error", [RuntimeError("boom"), SystemExit(0), RecursionError(), GeneratorExit()])
def test_a_hook_that_raises_is_reported_and_the_others_answer(error: BaseException) -> None:
    bad = source("bad", module("bad.plugin", events=answering(hookspecs.hephaestus_events, error)))
    bench = Bench(bad, GOOD)
    assert list(bench.host.definitions()) == ["one.done"]
    assert_one_fault(bench, "dist-bad", "hephaestus_events", type(error).__name__, "--disable-plugin bad")


def test_a_generator_that_raises_half_way_is_reported() -> None:
    def events() -> Iterator[TelemetryEvent]:
        yield TWO
        raise RuntimeError("half way")

    bad = source("bad", module("bad.plugin", events=implements(hookspecs.hephaestus_events)(events)))
    bench = Bench(bad, GOOD)
    assert "one.done" in bench.host.definitions()
    assert_one_fault(bench, "half way")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Interrupted(15)])
def test_ctrl_c_and_signals_pass(error: BaseException) -> None:
    bench = Bench(source("bad", module("bad.plugin", events=answering(hookspecs.hephaestus_events, error))), GOOD)
    with pytest.raises(type(error)):
        bench.host.definitions()


@pytest.mark.parametrize(
    ("answer", "word"), [(3, "no iterable"), (None, "no iterable"), ([ONE, "x"], "str"), ("ab", "str")]
)
def test_an_answer_of_the_wrong_kind_is_reported_and_left_out(answer: Any, word: str) -> None:
    bench = Bench(source("bad", module("bad.plugin", events=answering(hookspecs.hephaestus_events, answer))))
    assert all(isinstance(each.event, TelemetryEvent) for each in bench.host.definitions().values())
    assert_one_fault(bench, "dist-bad", "hephaestus_events", word)


# ---- clashes -----------------------------------------------------------------------------------------------------


def test_the_first_of_two_clashing_events_counts_and_the_second_is_reported() -> None:
    clash = [TelemetryEvent("one.done", "Else."), TWO]
    bench = Bench(GOOD, source("later", module("later.plugin", events=answering(hookspecs.hephaestus_events, clash))))
    definitions = bench.host.definitions()
    assert definitions["one.done"].event is ONE
    assert set(definitions) == {"one.done", "two.done"}
    assert_one_fault(bench, "dist-later", "dist-good", "one.done")


def test_two_plugins_may_define_one_event_alike() -> None:
    twin = [TelemetryEvent("one.done", "One.", {"a": int})]
    bench = Bench(GOOD, source("later", module("later.plugin", events=answering(hookspecs.hephaestus_events, twin))))
    assert list(bench.host.definitions()) == ["one.done"]
    assert bench.lines == []


def test_clashing_commands_are_reported_naming_the_owner() -> None:
    first = source("a", module("a.plugin", commands=answering(hookspecs.hephaestus_commands, [GREET])))
    more = [GREET, Command("events", "x:y", "Taken."), Command("other", "x:y", "Fine.")]
    second = source("b", module("b.plugin", commands=answering(hookspecs.hephaestus_commands, more)))
    bench = Bench(first, second, reserved_commands=["events"])
    assert {name: plugin.name for name, (plugin, _) in bench.host.commands.items()} == {"greet": "a", "other": "b"}
    assert len(bench.lines) == 2
    assert "'greet' is taken by dist-a" in bench.lines[0]
    assert "'events' is taken by the core" in bench.lines[1]


def test_clashing_configuration_tables_are_reported() -> None:
    def table(name: str, target: str) -> PluginSource:
        return source(
            name,
            module(f"{name}.plugin", t=answering(hookspecs.hephaestus_config_tables, [ConfigTable("demo", target)])),
        )

    bench = Bench(table("a", "a:A"), table("b", "b:B"))
    assert bench.host.config_tables["demo"].target == "a:A"
    assert_one_fault(bench, "dist-b", "'demo' is taken")


def test_two_distributions_with_one_plugin_name_are_reported_and_the_first_counts() -> None:
    bench = Bench(GOOD, source("good", module("z.plugin"), distribution="dist-zzz"))
    assert list(bench.host.definitions()) == ["one.done"]
    assert_one_fault(bench, "dist-zzz", "taken by dist-good")


# ---- hooks that are not what they seem ---------------------------------------------------------------------------


def test_a_misspelt_hook_is_reported_with_the_nearest() -> None:
    @hookimpl
    def hephaestus_event() -> list[TelemetryEvent]:
        return [ONE]

    bench = Bench(source("bad", module("bad.plugin", hephaestus_event=hephaestus_event)), GOOD)
    assert list(bench.host.definitions()) == ["one.done"]
    assert_one_fault(bench, "dist-bad", "unknown hook hephaestus_event;", "did you mean hephaestus_events?")


def test_a_hook_without_its_mark_is_reported() -> None:
    def hephaestus_events() -> list[TelemetryEvent]:
        return [TWO]

    bench = Bench(source("bad", module("bad.plugin", hephaestus_events=hephaestus_events)), GOOD)
    assert list(bench.host.definitions()) == ["one.done"]
    assert_one_fault(bench, "dist-bad", "hephaestus_events looks like a hook but is not marked", "@implements")


def test_a_hook_of_another_signature_is_reported() -> None:
    @hookimpl
    def hephaestus_events(config: object) -> list[TelemetryEvent]:
        return [TWO]

    bench = Bench(source("bad", module("bad.plugin", hephaestus_events=hephaestus_events)), GOOD)
    assert list(bench.host.definitions()) == ["one.done"]
    assert_one_fault(bench, "dist-bad", "config")


def test_a_hook_wrapper_is_reported_and_not_called() -> None:
    @hookimpl(wrapper=True)
    def hephaestus_events() -> Iterator[Any]:
        answer = yield
        return answer

    bench = Bench(source("bad", module("bad.plugin", hephaestus_events=hephaestus_events)), GOOD)
    assert list(bench.host.definitions()) == ["one.done"]
    assert_one_fault(bench, "dist-bad", "wrapper")


@pytest.mark.parametrize("broken", ["__dir__", "__getattribute__", "hephaestus_evnts"])
def test_a_plugin_whose_attributes_cannot_be_read_is_reported_and_the_others_work(broken: str) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("no attributes today")

    members = {"hephaestus_events": staticmethod(hookimpl(lambda: [TWO])), broken: fail}
    if not broken.startswith("__"):
        members[broken] = property(fail)
    bench = Bench(source("moody", type("Moody", (), members)()), GOOD)
    assert "one.done" in bench.host.definitions()
    assert_one_fault(bench, "dist-moody", "cannot be read", "no attributes today")


def test_a_missing_hook_is_no_fault_where_it_is_optional() -> None:
    @hookimpl(optionalhook=True)
    def hephaestus_elsewhere() -> None:
        return None

    bench = Bench(source("a", module("a.plugin", hephaestus_elsewhere=hephaestus_elsewhere)))
    assert bench.host.plugins[0].state == "ok"
    assert bench.host.call("hephaestus_elsewhere_unknown") == []


# ---- which plugins -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"disabled": ["off"]}, {"disabled": ["dist-off"]}, {"enabled": ["good"]}])
def test_a_disabled_plugin_is_never_imported(options: dict[str, Any]) -> None:
    bench = Bench(source("off", value="no_such_module_at_all"), GOOD, **options)
    assert list(bench.host.definitions()) == ["one.done"]
    assert bench.lines == []
    assert [plugin.state for plugin in bench.host.plugins] == ["ok", "disabled"]


@pytest.mark.parametrize("options", [{"disabled": ["typo"]}, {"enabled": ["good", "typo"]}])
def test_an_unknown_name_to_disable_or_enable_is_warned_of(options: dict[str, Any]) -> None:
    bench = Bench(GOOD, **options)
    assert bench.host.plugins[0].state == "ok"
    assert_one_fault(bench, "typo", "installed: good")


def test_without_a_reporter_a_fault_is_logged_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    host = PluginHost([source("broken", value="no_such_module_at_all")])
    with caplog.at_level(logging.WARNING):
        assert host.plugins[0].state == "broken"
    (record,) = caplog.records
    assert "dist-broken" in record.getMessage()


# ---- asking ------------------------------------------------------------------------------------------------------


class _Demo:
    @hookspec
    def hephaestus_demo_words(self, text: str, count: int) -> None:
        """A hook of a plugin's own."""


def words_plugin(name: str, **options: Any) -> PluginSource:
    def words(text: str) -> str:
        return f"{name}:{text}"

    marked = hookimpl(specname="hephaestus_demo_words", **options)(words)
    return source(name, module(f"{name}.plugin", words=marked))


OFFERS = source("offers", module("offers.plugin", h=answering(hookspecs.hephaestus_hookspecs, [_Demo])))


def test_answers_come_in_the_order_of_names_with_first_and_last_as_marked() -> None:
    bench = Bench(
        words_plugin("c"), words_plugin("z", tryfirst=True), words_plugin("a", trylast=True), words_plugin("b"), OFFERS
    )
    answers = bench.host.call("hephaestus_demo_words", text="t", count=1)
    assert [answer.plugin for answer in answers] == ["z", "b", "c", "a"]
    assert answers[0].value == "z:t"
    assert bench.lines == []


def test_an_implementation_of_a_plugins_own_hook_is_checked_against_it() -> None:
    @hookimpl
    def hephaestus_demo_word(text: str) -> str:
        return text

    bench = Bench(OFFERS, source("bad", module("bad.plugin", hephaestus_demo_word=hephaestus_demo_word)))
    bench.host.plugins  # noqa: B018
    assert_one_fault(bench, "dist-bad", "did you mean hephaestus_demo_words?")


def test_a_plugin_that_offers_no_hooks_at_all_is_reported() -> None:
    bench = Bench(source("bad", module("bad.plugin", h=answering(hookspecs.hephaestus_hookspecs, [object()]))), GOOD)
    assert list(bench.host.definitions()) == ["one.done"]
    assert_one_fault(bench, "dist-bad", "offers no valid hooks")


def test_a_plugin_whose_hookspecs_raise_is_reported() -> None:
    bad = source("bad", module("bad.plugin", h=answering(hookspecs.hephaestus_hookspecs, SystemExit(1))))
    bench = Bench(bad, GOOD)
    assert list(bench.host.definitions()) == ["one.done"]
    assert "hephaestus_hookspecs" in bench.lines[0]


def test_a_none_answer_is_an_answer() -> None:
    bench = Bench(source("a", module("a.plugin", e=answering(hookspecs.hephaestus_events, None))))
    assert [(each.plugin, each.value) for each in bench.host.call("hephaestus_events")] == [("a", None)]


# ---- listeners ---------------------------------------------------------------------------------------------------


def listening(name: str, function: Callable[..., None]) -> PluginSource:
    return source(name, module(f"{name}.plugin", listen=hookimpl(specname="hephaestus_on_event")(function)))


def test_a_failing_listener_is_reported_once_and_the_others_hear_each_event() -> None:
    heard: list[str] = []

    def broken(emitted: Emitted) -> None:
        raise SystemExit("enough")

    def hear(emitted: Emitted) -> None:
        heard.append(emitted.event.name)

    bench = Bench(listening("a", broken), listening("b", hear), listening("c", lambda: heard.append("bare")))
    bench.host.start_listening()
    bench.host.start_listening()
    try:
        for _ in range(3):
            emit_event(logging.getLogger("hephaestus.tests"), TWO, level="critical")
    finally:
        bench.host.stop_listening()
    emit_event(logging.getLogger("hephaestus.tests"), TWO, level="critical")
    assert heard == ["two.done", "bare"] * 3
    assert_one_fault(bench, "dist-a", "hephaestus_on_event", "enough", "--disable-plugin a")


# ---- the process's host ------------------------------------------------------------------------------------------


@pytest.fixture
def process_host() -> Iterator[Callable[[Iterable[PluginSource]], Bench]]:
    previous = use_host(None)

    def put(sources: Iterable[PluginSource]) -> Bench:
        bench = Bench(*sources)
        use_host(bench.host)
        return bench

    yield put
    use_host(previous)


def test_the_facade_resolves_constants_of_the_process_host(process_host: Callable[..., Bench]) -> None:
    bench = process_host([GOOD])
    assert current_host() is bench.host
    assert getattr(telemetry, "ONE_DONE") is ONE  # noqa: B009
    assert "ONE_DONE" in dir(telemetry)
    with pytest.raises(AttributeError, match="did you mean 'ONE_DONE'"):
        getattr(telemetry, "ONE_DOEN")  # noqa: B009
    with pytest.raises(AttributeError, match="no attribute 'lower'"):
        getattr(telemetry, "lower")  # noqa: B009


@pytest.mark.parametrize("first", ["plugins", "definitions", "commands"])
def test_a_plugin_that_looks_an_event_up_while_it_is_imported_is_reported_and_the_others_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process_host: Callable[..., Bench], first: str
) -> None:
    (tmp_path / "hephaestus_eager_sample.py").write_text("from hephaestus import telemetry\ntelemetry.ONE_DONE\n")
    monkeypatch.syspath_prepend(tmp_path)
    bench = process_host([source("eager", value="hephaestus_eager_sample"), GOOD])
    try:
        found = getattr(bench.host, first)
        found() if callable(found) else found
    finally:
        sys.modules.pop("hephaestus_eager_sample", None)
    assert list(bench.host.definitions()) == ["one.done"]
    assert [plugin.name for plugin in bench.host.plugins] == ["eager", "good"]
    assert_one_fault(bench, "dist-eager", "ONE_DONE")


def test_of_two_plugins_of_one_name_the_first_keeps_its_contributions() -> None:
    event = TelemetryEvent("twin.done", "A twin is done.")
    first = SimpleNamespace(hephaestus_events=hookimpl(lambda: [event]))
    sources = [
        PluginSource("twin", "x", "a-dist", "1", first),
        PluginSource("twin", "y", "b-dist", "1", SimpleNamespace()),
    ]
    host = PluginHost(sources, report=lambda problem: None)
    host.definitions()
    assert [(each.source.distribution, each.state, each.events) for each in host.plugins] == [
        ("a-dist", "ok", [event]),
        ("b-dist", "broken", []),
    ]

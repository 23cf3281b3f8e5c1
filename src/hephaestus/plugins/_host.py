"""The host: loads plugins, calls their hooks one by one, and lets none take another down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from hephaestus.config import ConfigTable
from hephaestus.errors import DuplicateEventError, Interrupted
from hephaestus.plugins import hookspecs
from hephaestus.plugins._command import Command
from hephaestus.plugins._discovery import PluginSource, discover
from hephaestus.plugins._hooks import HookManager
from hephaestus.plugins._inspect import Marked, hook_faults, marked_hooks
from hephaestus.plugins._plugin import Plugin
from hephaestus.plugins._report import Problem, Report, log_problem, one_line

if TYPE_CHECKING:
    import pluggy

    from hephaestus.emit import Emitted
    from hephaestus.registry import Definition

__all__ = ["Answer", "PluginHost"]

T = TypeVar("T")


class Answer(NamedTuple):
    """What one plugin's implementation of a hook returned."""

    plugin: str
    value: Any


class PluginHost:
    """Loads the plugins on first need and asks them, each in isolation.

    Args:
        sources: the plugins to load; the installed ones by default.
        disabled: names of plugins or distributions that are not even imported.
        enabled: where given, only these are loaded (an allow-list).
        report: gets each `Problem` once; by default it is logged as a warning.
        reserved_commands: names that no plugin's command may take.
    """

    def __init__(
        self,
        sources: Iterable[PluginSource] | None = None,
        *,
        disabled: Iterable[str] = (),
        enabled: Iterable[str] | None = None,
        report: Report = log_problem,
        reserved_commands: Iterable[str] = (),
    ) -> None:
        self._sources = None if sources is None else sorted(sources, key=lambda each: (each.name, each.distribution))
        self._disabled = frozenset(disabled)
        self._enabled = None if enabled is None else frozenset(enabled)
        self._report = report
        self._reserved = frozenset(reserved_commands)
        self._lock = threading.RLock()
        self._loading = False
        self._importing = False
        self._stop_listening: list[Callable[[], None]] = []
        self._manager = HookManager()

    # ---- what is installed -------------------------------------------------------------------------------------

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """All plugins, ordered by name, loaded; disabled and broken ones too."""
        with self._lock:
            if "_loaded" in self.__dict__:
                return self._loaded
            if self._importing:
                # Asked by a plugin that is being imported: loading all over again would find it half done.
                return ()
            self._importing = True
            try:
                return self._loaded
            finally:
                self._importing = False

    @cached_property
    def _loaded(self) -> tuple[Plugin, ...]:
        sources = discover() if self._sources is None else self._sources
        plugins = tuple(Plugin(each, disabled=not self._wanted(each)) for each in sources)
        self._warn_of_unknown_names(sources)
        self._manager.add_hookspecs(hookspecs)
        taken: dict[str, Plugin] = {}
        for plugin in plugins:
            if not plugin.disabled and self._is_first(plugin, taken):
                self._import(plugin)
        read = [(plugin, marked) for plugin in plugins if (marked := self._read(plugin)) is not None]
        for plugin, marked in read:
            self._add_hookspecs(plugin, marked)
        # pluggy calls the last registered first; we want the order of names.
        for plugin, marked in reversed(read):
            self._register(plugin, marked)
        return plugins

    def _wanted(self, source: PluginSource) -> bool:
        names = {source.name, source.distribution}
        return self._disabled.isdisjoint(names) and (self._enabled is None or not self._enabled.isdisjoint(names))

    def _warn_of_unknown_names(self, sources: Iterable[PluginSource]) -> None:
        known = {name for each in sources for name in (each.name, each.distribution)}
        for name in sorted((self._disabled | (self._enabled or frozenset())) - known):
            installed = ", ".join(sorted(each.name for each in sources)) or "none"
            self._report(
                Problem(name, "not installed", "no such plugin to disable or enable", f"installed: {installed}")
            )

    def _is_first(self, plugin: Plugin, taken: dict[str, Plugin]) -> bool:
        first = taken.setdefault(plugin.name, plugin)
        if first is not plugin:
            self._fault(plugin, f"the name is taken by {first.source.distribution}", "uninstall one of the two")
        return first is plugin

    def _import(self, plugin: Plugin) -> None:
        started = time.perf_counter()
        source = plugin.source

        def load() -> object:
            if source.plugin is not None:
                return source.plugin
            module, _, attribute = source.value.partition(":")
            loaded: object = import_module(module)
            for name in filter(None, attribute.split(".")):
                loaded = getattr(loaded, name)
            return loaded

        plugin.module = self._guarded(plugin, f"cannot be imported from {source.value}", load)
        plugin.import_seconds = time.perf_counter() - started

    def _read(self, plugin: Plugin) -> list[Marked] | None:
        if plugin.module is None:
            return None
        # An object's attributes may be computed, and fail.
        return self._guarded(plugin, "cannot be read", partial(marked_hooks, self._manager, plugin.module))

    def _add_hookspecs(self, plugin: Plugin, marked: Iterable[Marked]) -> None:
        # Asked before registration: pluggy compares implementations with the specifications that it knows by then.
        for name, offer, _ in marked:
            if name == hookspecs.hephaestus_hookspecs.__name__:
                namespaces = self._guarded(plugin, f"fails in {name}", partial(_listed, offer)) or []
                for namespace in namespaces:
                    self._guarded(plugin, "offers no valid hooks", partial(self._manager.add_hookspecs, namespace))

    def _register(self, plugin: Plugin, marked: Sequence[Marked]) -> None:
        find = partial(_listed, partial(hook_faults, self._manager, plugin.module, marked))
        for reason, mend in self._guarded(plugin, "cannot be read", find) or []:
            self._fault(plugin, reason, mend)
        registered = self._guarded(
            plugin,
            "has a hook of another signature than specified",
            lambda: self._manager.register(plugin.module, plugin.name),
        )
        if registered is None and self._manager.has_plugin(plugin.name):
            self._manager.unregister(name=plugin.name)
        else:
            plugin.hooks = tuple(sorted({each.name for each in marked}))

    # ---- asking ------------------------------------------------------------------------------------------------

    def call(self, hook: str, **arguments: Any) -> list[Answer]:
        """Call every implementation of a hook by itself, in pluggy's order.

        Args:
            hook: the hook's name.
            **arguments: what its specification names; an implementation may take fewer.

        Returns:
            One answer for each implementation that returned; one that raised (even SystemExit) is reported.
        """
        answers = []
        for plugin, implementation in self._implementations(hook):
            given = [arguments[name] for name in implementation.argnames]
            answer = self._guarded(plugin, f"fails in {hook}", partial(_ask, plugin, implementation.function, given))
            if answer is not None:
                answers.append(answer)
        return answers

    def _implementations(self, hook: str) -> Iterator[tuple[Plugin, pluggy.HookImpl]]:
        known = self._by_name
        caller = getattr(self._manager.hook, hook, None)
        for implementation in reversed(caller.get_hookimpls()) if caller is not None else ():
            # A wrapper is not called; that was reported when its plugin was registered.
            if not implementation.wrapper and not implementation.hookwrapper:
                yield known[implementation.plugin_name], implementation

    @property
    def _by_name(self) -> dict[str, Plugin]:
        # Of two plugins of one name the first is the one that was registered.
        return {each.name: each for each in reversed(self.plugins)}

    def collect(self, hook: str, kind: type[T], **arguments: Any) -> list[tuple[Plugin, T]]:
        """Call a hook whose implementations each return an iterable of `kind`, and flatten what they return.

        An implementation that returns anything else is reported and left out.
        """
        items: list[tuple[Plugin, T]] = []
        known = self._by_name
        for name, value in self.call(hook, **arguments):
            plugin = known[name]
            given: list[object] = self._guarded(plugin, f"returned no iterable from {hook}", partial(list, value)) or []
            for item in given:
                if isinstance(item, kind):
                    items.append((plugin, item))
                else:
                    self._fault(plugin, f"{hook} returned {type(item).__name__}, not {kind.__name__}", "upgrade it")
        return items

    def definitions(self) -> Mapping[str, Definition]:
        """The events that plugins contribute, with their distributions; a clashing one is reported and left out."""
        if "_definitions" in self.__dict__:
            return self._definitions
        with self._lock:
            if self._loading or self._importing:
                # A plugin that looks an event up while plugins are being loaded sees none yet.
                return {}
            self._loading = True
            try:
                return self._definitions
            finally:
                self._loading = False

    @cached_property
    def _definitions(self) -> dict[str, Definition]:
        from hephaestus.event import TelemetryEvent
        from hephaestus.registry import Definition, check_clash

        definitions: dict[str, Definition] = {}
        constants: dict[str, Definition] = {}
        for plugin, event in self.collect(hookspecs.hephaestus_events.__name__, TelemetryEvent):
            try:
                known = check_clash(event, plugin.source.distribution, constants)
            except DuplicateEventError as error:
                self._fault(plugin, error.message, error.hint or "upgrade or uninstall one of the two")
            else:
                if known is None:
                    definition = Definition(event, plugin.source.distribution)
                    definitions[event.name] = constants[event.constant] = definition
                    plugin.events.append(event)
        return definitions

    @cached_property
    def commands(self) -> Mapping[str, tuple[Plugin, Command]]:
        """The sub-commands that plugins contribute, by name; a clashing one is reported and left out."""
        commands: dict[str, tuple[Plugin, Command]] = {}
        for plugin, command in self.collect(hookspecs.hephaestus_commands.__name__, Command):
            owner = "the core" if command.name in self._reserved else ""
            if command.name in commands:
                owner = commands[command.name][0].source.distribution
            if owner:
                self._fault(
                    plugin, f"command {command.name!r} is taken by {owner}", "uninstall or disable one of the two"
                )
                continue
            commands[command.name] = (plugin, command)
            plugin.commands.append(command)
        return commands

    @cached_property
    def config_tables(self) -> Mapping[str, ConfigTable]:
        """The configuration tables that plugins declare, by name; a clashing one is reported and left out."""
        tables: dict[str, ConfigTable] = {}
        for plugin, table in self.collect(hookspecs.hephaestus_config_tables.__name__, ConfigTable):
            if tables.setdefault(table.name, table) != table:
                self._fault(
                    plugin, f"configuration table {table.name!r} is taken", "uninstall or disable one of the two"
                )
        return tables

    def start_listening(self) -> None:
        """Attach the plugins' `hephaestus_on_event`; until `stop_listening` they hear each event."""
        if self._stop_listening:
            return
        from hephaestus.emit import add_listener

        hook = hookspecs.hephaestus_on_event.__name__
        for plugin, implementation in self._implementations(hook):
            takes = bool(implementation.argnames)

            def listen(emitted: Emitted, call: Any = implementation.function, takes: bool = takes) -> None:
                call(emitted) if takes else call()

            def failed(error: BaseException, plugin: Plugin = plugin) -> None:
                self.blame(plugin, f"fails in {hook}", error)

            self._stop_listening.append(add_listener(listen, failed))

    def stop_listening(self) -> None:
        """Take the plugins' listeners away."""
        while self._stop_listening:
            self._stop_listening.pop()()

    # ---- isolation ---------------------------------------------------------------------------------------------

    def blame(self, plugin: Plugin, doing: str, error: BaseException) -> None:
        """Report that `plugin` raised `error` while `doing` something."""
        name = plugin.source.distribution
        self._fault(plugin, f"{doing}: {one_line(error)}", f"upgrade {name} or use --disable-plugin {plugin.name}")

    def _guarded(self, plugin: Plugin, doing: str, function: Callable[[], T]) -> T | None:
        try:
            return function()
        except (KeyboardInterrupt, Interrupted):
            raise
        except BaseException as error:  # a plugin's SystemExit must not end the host
            self.blame(plugin, doing, error)
            return None

    def _fault(self, plugin: Plugin, reason: str, mend: str) -> None:
        problem = Problem(plugin.name, plugin.source.distribution, reason, mend)
        if problem not in plugin.problems:
            plugin.problems.append(problem)
            self._report(problem)


def _listed(function: Callable[[], Iterable[T]]) -> list[T]:
    return list(function())


def _ask(plugin: Plugin, function: Callable[..., Any], arguments: list[Any]) -> Answer:
    return Answer(plugin.name, function(*arguments))

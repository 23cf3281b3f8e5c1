"""What one invocation of the command line is made of: configuration, plugins, run, logs and consoles."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from hephaestus.cli._style import styled
from hephaestus.errors import ConfigError, EventError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rich.console import Console

    from hephaestus.config import Configuration
    from hephaestus.logging import LogFormat
    from hephaestus.plugins import PluginHost, Problem

__all__ = ["Session", "current_session", "session_of"]

#: Commands of the core; no plugin may take their names.
CORE_COMMANDS = ("events", "plugins")

_SLOT = "hephaestus.session"


class Session:
    """One invocation of `hephaestus`. Each part is imported and made on first need: `--version` needs none.

    Args:
        options: the values of the root's options, by parameter name.

    Attributes:
        on_start: called when a command is about to run, before anything else.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self.on_start: Callable[[], None] | None = None
        self._configurations: dict[str, Configuration] = {}
        self._unreported: list[Problem] = []
        self._outer_host: PluginHost | None = None
        self._started = False

    @property
    def debug(self) -> bool:
        """True when tracebacks are wanted."""
        return bool(self._options.get("debug"))

    # ---- configuration -----------------------------------------------------------------------------------------

    def configuration(self, root: Path | None = None) -> Configuration:
        """Return the configuration that holds for `root`, by default the working directory.

        Raises:
            ConfigError: it cannot be read.
        """
        from hephaestus.config import load_configuration

        try:
            folder = os.path.abspath(os.curdir if root is None else root)
        except FileNotFoundError as error:
            raise ConfigError("the working directory does not exist any more", hint="change into another") from error
        if folder not in self._configurations:
            self._configurations[folder] = load_configuration(folder)
        return self._configurations[folder]

    def table(self, name: str, *, root: Path | None = None) -> Any:
        """Return a plugin's table for the workspace at `root`: defaults, under the file, under the environment.

        Args:
            name: the table's name, as the plugin declares it.
            root: a folder of the workspace; the working directory by default.

        Raises:
            ConfigError: an unknown key or a value of the wrong type.
        """
        configuration = self.configuration(root)
        for unknown in configuration.check_tables(self.host.config_tables):
            self._say(f"{configuration.file}: no installed plugin declares the table {unknown!r}")
        return configuration.table(self.host.config_tables[name])

    def _setting(self, name: str) -> Any:
        given = self._options.get(name)
        return self._core.get(name) if given is None else given

    @cached_property
    def _core(self) -> Mapping[str, Any]:
        return self.configuration().core()

    # ---- plugins -----------------------------------------------------------------------------------------------

    @cached_property
    def host(self) -> PluginHost:
        """The plugins, but for those that options, environment or configuration disable."""
        try:
            core = self._core
        except ConfigError:
            if self._started:
                raise
            # Help and listings work with a broken configuration; a command that starts reports it.
            core = {}
        from hephaestus.plugins import PluginHost, use_host

        disabled = {*self._options.get("disable_plugin", ()), *core.get("disabled_plugins", ())}
        host = PluginHost(
            disabled=disabled,
            enabled=core.get("enabled_plugins"),
            report=self._report,
            reserved_commands=CORE_COMMANDS,
        )
        # What plugins look up, while they are imported too, is in this host until the session ends.
        self._outer_host = use_host(host)
        return host

    def _report(self, problem: Problem) -> None:
        if self._started:
            self._say(str(problem))
        else:
            self._unreported.append(problem)

    def report_problems(self) -> None:
        """Say in one line each what went wrong with plugins so far."""
        while self._unreported:
            self._say(str(self._unreported.pop(0)))

    def _say(self, text: str) -> None:
        if self._started and not self.show_progress:
            import logging

            logging.getLogger("hephaestus.plugins").warning("%s", text)
        else:
            click.echo(f"{styled('warning:', 'yellow')} {text}", err=True)

    # ---- the run -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Set logging and the run up and attach listeners, because a command is about to run.

        Raises:
            UsageError: a log file, level, format or run id that will not do.
        """
        if self.on_start is not None:
            self.on_start()
        from hephaestus.logging import configure_logging

        log_format: LogFormat = self._setting("log_format") or "text"
        try:
            configure_logging(
                level=self._setting("log_level") or "info",
                log_format=log_format,
                log_file=self._setting("log_file"),
                run_id=self._options.get("run_id"),
                console=not self.show_progress,
            )
        except EventError as error:
            raise UsageError(f"{error.message}, from --run-id or HEPHAESTUS_RUN_ID", hint=error.hint) from error
        self._started = True
        self.report_problems()
        self.host.start_listening()

    def close(self) -> None:
        """Take the listeners away, and make the host from before the session the process's host again."""
        if "host" in self.__dict__:
            from hephaestus.plugins import use_host

            self.host.stop_listening()
            use_host(self._outer_host)

    @property
    def run_id(self) -> str:
        """The run's id."""
        from hephaestus.context import current_context

        return current_context().run_id or ""

    # ---- people ------------------------------------------------------------------------------------------------

    @cached_property
    def show_progress(self) -> bool:
        """True when a person watches and has not asked for logs: draw progress and a summary on stderr."""
        asked = self._setting("log_format") is not None or self._setting("log_level") is not None
        return sys.stderr.isatty() and not asked and os.environ.get("TERM") != "dumb"

    @property
    def interactive(self) -> bool:
        """True when questions can be asked and answered: stdin and stderr are terminals."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def stderr_console(self) -> Console:
        """A rich console on stderr; colour only on a terminal, never under `NO_COLOR`."""
        from rich.console import Console

        return Console(stderr=True, highlight=False)

    def stdout_console(self) -> Console:
        """A rich console on stdout; colour only on a terminal, never under `NO_COLOR`."""
        from rich.console import Console

        return Console(highlight=False)


def session_of(context: click.Context) -> Session:
    """Return the session of an invocation, made from the root's options on first need."""
    root = context.find_root()
    session = root.meta.get(_SLOT)
    if not isinstance(session, Session):
        session = root.meta[_SLOT] = Session(root.params)
    return session


def current_session() -> Session:
    """Return the session of the command that is running."""
    return session_of(click.get_current_context())

"""Configuration: `[tool.hephaestus]` of pyproject.toml or a hephaestus.toml, under the environment's `HEPHAESTUS_*`.

Keys are kebab-case, attributes of the classes that they are structured into snake_case. What is wrong is an error that
names the file (or variable), the key and the nearest valid one. Nothing is imported to read a workspace that has no
configuration.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from hephaestus.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

__all__ = ["CORE_KEYS", "LOG_LEVELS", "ConfigTable", "Configuration", "load_configuration"]

_OWN_FILE = "hephaestus.toml"
_SHARED_FILE = "pyproject.toml"
_PREFIX = "HEPHAESTUS_"

#: The core's own keys; `hephaestus._settings.CoreSettings` gives their types.
CORE_KEYS = ("disabled-plugins", "enabled-plugins", "log-file", "log-format", "log-level")
#: What `log-level` may be.
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


class ConfigTable(NamedTuple):
    """A plugin's table of the configuration, by reference.

    Attributes:
        name: `[tool.hephaestus.<name>]`; in the environment `HEPHAESTUS_<NAME>_<KEY>`.
        target: `package.module:Class` of the attrs class or NamedTuple that it is structured into, imported on use.
            Each attribute needs a default; an attribute `max_depth` is the key `max-depth`.
    """

    name: str
    target: str


class Configuration:
    """The configuration of one workspace.

    Attributes:
        file: the file that was read, or None.
        values: its keys and tables, as TOML gives them.
        environment: the variables that override them.
    """

    def __init__(self, file: Path | None, values: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self.file = file
        self.values = values
        self.environment = environment

    def core(self) -> Mapping[str, Any]:
        """The core's settings that file or environment give, by attribute name.

        Raises:
            ConfigError: an unknown key or a value of the wrong type.
        """
        own = {key: value for key, value in self.values.items() if key in CORE_KEYS or not isinstance(value, dict)}
        variables = {key: name for key in CORE_KEYS if (name := _variable("", key)) in self.environment}
        self._refuse_misspelt_variables()
        if not own and not variables:
            return {}
        from hephaestus._settings import CoreSettings

        settings = self._made(CoreSettings, "", own, variables.values())
        level = settings.log_level
        if level is not None and level.lower() not in LOG_LEVELS:
            variable = variables.get("log-level")
            where = f"variable {variable}" if variable else f"{self._where('')} key 'log-level'"
            raise ConfigError(f"{where}: log-level must be one of {', '.join(LOG_LEVELS)}, got {level!r}")
        return {key.replace("-", "_"): getattr(settings, key.replace("-", "_")) for key in {*own, *variables}}

    def table(self, table: ConfigTable) -> Any:
        """Structure a plugin's table into the class that it declares.

        Raises:
            ConfigError: an unknown key or a value of the wrong type.
        """
        module, _, attribute = table.target.partition(":")
        kind = getattr(import_module(module), attribute)
        values = self.values.get(table.name, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{self._where('')} key {table.name!r} must be a table, got {type(values).__name__}")
        prefix = _variable(table.name, "")
        return self._made(kind, table.name, values, [name for name in self.environment if name.startswith(prefix)])

    def _made(self, kind: Any, table: str, values: Mapping[str, Any], variables: Collection[str]) -> Any:
        """The values of a table, and of the variables that override them, as an object."""
        if not values and not variables:
            return kind()
        # Importing what structures every table takes longer than most commands take to start.
        from hephaestus._fitting import NotFitting, fit

        prefix = _variable(table, "") if table else _PREFIX
        texts = {name.removeprefix(prefix): self.environment[name] for name in variables}
        with suppress(NotFitting):
            return fit(kind, values, self._folder(), texts)
        from hephaestus._structure import structure

        return structure(kind, values, self._where(table), self.environment, prefix, self._folder())

    def check_tables(self, declared: Collection[str]) -> list[str]:
        """Look for tables that no plugin declares.

        Returns:
            The names of tables without a plugin: a repository may be configured for plugins that are not installed.

        Raises:
            ConfigError: such a name is nearly that of a declared table.
        """
        unknown = [
            key
            for key, value in self.values.items()
            if isinstance(value, dict) and key not in declared and key not in CORE_KEYS
        ]
        for key in unknown:
            near = _nearest(key, (*declared, *CORE_KEYS))
            if near:
                raise ConfigError(f"unknown table {key!r} in {self._where('')}; did you mean {near!r}?")
        return unknown

    def _folder(self) -> Path:
        from pathlib import Path

        return self.file.parent if self.file is not None else Path.cwd()

    def _where(self, table: str) -> str:
        if self.file is None:
            return "the environment"
        name = ".".join(filter(None, ("tool.hephaestus" if self.file.name == _SHARED_FILE else "", table)))
        return f"{self.file} [{name}]" if name else str(self.file)

    def _refuse_misspelt_variables(self) -> None:
        known = {_variable("", key) for key in CORE_KEYS} | {"HEPHAESTUS_RUN_ID"}
        for name in self.environment:
            if name.startswith(_PREFIX) and name not in known:
                near = _nearest(name, known, cutoff=0.9)
                if near:
                    raise ConfigError(f"unknown variable {name} in the environment; did you mean {near}?")


def load_configuration(start: str | os.PathLike[str], environment: Mapping[str, str] | None = None) -> Configuration:
    """Read the configuration that holds for a folder: the nearest at or above it, up to the repository's top level.

    Args:
        start: a folder, or a file in one; it need not exist.
        environment: variables; `os.environ` by default.

    Raises:
        ConfigError: a file that cannot be read as TOML, or two configurations in one folder.
    """
    environment = os.environ if environment is None else environment
    folder = os.path.abspath(start)
    while True:
        found = _read_folder(folder)
        if found is not None:
            from pathlib import Path

            file, values = found
            return Configuration(Path(file), values, environment)
        parent = os.path.dirname(folder)
        if parent == folder or os.path.lexists(os.path.join(folder, ".git")):
            return Configuration(None, {}, environment)
        folder = parent


def _read_folder(folder: str) -> tuple[str, dict[str, Any]] | None:
    # Texts, not paths: nearly every start finds nothing here, and pathlib is a tenth of what it takes.
    own_file, shared_file = os.path.join(folder, _OWN_FILE), os.path.join(folder, _SHARED_FILE)
    own = _read_toml(own_file)
    shared = _read_toml(shared_file, containing=b"hephaestus")
    tool = (shared or {}).get("tool", {})
    table = tool.get("hephaestus") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{shared_file} key 'tool.hephaestus' must be a table, got {type(table).__name__}")
    if own is not None and table is not None:
        raise ConfigError(
            f"{folder} has both a {_OWN_FILE} and a [tool.hephaestus] in {_SHARED_FILE}", hint="keep one of the two"
        )
    if own is not None:
        return own_file, own
    return None if table is None else (shared_file, table)


def _read_toml(file: str, containing: bytes = b"") -> dict[str, Any] | None:
    try:
        # O_NONBLOCK: a FIFO of that name must not hang the run.
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as opened:
            data = opened.read() if stat.S_ISREG(os.fstat(handle).st_mode) else None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from error
    if data is None:
        raise ConfigError(f"cannot read {file}: it is no plain file", hint="move it aside")
    if containing not in data:
        return None
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is no valid TOML: {error}", hint="correct the file at that place") from error


def _variable(table: str, key: str) -> str:
    words = [word for word in (table, key) if word]
    name = _PREFIX + "_".join(words).replace("-", "_").upper()
    return name if key else f"{name}_"


def _nearest(name: str, known: Collection[str], cutoff: float = 0.7) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, n=1, cutoff=cutoff)), None)

"""A new plugin's project: a package with an event, a command and tests that pass, written from templates."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from string import Template

from hephaestus import __version__
from hephaestus.errors import UsageError

__all__ = ["plugin_name", "write_plugin"]

# Words that hyphens join: such a name can begin an event's name, and be a part of a package's and a constant's.
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PREFIX = "hephaestus-"
# Its distribution would have the name of the core's.
_TAKEN = "toolkit"

# Files of the project by their templates.
_FILES = {
    "gitignore.txt": ".gitignore",
    "README.md.txt": "README.md",
    "pyproject.toml.txt": "pyproject.toml",
    "init.py.txt": "src/$package/__init__.py",
    "cli.py.txt": "src/$package/cli.py",
    "events.py.txt": "src/$package/events.py",
    "plugin.py.txt": "src/$package/plugin.py",
    "py.typed.txt": "src/$package/py.typed",
    "tests.py.txt": "tests/test_$package.py",
}


def plugin_name(given: str, taken: Collection[str]) -> str:
    """Return a plugin's name, given as itself or as its distribution's.

    Args:
        given: what somebody wrote.
        taken: names of plugins and commands that there are.

    Raises:
        UsageError: it can be no plugin's name, or is another's.
    """
    name = given.removeprefix(_PREFIX)
    if not _NAME.fullmatch(name):
        raise UsageError(f"{given!r} can be no plugin's name", hint="use lower-case words, e.g. 'todo' or 'to-do'")
    if name == _TAKEN or name in taken:
        raise UsageError(f"there is a plugin or a command {name!r} already", hint="choose another name")
    return name


def write_plugin(name: str, folder: Path | None = None) -> tuple[Path, list[str]]:
    """Write the project of a new plugin, all of it or nothing.

    Args:
        name: as `plugin_name` returned it.
        folder: where; by default `hephaestus-<name>` in the working directory. Must not exist; its parent must.

    Returns:
        The folder, and the names of the files in it.

    Raises:
        UsageError: the folder exists, or cannot be made.
    """
    package = f"{_PREFIX}{name}".replace("-", "_")
    names = {
        "constant": name.replace("-", "_").upper(),
        "distribution": f"{_PREFIX}{name}",
        "name": name,
        "package": package,
        "toolkit": __version__,
    }
    folder = Path(names["distribution"]) if folder is None else folder
    if os.path.lexists(folder):
        raise UsageError(f"{folder} exists already", hint="name another folder with --folder")
    # Written beside, and then put in place by one rename.
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        draft.mkdir()
    except OSError as error:
        raise UsageError(f"cannot make {folder}: {error.strerror}", hint="name a folder in one that exists") from error
    try:
        written = [_write(draft, template, target, names) for template, target in _FILES.items()]
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return folder, sorted(written)


def _write(folder: Path, template: str, target: str, names: dict[str, str]) -> str:
    text = files("hephaestus.cli").joinpath("_templates", template).read_text(encoding="utf-8")
    path = Template(target).substitute(names)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(Template(text).substitute(names), encoding="utf-8")
    return path

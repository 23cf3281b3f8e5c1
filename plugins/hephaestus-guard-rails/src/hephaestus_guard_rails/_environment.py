"""The project's own virtual environment: where it is and what is installed in it, read from the disk alone."""

from __future__ import annotations

import json
import os
import re
import sys
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["Environment", "canonical_name", "find_environment"]


def canonical_name(name: str) -> str:
    """A distribution's name in the one form that all spellings share (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Environment:
    """A Python environment on disk.

    Attributes:
        prefix: its folder.
        found_by: how it was found, for `--plan`, e.g. ".venv" or "VIRTUAL_ENV".
    """

    def __init__(self, prefix: Path, found_by: str) -> None:
        self.prefix = prefix
        self.found_by = found_by

    @property
    def bin(self) -> Path:
        """Folder of its scripts."""
        return self.prefix / "bin"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.bin / "python"

    @cached_property
    def site_packages(self) -> list[Path]:
        """Folders that hold its installed distributions."""
        patterns = ("lib/python3*/site-packages", "lib64/python3*/site-packages", "lib/python3/dist-packages")
        found = {path.resolve() for pattern in patterns for path in self.prefix.glob(pattern)}
        return sorted(found)

    @cached_property
    def distributions(self) -> dict[str, str]:
        """Canonical name → version of everything installed."""
        found = {}
        for folder in self._dist_infos():
            name, _, version = os.path.basename(folder).removesuffix(".dist-info").partition("-")
            found[canonical_name(name)] = version
        return found

    def _dist_infos(self) -> list[str]:
        return [
            entry.path
            for folder in self.site_packages
            for entry in os.scandir(folder)
            if entry.name.endswith(".dist-info")
        ]

    @cached_property
    def editable_sources(self) -> dict[str, Path]:
        """Canonical name → source folder of the distributions that are installed in editable mode."""
        found = {}
        for info in self._dist_infos():
            if (folder := _editable_folder(info)) is not None:
                found[canonical_name(os.path.basename(info).partition("-")[0])] = folder
        return found

    @cached_property
    def python_version(self) -> str:
        """The interpreter's version as pyvenv.cfg states it; empty when it states none."""
        try:
            text = (self.prefix / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        match = re.search(r"^version(?:_info)?\s*=\s*(\S+)", text, re.MULTILINE)
        return match.group(1) if match else ""

    def has_module(self, module: str) -> bool:
        """Whether `python -m module` would find something, without asking the interpreter."""
        return any(
            (folder / f"{module}.py").is_file() or (folder / module / "__main__.py").is_file()
            for folder in self.site_packages
        )


def _editable_folder(dist_info: str) -> Path | None:
    origin = f"{dist_info}/direct_url.json"
    if not os.access(origin, os.R_OK):
        return None  # as nearly always, so without the cost of an exception
    try:
        record = json.loads(Path(origin).read_bytes())
        if not record["dir_info"]["editable"]:
            return None
        return Path(unquote(urlsplit(record["url"]).path))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_environment(prefix: Path) -> bool:
    return (prefix / "bin" / "python").exists()


def find_environment(root: Path, top: Path) -> Environment | None:
    """The environment that belongs to the project at `root` in the repository at `top`.

    In this order: VIRTUAL_ENV when it lies inside the repository; `.venv` or `venv` at the root or above it up to the
    repository's root; the activated or the running environment when the project is installed in it in editable mode
    (as poetry, hatch and CI jobs do). An activated environment of another project is not taken.
    """
    activated = os.environ.get("VIRTUAL_ENV", "")
    if activated and Path(activated).resolve().is_relative_to(top) and _is_environment(Path(activated)):
        return Environment(Path(activated), "VIRTUAL_ENV")
    for place in (root, *root.parents):
        for name in (".venv", "venv"):
            if _is_environment(place / name):
                return Environment(place / name, name if place == root else str(place / name))
        if place == top:
            break
    for variable, value in (("VIRTUAL_ENV", activated), ("CONDA_PREFIX", os.environ.get("CONDA_PREFIX", ""))):
        if value and _holds_project(candidate := Environment(Path(value), variable), root):
            return candidate
    running = Environment(Path(sys.prefix), "the environment that Hephaestus runs in")
    return running if _holds_project(running, root) else None


def _holds_project(environment: Environment, root: Path) -> bool:
    if not _is_environment(environment.prefix):
        return False
    return any(folder.resolve().is_relative_to(root) for folder in environment.editable_sources.values())

"""The environment that tools run in: its Python, as far as markers ask, and the distributions it holds."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hephaestus_guard_rails.drift._tools import normal_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_PYTHON_FOLDER = re.compile(r"^(?:python|pypy)(\d+\.\d+)t?$")
_METADATA_NAME = re.compile(
    r"^(?P<name>[A-Za-z0-9][\w.]*(?:-[A-Za-z]\w*)*)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info$"
)
_UNKNOWABLE = re.compile(r"\b(?:extras|dependency_groups)\b")
_EXTRA = re.compile(r"""\bextra\s*[=!]=\s*["']([^"']*)["']""")


class Target:
    """A Python version and where its packages lie; without an environment, the running Python and no folders."""

    def __init__(self, python: str, folders: tuple[Path, ...] = ()) -> None:
        self.python = python
        self.folders = folders
        self._cache: dict[str, bool] = {}

    @classmethod
    def read(cls, environment: Path | None) -> Target:
        """Look at an environment's files; no interpreter is started.

        `folders` stays empty when there is no environment, or no site-packages in it.
        """
        running = platform.python_version()
        if environment is None:
            return cls(running)
        settings = _venv_settings(environment)
        version = settings.get("version_info") or settings.get("version") or ""
        folders = dict(_site_packages(environment, version))
        if not folders:
            return cls(running)
        own, folder_version = next(iter(folders.items()))
        paths = [own]
        if settings.get("include-system-site-packages", "").lower() == "true" and "home" in settings:
            base = Path(settings["home"]).parent
            paths += [path for path, found in _site_packages(base, folder_version) if found == folder_version]
        return cls(_release(version) or folder_version or running, tuple(paths))

    def applies(self, marker: str) -> bool:
        """True if a PEP 508 marker holds here.

        Markers on extras and groups hold: which of them are installed can't be known. So does a marker that can't be
        read, because a version that may apply must not be lost.
        """
        if not marker or _UNKNOWABLE.search(marker):
            return True
        if marker not in self._cache:
            self._cache[marker] = self._evaluate(marker)
        return self._cache[marker]

    def _evaluate(self, marker: str) -> bool:
        from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

        environment = {
            "python_version": ".".join(self.python.split(".")[:2]),
            "python_full_version": self.python,
            "implementation_version": self.python,
        }
        try:
            parsed = Marker(marker)
            return any(parsed.evaluate({**environment, "extra": extra}) for extra in ("", *_EXTRA.findall(marker)))
        except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
            return True

    def satisfies(self, requires_python: str) -> bool:
        """True if this Python is inside a `requires-python` specifier, or the specifier can't be read."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            return SpecifierSet(requires_python).contains(self.python, prereleases=True)
        except InvalidSpecifier:
            return True

    def installed(self, tools: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Versions found for each of `tools` (normal names); two versions mean a broken installation.

        Reads the names of metadata folders only. The first folder that holds a tool wins, as on `sys.path`.
        """
        found: dict[str, tuple[str, ...]] = {}
        for folder in self.folders:
            here: dict[str, set[str]] = {}
            for name, version in _distributions(folder):
                if name in tools and name not in found:
                    here.setdefault(name, set()).add(version)
            found.update({name: tuple(sorted(versions)) for name, versions in here.items()})
        return found


def _venv_settings(environment: Path) -> dict[str, str]:
    try:
        text = (environment / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _release(version: str) -> str:
    """`3.11.4.final.0` (as virtualenv writes it) as `3.11.4`; empty for anything that is no version."""
    match = re.match(r"\d+\.\d+(?:\.\d+)?", version)
    return match.group() if match else ""


def _site_packages(environment: Path, version: str) -> Iterator[tuple[Path, str]]:
    """Folders of packages with their Python's version; those of `version` first, for stale ones may lie beside."""
    wanted = ".".join(version.split(".")[:2])
    flat = environment / "Lib" / "site-packages"
    if flat.is_dir():
        yield flat, wanted
    matches = ((entry, _PYTHON_FOLDER.match(entry.name)) for entry in _folders(environment / "lib"))
    candidates = [(entry, match[1]) for entry, match in matches if match]
    for folder, found in sorted(candidates, key=lambda each: (each[1] != wanted, each[0].name)):
        for name in ("site-packages", "dist-packages"):
            if (folder / name).is_dir():
                yield folder / name, found


def _folders(path: Path) -> list[Path]:
    try:
        return [entry for entry in path.iterdir() if entry.is_dir()]
    except OSError:
        return []


def _distributions(folder: Path) -> Iterator[tuple[str, str]]:
    try:
        entries: Any = os.scandir(folder)
    except OSError:
        return
    with entries:
        for entry in entries:
            # What pip leaves behind of an interrupted uninstall starts with `~`, which the pattern refuses.
            match = _METADATA_NAME.match(entry.name) if entry.name.endswith("-info") else None
            if match:
                yield normal_name(match["name"]), match["version"]

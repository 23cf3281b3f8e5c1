"""Finding installed plugins: the `hephaestus.plugins` entry points of every distribution on the path.

`importlib.metadata` costs more to import than all of this takes; here only directory names and the
`entry_points.txt` files are read. It is asked where these cannot be: archives on the path, and finders of other kinds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

__all__ = ["GROUP", "PluginSource", "discover"]

GROUP = "hephaestus.plugins"

_GROUP = GROUP.encode()
_METADATA = (".dist-info", ".egg-info")


class PluginSource(NamedTuple):
    """Where a plugin comes from.

    Attributes:
        name: the entry point's name, e.g. `cleanup`.
        value: the entry point's value, `package.module` or `package.module:attribute`.
        distribution: name of the distribution that holds it.
        version: the distribution's version.
        plugin: the plugin itself where it is at hand already (tests); imported from `value` otherwise.
    """

    name: str
    value: str
    distribution: str
    version: str
    plugin: object | None = None


class _Distribution(NamedTuple):
    name: str
    version: str
    entry_points: str


def discover(path: Iterable[str] | None = None) -> list[PluginSource]:
    """List the plugins on `path` (`sys.path` by default), ordered by name and distribution.

    Of two distributions with one name the first on the path counts, as for imports. What cannot be read is passed over.
    """
    seen: set[str] = set()
    sources: list[PluginSource] = []
    for distribution in _distributions(
        [each for each in (sys.path if path is None else path) if isinstance(each, str)]
    ):
        key = distribution.name.lower().replace("_", "-").replace(".", "-")
        if key in seen:
            continue
        seen.add(key)
        for name, value in _entries(distribution.entry_points):
            sources.append(PluginSource(name, value, distribution.name, distribution.version))
    sources.sort(key=lambda each: (each.name, each.distribution))
    return sources


def _distributions(path: list[str]) -> Iterator[_Distribution]:
    for folder in dict.fromkeys(each or os.curdir for each in path):
        try:
            # Sorted, so that two metadata folders of one distribution give the same answer everywhere.
            names = sorted([name for name in os.listdir(folder) if name.endswith(_METADATA)])
        except NotADirectoryError:
            yield from _archive(folder)
        except (OSError, ValueError):
            continue
        else:
            for name in names:
                # pip renames what it is about to remove, and leaves it like that where it was stopped.
                if not name.startswith("~"):
                    yield _named(name, f"{folder}/{name}/entry_points.txt")
            if folder.endswith(".egg"):
                yield _named(os.path.basename(folder), f"{folder}/EGG-INFO/entry_points.txt")
    yield from _other_finders(path)


def _named(metadata: str, entry_points: str) -> _Distribution:
    """Read a distribution off the name of its metadata folder; `-py3.11` may follow an egg's version."""
    project, _, rest = metadata.rpartition(".")[0].partition("-")
    return _Distribution(project.replace("_", "-"), rest.partition("-")[0] or "unknown", _read(entry_points))


def _read(file: str) -> str:
    # A file object costs three times as much, and each distribution is asked at each start.
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except (OSError, ValueError):
        return ""
    data = b""
    try:
        while part := os.read(descriptor, 1 << 16):
            data += part
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return data.decode("utf-8", "replace") if _GROUP in data else ""


def _archive(file: str) -> Iterator[_Distribution]:
    from importlib.metadata import distributions

    yield from _readable(lambda: distributions(path=[file]))


def _other_finders(path: list[str]) -> Iterator[_Distribution]:
    # The import system's own finder is named by its module; whatever else finds distributions was put there by hand.
    for finder in sys.meta_path:
        home = getattr(finder, "__module__", type(finder).__module__)
        if hasattr(finder, "find_distributions") and "importlib" not in home:
            from importlib.metadata import DistributionFinder

            context = DistributionFinder.Context(path=path)
            yield from _readable(partial(finder.find_distributions, context))


def _readable(find: Callable[[], Iterable[Any]]) -> Iterator[_Distribution]:
    # Finders are foreign code and metadata may be cut short: what raises hides nothing but itself.
    with suppress(Exception):
        for each in find():
            with suppress(Exception):
                name, text = each.metadata["Name"], each.read_text("entry_points.txt")
                if name:
                    yield _Distribution(name, each.version or "unknown", text or "")


def _entries(text: str) -> Iterator[tuple[str, str]]:
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == f"[{GROUP}]"
        elif inside and line and not line.startswith(("#", ";")):
            name, equals, value = line.partition("=")
            if equals:
                # `[extra]` after a value is legal in old metadata and means nothing to us, as do spaces within.
                yield name.strip(), "".join(value.partition("[")[0].split())

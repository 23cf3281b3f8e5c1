"""Where the sources of a project lie: beside it, in the uv workspace it belongs to, or at the top of its repository."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, NamedTuple

from hephaestus_guard_rails.drift._toml import TomlDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class Layout(NamedTuple):
    """The folders that bear on one project.

    `workspace` is the root of the uv workspace that `root` is a member of, else `root` itself; `repository` is the
    nearest folder at or above `root` with a `.git`, else `root`.
    """

    root: Path
    workspace: Path
    repository: Path

    @classmethod
    def of(cls, root: Path) -> Layout:
        """Find both folders by looking upwards; only a workspace that lists `root` as a member counts."""
        above = [root, *root.parents]
        repository = next((folder for folder in above if (folder / ".git").exists()), root)
        workspace = next((folder for folder in root.parents if _is_member(folder, root)), root)
        return cls(root, workspace, repository)

    def bases(self) -> list[Path]:
        """The project's folder and, if it is another one, the workspace's."""
        return list(dict.fromkeys([self.root, self.workspace]))

    def nearest(self, names: Iterable[str]) -> list[Path]:
        """The files of these names in the nearest folder, from the project up to the repository, that has any."""
        choices = list(names)
        for folder in self._upwards():
            found = [folder / name for name in choices if (folder / name).is_file()]
            if found:
                return found
        return []

    def _upwards(self) -> Iterator[Path]:
        for folder in [self.root, *self.root.parents]:
            yield folder
            if folder == self.repository:
                return


def member_folders(document: TomlDocument) -> list[Path]:
    """Folders of the members of the uv workspace that this `pyproject.toml` opens, sorted; empty if it opens none."""
    table = document.table("tool", "uv", "workspace")
    root = document.path.parent
    folders = [folder for pattern in _strings(table.get("members")) for folder in _glob(root, pattern)]
    kept = {folder for folder in folders if not _matches(folder, root, _strings(table.get("exclude")))}
    return sorted(folder for folder in kept if folder != root and (folder / "pyproject.toml").is_file())


def _is_member(folder: Path, root: Path) -> bool:
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    if "workspace" not in text:
        return False
    import tomllib

    try:
        table: Any = tomllib.loads(text)
        for key in ("tool", "uv", "workspace"):
            table = table.get(key, {})
        members, excluded = _strings(table.get("members")), _strings(table.get("exclude"))
    except (tomllib.TOMLDecodeError, RecursionError, AttributeError):
        return False  # a neighbour's broken file is not this project's to report
    return _matches(root, folder, members) and not _matches(root, folder, excluded)


def _matches(folder: Path, base: Path, patterns: list[str]) -> bool:
    """True if one of the patterns names the folder; `*` stays within one path segment, as uv reads it."""
    segments = folder.relative_to(base).parts
    for pattern in patterns:
        wanted = pattern.strip("/").removeprefix("./").split("/")
        if len(wanted) == len(segments) and all(map(fnmatch, segments, wanted)):
            return True
    return False


def _glob(root: Path, pattern: str) -> list[Path]:
    try:
        return [folder for folder in root.glob(pattern.strip("/")) if folder.is_dir()]
    except (ValueError, NotImplementedError):  # an empty or absolute pattern
        return []


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

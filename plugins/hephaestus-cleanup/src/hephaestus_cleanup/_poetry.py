"""Where Poetry keeps a project's environment, computed without starting Poetry."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tomllib

__all__ = ["poetry_environments"]


def poetry_environments(root: str) -> list[str]:
    """The environments that Poetry has made outside a project.

    Poetry names them `<project>-<hash of the project's folder>-py<version>` below its virtualenvs folder; an
    environment of another checkout has another hash and is never returned.

    Args:
        root: the project's folder, absolute and without links.

    Returns:
        Absolute paths, sorted; empty when the folder is no Poetry project or has none.
    """
    name = _project_name(root)
    if name is None:
        return []
    digest = base64.urlsafe_b64encode(hashlib.sha256(os.path.normcase(root).encode(errors="surrogateescape")).digest())
    stem = re.sub(r'[ $`!*@"\\\r\n\t]', "_", name.lower())[:42]
    wanted = re.compile(re.escape(f"{stem}-{digest.decode()[:8]}") + r"-py\d+(\.\d+)?")
    folder = _virtualenvs_folder()
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    found = (os.path.realpath(os.path.join(folder, each)) for each in names if wanted.fullmatch(each))
    return [each for each in found if os.path.lexists(os.path.join(each, "pyvenv.cfg"))]


def _project_name(root: str) -> str | None:
    try:
        with open(os.path.join(root, "pyproject.toml"), "rb") as file:
            document = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    for table in (document.get("project"), poetry):
        if isinstance(poetry, dict) and isinstance(table, dict) and isinstance(table.get("name"), str):
            return str(table["name"])
    return None


def _virtualenvs_folder() -> str:
    given = os.environ.get("POETRY_VIRTUALENVS_PATH")
    if given:
        return given
    cache = os.environ.get("POETRY_CACHE_DIR")
    if not cache:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        cache = os.path.join(base, "pypoetry")
    return os.path.join(cache, "virtualenvs")

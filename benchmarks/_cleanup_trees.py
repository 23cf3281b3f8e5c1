"""Workspaces to clean: one like those of developers, and one with more matches than anything else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["LEFTOVERS", "build_litter", "build_workspace", "leftovers"]

LEFTOVERS = ("__pycache__", "node_modules", "build", "dist")
"""The folders of a workspace that a cleanup removes."""


def build_workspace(root: Path, files: int, *, tracked: bool) -> None:
    """Sources, caches, builds and one large node_modules; four of five files are leftovers.

    Args:
        root: is made.
        files: how many, about.
        tracked: make it a git repository that tracks the sources and ignores the leftovers.
    """
    root.mkdir(parents=True)
    (root / "pyproject.toml").touch()
    (root / "package.json").write_text("{}\n")
    sources, caches, modules = files * 20 // 100, files * 18 // 100, files * 52 // 100
    for number in range(max(1, sources // 15)):
        _fill(root / f"src/area{number % 40}/package{number}", 15, ".py")
    packages = sorted((root / "src").glob("*/*"))
    for number in range(max(1, caches // 15)):
        part = f"part{number}" if number >= len(packages) else ""
        _fill(packages[number % len(packages)] / part / "__pycache__", 15, ".pyc")
    for number in range(max(1, modules // 40)):
        _fill(root / f"node_modules/module{number}", 10, ".js")
        _fill(root / f"node_modules/module{number}/lib/inner", 30, ".js")
    for name in ("build", "dist"):
        for number in range(max(1, files * 5 // 100 // 50)):
            _fill(root / name / f"out{number}", 50, ".o")
    (root / ".gitignore").write_text("".join(f"{name}/\n" for name in LEFTOVERS))
    if tracked:
        git = ["git", "-C", str(root), "-c", "core.autocrlf=false"]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "--all"], check=True, capture_output=True)


def build_litter(root: Path, matches: int) -> None:
    """Stray bytecode beside its sources: each file is a match of its own.

    Args:
        root: is made.
        matches: how many; there is one more entry for about every six.
    """
    root.mkdir(parents=True)
    for number in range(max(1, matches // 20)):
        folder = root / f"src/area{number % 100}/package{number}"
        _fill(folder, 20, ".pyc")
        _fill(folder, 2, ".py")


def leftovers(root: Path) -> bytes:
    """The same set of paths that ours plans, each ended by a NUL byte."""
    found = []
    for base, folders, files in os.walk(root):
        matched = [name for name in folders if name in LEFTOVERS]
        folders[:] = [name for name in folders if name not in matched and name != ".git"]
        found += [os.path.join(base, name) for name in (*matched, *(name for name in files if name.endswith(".pyc")))]
    return b"".join(os.fsencode(path) + b"\0" for path in found)


def _fill(folder: Path, count: int, suffix: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"file{number}{suffix}").write_bytes(b"x" * 100)

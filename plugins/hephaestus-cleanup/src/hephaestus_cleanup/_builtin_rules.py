"""The leftovers that cleanup knows by itself.

A name that only one tool writes stands alone; a name that people use for their own work (`build`, `dist`, `target`)
asks for evidence. Folders that hold what cannot be made again are left out on purpose: `.Trashes`, `.hypothesis` (found
examples), `.ipynb_checkpoints` (unsaved work), `.tox` and `.nox` (environments).
"""

from __future__ import annotations

from hephaestus_cleanup.rules import Rule

__all__ = ["BUILTIN_RULES"]

_PYTHON = ("pyproject.toml", "setup.py", "setup.cfg")
_NODE = ("package.json",)
_GRADLE = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")

_LITTER = (
    Rule(
        "os-litter",
        names=(
            ".DS_Store",
            ".LSOverride",
            ".apdisk",
            "._*",
            "Icon\r",
            "Thumbs.db",
            "Thumbs.db:encryptable",
            "ehthumbs.db",
            "ehthumbs_vista.db",
            "Desktop.ini",
            "desktop.ini",
        ),
        kind="file",
        category="litter",
    ),
    Rule(
        "os-litter-folders",
        names=(".AppleDouble", ".Spotlight-V100", ".fseventsd", ".TemporaryItems", "__MACOSX"),
        kind="folder",
        category="litter",
    ),
)

_PYTHON_CACHE = (
    Rule("python-bytecode", names=("*.pyc", "*.pyo"), kind="file", category="python_cache"),
    Rule(
        "python-cache",
        names=("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".pytype", ".import_linter_cache"),
        kind="folder",
        category="python_cache",
        tool_owned=True,
    ),
)

_BUILD = (
    Rule(
        "build-folder",
        names=("build",),
        kind="folder",
        category="build_artifacts",
        beside=(*_PYTHON, *_NODE, *_GRADLE, "CMakeLists.txt"),
        inside=("CACHEDIR.TAG", "CMakeCache.txt"),
    ),
    Rule(
        "dist-folder",
        names=("dist",),
        kind="folder",
        category="build_artifacts",
        beside=(*_PYTHON, *_NODE),
        inside=("CACHEDIR.TAG",),
    ),
    Rule(
        "target-folder",
        names=("target",),
        kind="folder",
        category="build_artifacts",
        beside=("Cargo.toml", "pom.xml", "build.sbt"),
        inside=("CACHEDIR.TAG",),
    ),
    Rule("egg-info", names=("*.egg-info",), kind="folder", category="build_artifacts", inside=("PKG-INFO",)),
    Rule("setuptools-eggs", names=(".eggs",), kind="folder", category="build_artifacts", beside=_PYTHON),
    Rule("coverage-data", names=(".coverage",), kind="file", category="build_artifacts"),
    Rule("coverage-report", names=("htmlcov",), kind="folder", category="build_artifacts", beside=_PYTHON),
    Rule(
        "web-build-cache",
        names=(".next", ".nuxt", ".turbo", ".parcel-cache", ".svelte-kit", ".angular"),
        kind="folder",
        category="build_artifacts",
        beside=_NODE,
    ),
    Rule("gradle-cache", names=(".gradle",), kind="folder", category="build_artifacts", beside=_GRADLE),
    Rule(
        "cmake-build",
        names=("cmake-build-debug", "cmake-build-release"),
        kind="folder",
        category="build_artifacts",
        beside=("CMakeLists.txt",),
    ),
)

_NODE_MODULES = (
    Rule(
        "node-modules",
        names=("node_modules",),
        kind="folder",
        category="node_modules",
        beside=(*_NODE, "package-lock.json", "yarn.lock", "pnpm-lock.yaml"),
        inside=(".package-lock.json", ".yarn-integrity", ".yarn-state.yml", ".modules.yaml"),
        tool_owned=True,
    ),
)

BUILTIN_RULES = (*_LITTER, *_PYTHON_CACHE, *_BUILD, *_NODE_MODULES)
"""All built-in rules, in the order in which they are tried."""

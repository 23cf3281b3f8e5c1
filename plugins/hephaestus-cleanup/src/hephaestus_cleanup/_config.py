"""`[tool.hephaestus.cleanup]`, as an attrs class."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen
from attrs.validators import and_, ge, gt, instance_of, le, optional

__all__ = ["CleanupConfig"]

_count = optional(and_(instance_of(int), ge(0)))


@frozen
class CleanupConfig:
    """What a workspace says of its own cleanup; each key is the attribute in kebab-case.

    Attributes:
        include_git, include_poetry_env, python_cache, build_artifacts, node_modules, deep_clean: the flags' defaults.
        extra_paths: more folders to sweep; a workspace's configuration may not name one outside the workspace.
        keep: patterns (as in .gitignore, without `!`) of what is never removed.
        max_depth: how many folders deep to look; None for no limit.
        exact: measure every file's size, instead of sampling large folders.
        workers: threads that remove.
        max_entries, max_bytes: a plan above either asks for a typed confirmation.
        max_share: likewise above this share (0–1) of the tree's entries.
        quarantine: move into a quarantine in the root instead of deleting.
        quarantine_days: a quarantined run older than this is removed by a later run.
        quarantine_max_bytes: the oldest quarantined runs above this sum are removed by a later run.
        manifest_days: how long manifests are kept; below the default only by the environment.
        manifest_max_bytes: when all manifests together are larger, the oldest go sooner; likewise.
    """

    include_git: bool = False
    include_poetry_env: bool = False
    python_cache: bool = False
    build_artifacts: bool = False
    node_modules: bool = False
    deep_clean: bool = False
    extra_paths: list[Path] = field(factory=list)
    keep: list[str] = field(factory=list)
    max_depth: int | None = field(default=None, validator=optional(and_(instance_of(int), ge(1))))
    exact: bool = False
    workers: int = field(default=2, validator=[ge(1), le(16)])
    max_entries: int | None = field(default=None, validator=_count)
    max_bytes: int | None = field(default=None, validator=_count)
    max_share: float | None = field(default=None, validator=optional(and_(gt(0), le(1))))
    quarantine: bool = False
    quarantine_days: float = field(default=14.0, validator=ge(0))
    quarantine_max_bytes: int | None = field(default=None, validator=_count)
    manifest_days: float = field(default=90.0, validator=ge(0))
    manifest_max_bytes: int = field(default=1 << 30, validator=[instance_of(int), ge(0)])

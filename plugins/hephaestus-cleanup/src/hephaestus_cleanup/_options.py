"""The effective options of one run: flags over configuration, `--deep-clean` spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, fields_dict, frozen

from hephaestus_cleanup._config import CleanupConfig

__all__ = ["CleanupOptions", "effective_options"]

_IMPLIED = ("include_poetry_env", "python_cache", "build_artifacts", "node_modules")


@frozen
class CleanupOptions:
    """What one run was asked to do.

    Attributes:
        config: flags, limits and protections in force.
        extra_paths: more folders to sweep, as typed (relative to the current folder) or as configured.
        configured_paths: those of them that the workspace's own configuration names.
        dry_run: preview only.
        yes: do not ask.
        audit_manifest: where the manifest goes; None for the state folder.
    """

    config: CleanupConfig
    extra_paths: tuple[str, ...] = ()
    configured_paths: frozenset[str] = frozenset()
    dry_run: bool = False
    yes: bool = False
    audit_manifest: str | None = None

    def categories(self) -> frozenset[str]:
        """The rule categories that are switched on."""
        flags = ("python_cache", "build_artifacts", "node_modules")
        return frozenset({"litter", *(flag for flag in flags if getattr(self.config, flag))})

    def flags(self) -> dict[str, bool]:
        """The five sweeping flags, as `cleanup.run.start` names them."""
        names = ("include_git", "include_poetry_env", "python_cache", "build_artifacts", "node_modules")
        return {name: getattr(self.config, name) for name in names}

    def record(self) -> dict[str, Any]:
        """All options as plain values, for the manifest."""
        values = asdict(self.config)
        values["extra_paths"] = list(self.extra_paths)
        return {**values, "dry_run": self.dry_run, "yes": self.yes}


def effective_options(
    config: CleanupConfig,
    flags: Mapping[str, Any],
    *,
    extra_paths: tuple[str, ...] = (),
    dry_run: bool = False,
    yes: bool = False,
    audit_manifest: str | None = None,
) -> CleanupOptions:
    """Lay explicit flags over the configuration.

    Args:
        config: the workspace's configuration.
        flags: options by attribute name of `CleanupConfig`; None means "not given".
        extra_paths: those of the command line; they come before the configured ones.
        dry_run: preview only.
        yes: do not ask.
        audit_manifest: path of the manifest, if given.
    """
    given = {name: value for name, value in flags.items() if value is not None and name in fields_dict(CleanupConfig)}
    merged = evolve(config, **given)
    if merged.deep_clean:
        # A flag that was switched off by hand stays off, whatever --deep-clean implies.
        implied: dict[str, Any] = {name: True for name in _IMPLIED if given.get(name) is not False}
        merged = evolve(merged, **implied)
    configured = tuple(str(Path(each)) for each in config.extra_paths)
    return CleanupOptions(
        config=merged,
        extra_paths=(*extra_paths, *configured),
        configured_paths=frozenset(configured) - frozenset(extra_paths),
        dry_run=dry_run,
        yes=yes,
        audit_manifest=audit_manifest,
    )

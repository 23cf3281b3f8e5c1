"""The hooks that cleanup offers to other plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hephaestus.plugins import hookspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hephaestus_cleanup.rules import Rule

__all__ = ["hephaestus_cleanup_protects", "hephaestus_cleanup_rules"]


@hookspec
def hephaestus_cleanup_rules() -> Iterable[Rule]:  # type: ignore[empty-body]
    """Contribute kinds of leftovers that a cleanup may remove.

    When: once for each run, before the scan.
    Returns: rules; see `hephaestus_cleanup.rules.Rule` for what they may say. All plugins' rules are taken together.
    A plugin that raises is reported in one line and its rules are left out.

    Example::

        from hephaestus.plugins import implements
        from hephaestus_cleanup import hookspecs
        from hephaestus_cleanup.rules import Rule

        @implements(hookspecs.hephaestus_cleanup_rules)
        def hephaestus_cleanup_rules():
            return [Rule("zig-cache", names=(".zig-cache",), kind="folder", category="build_artifacts")]
    """


@hookspec
def hephaestus_cleanup_protects(path: Path, root: Path) -> str | None:
    """Say why a path that a rule has matched must stay.

    When: for each matched path while a run is planned, in dry runs too; not for what lies beneath it.
    Arguments: `path`: the match, absolute; `root`: the search root that it lies under.
    Returns: a short reason, which becomes the reason of `cleanup.path.skipped`; None to let the path go. One reason
    from any plugin is enough. An implementation that raises keeps the path: a broken guard protects.

    Example::

        from hephaestus.plugins import implements
        from hephaestus_cleanup import hookspecs

        @implements(hookspecs.hephaestus_cleanup_protects)
        def hephaestus_cleanup_protects(path, root):
            return "release files" if path.parent.name == "release" else None
    """
    return None

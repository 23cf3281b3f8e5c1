"""The hook by which other distributions add gates."""

from __future__ import annotations

from hephaestus.plugins import hookspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from hephaestus_guard_rails.steps import Project, Step

__all__ = ["hephaestus_guard_rails_steps"]


@hookspec
def hephaestus_guard_rails_steps(project: Project) -> Iterable[Step | Mapping[str, Any]]:
    """Contribute steps to the plan of one guard-rails run.

    Called once for each `hephaestus guard-rails` run, after the project was found and before anything runs; with
    `--plan` and `--why` too, so an implementation changes nothing and starts nothing. All answers are collected; the
    first-party steps come first, then the project's own, then third parties' in order of their names.

    Args:
        project: the project under test: its root, its files, its declared dependencies, its environment.

    Returns:
        the steps, in the order wanted in the plan; each a `Step`, or a mapping with the arguments of one, so that a
        plugin can offer steps without importing this distribution. A name that is taken already is refused with both
        owners named.

    Raises:
        an exception leaves this plugin's steps out, is reported in one line, and makes the run fail: a gate that
        vanished must not look like a gate that passed.

    Example, which works with and without this distribution installed::

        @hookimpl(optionalhook=True)
        def hephaestus_guard_rails_steps(project):
            return [{"name": "licences", "check": ("reuse", "lint"), "inputs": ("*",)}]
    """
    raise NotImplementedError

"""Collecting the steps of a run: first-party ones, the project's own, then those of other plugins."""

from __future__ import annotations

from hephaestus.plugins import PluginHost
from hephaestus_guard_rails._builtin_steps import builtin_steps
from hephaestus_guard_rails._config import GuardRailsConfig
from hephaestus_guard_rails._plan import extra_steps
from hephaestus_guard_rails._project import Project
from hephaestus_guard_rails.errors import GuardRailsError
from hephaestus_guard_rails.hookspecs import hephaestus_guard_rails_steps
from hephaestus_guard_rails.steps import Step

__all__ = ["gather_steps"]

_CONFIGURATION = "the project's configuration"


def gather_steps(host: PluginHost, project: Project, config: GuardRailsConfig) -> list[tuple[str, Step]]:
    """(owner, step) of everybody.

    Raises:
        GuardRailsError: a plugin could not say what its steps are; its gates would be missing from the run unseen.
        StepDefinitionError: a step of the configuration is malformed.
    """
    hook = hephaestus_guard_rails_steps.__name__
    others = [(f"plugin {plugin.name}", step) for plugin, step in host.collect(hook, Step, project=project)]
    for plugin in host.plugins:
        for problem in plugin.problems:
            if hook in problem.reason:
                raise GuardRailsError(
                    f"the steps of plugin {plugin.name!r} are unknown: {problem.reason}", hint=problem.mend
                )
    # Called and not asked by hook: what is wrong with the project's files must not look like a broken plugin.
    own = [("hephaestus-guard-rails", step) for step in builtin_steps(project)]
    return [*own, *((_CONFIGURATION, step) for step in extra_steps(config.steps)), *others]

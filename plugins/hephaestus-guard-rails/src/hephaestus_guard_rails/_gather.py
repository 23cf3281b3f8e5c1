"""Collecting the steps of a run: first-party ones, the project's own, then those of other plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hephaestus.plugins import PluginHost
from hephaestus_guard_rails._builtin_steps import builtin_steps
from hephaestus_guard_rails._config import GuardRailsConfig
from hephaestus_guard_rails._plan import extra_steps
from hephaestus_guard_rails._project import Project
from hephaestus_guard_rails.errors import GuardRailsError, StepDefinitionError
from hephaestus_guard_rails.hookspecs import hephaestus_guard_rails_steps
from hephaestus_guard_rails.steps import Step

__all__ = ["gather_steps"]

_CONFIGURATION = "the project's configuration"


def gather_steps(host: PluginHost, project: Project, config: GuardRailsConfig) -> list[tuple[str, Step]]:
    """(owner, step) of everybody.

    Raises:
        GuardRailsError: a plugin could not say what its steps are; its gates would be missing from the run unseen.
        StepDefinitionError: a step of the configuration or of a plugin is malformed.
    """
    others = list(_plugins_steps(host, project))
    # Called and not asked by hook: what is wrong with the project's files must not look like a broken plugin.
    own = [("hephaestus-guard-rails", step) for step in builtin_steps(project)]
    return [*own, *((_CONFIGURATION, step) for step in extra_steps(config.steps)), *others]


def _plugins_steps(host: PluginHost, project: Project) -> Iterator[tuple[str, Step]]:
    hook = hephaestus_guard_rails_steps.__name__
    given = host.collect(hook, object, project=project)
    for plugin in host.plugins:
        for problem in plugin.problems:
            if hook in problem.reason:
                raise GuardRailsError(
                    f"the steps of plugin {plugin.name!r} are unknown: {problem.reason}", hint=problem.mend
                )
    for plugin, value in given:
        yield f"plugin {plugin.name}", _as_step(plugin.name, value)


def _as_step(plugin: str, value: object) -> Step:
    if isinstance(value, Step):
        return value
    if not isinstance(value, Mapping):
        raise GuardRailsError(
            f"plugin {plugin!r} gives {type(value).__name__} as a step", hint="a step is a Step or a mapping"
        )
    try:
        return Step(**value)
    except (TypeError, StepDefinitionError) as error:
        raise StepDefinitionError(
            f"a step of plugin {plugin!r} is malformed: {error}", hint="its keys are the arguments of Step"
        ) from error

"""The plan: which steps run, with what command, and why or why not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from hephaestus.errors import HephaestusError
from hephaestus_guard_rails._config import ExtraStep
from hephaestus_guard_rails._project import Project
from hephaestus_guard_rails._tools import Found, find_command, find_tool
from hephaestus_guard_rails.errors import StepDefinitionError, UnknownStepError
from hephaestus_guard_rails.steps import Decision, Step, applies, skips

__all__ = ["Plan", "PlannedStep", "Selection", "extra_steps", "make_plan"]


class PlannedStep(NamedTuple):
    """One line of the plan.

    Args:
        step: the gate.
        decision: whether it runs, and why.
        found: where its command is; without argv when it is missing. None for a step that does not run.
        fixes: its fix pass runs before the checks.
    """

    step: Step
    decision: Decision
    found: Found | None = None
    fixes: bool = False

    @property
    def is_missing(self) -> bool:
        """It is to run, and its tool is absent."""
        return self.found is not None and not self.found.argv

    def command(self, phase: str) -> tuple[str, ...]:
        """The complete argv of the "fix" or the "check" pass; as written when the tool is missing."""
        if self.step.call and phase == "check":
            return (sys.executable, "-m", "hephaestus_guard_rails._call", self.step.call)
        written = self.step.fix if phase == "fix" else self.step.check
        if self.found is None or not self.found.argv:
            return written
        # A fix command of a step without a tool may start another program than its check.
        if self.step.tool is None and written[0] not in self.step.check[:1]:
            return written
        return (*self.found.argv, *written[1:])


class Plan(NamedTuple):
    """All steps in order, the ones that do not run included."""

    entries: tuple[PlannedStep, ...]

    @property
    def selected(self) -> list[PlannedStep]:
        """The steps that run."""
        return [entry for entry in self.entries if entry.decision.enabled]

    def find(self, name: str) -> PlannedStep:
        """The step of that name.

        Raises:
            UnknownStepError: there is none.
        """
        for entry in self.entries:
            if entry.step.name.casefold() == name.casefold():
                return entry
        raise _unknown(name, [entry.step for entry in self.entries])


class Selection(NamedTuple):
    """What the caller and the configuration want: names, groups or tools to run, to skip, and opt-in steps."""

    only: Collection[str] = ()
    skip: Collection[str] = ()
    enable: Collection[str] = ()
    fix: bool = True


def _own_labels(step: Step) -> set[str]:
    tool = step.tool.distribution if step.tool is not None else ""
    return {label.casefold() for label in (step.name, tool) if label}


def _labels(step: Step) -> set[str]:
    return _own_labels(step) | ({step.group.casefold()} if step.group else set())


def _unknown(name: str, steps: Sequence[Step]) -> UnknownStepError:
    import difflib

    known = sorted({step.name for step in steps})
    close = difflib.get_close_matches(
        name, [*known, *sorted({label for step in steps for label in _labels(step)})], n=1
    )
    meant = f"did you mean {close[0]!r}? " if close else ""
    return UnknownStepError(f"no step is called {name!r}", hint=f"{meant}The steps are: {', '.join(known)}")


def _check_labels(names: Iterable[str], steps: Sequence[Step]) -> None:
    known = {label for step in steps for label in _labels(step)}
    for name in names:
        if name.casefold() not in known:
            raise _unknown(name, steps)


def _decide(step: Step, project: Project, selection: Selection) -> Decision:
    labels = _labels(step)
    if labels & {name.casefold() for name in selection.skip}:
        return skips("left out by --skip or the configuration")
    only = {name.casefold() for name in selection.only}
    if only & _own_labels(step):
        # Asked for by name, a step runs even where nothing in the project hints at it.
        return applies("asked for by --step")
    if only and not only & labels:
        return skips("not asked for by --step")
    if step.opt_in and not labels & {name.casefold() for name in selection.enable}:
        return skips(f"opt-in: ask by --step {step.name!r} or by enable in the configuration")
    return applies("always") if step.enabled_when is None else _ask(step, step.enabled_when, project)


def _ask(step: Step, enabled_when: Callable[[Project], Decision], project: Project) -> Decision:
    try:
        return enabled_when(project)
    except HephaestusError:
        raise
    except Exception as error:  # a step of somebody else's
        raise StepDefinitionError(f"step {step.name!r} cannot say whether it applies: {error!r}") from error


def _locate(step: Step, project: Project) -> Found:
    if step.call:
        return Found((sys.executable,), "in the environment that Hephaestus runs in")
    return find_tool(step.tool, project) if step.tool is not None else find_command(step, project)


def _ordered(steps: Sequence[Step]) -> list[Step]:
    """The steps with everyone behind what it needs, otherwise in the given order."""
    if not any(step.needs for step in steps):
        return list(steps)
    from graphlib import CycleError, TopologicalSorter

    by_name = {step.name: step for step in steps}
    try:
        TopologicalSorter({step.name: [need for need in step.needs if need in by_name] for step in steps}).prepare()
    except CycleError as error:
        raise StepDefinitionError(f"the needs of steps form a circle: {' -> '.join(error.args[1])}") from error
    ordered: list[Step] = []
    rest = list(steps)
    while rest:
        done = {step.name for step in ordered}
        ready = next(step for step in rest if all(need in done or need not in by_name for need in step.needs))
        ordered.append(ready)
        rest.remove(ready)
    return ordered


def _refuse_doubles(steps: Sequence[tuple[str, Step]]) -> None:
    owners: dict[str, str] = {}
    for owner, step in steps:
        key = step.name.casefold()
        if key in owners:
            raise StepDefinitionError(
                f"two steps are called {step.name!r}: one of {owners[key]}, one of {owner}", hint="rename one of them"
            )
        owners[key] = owner


def _refuse_unknown_needs(steps: Sequence[tuple[str, Step]]) -> None:
    names = {step.name for _, step in steps}
    for owner, step in steps:
        for need in step.needs:
            if need not in names:
                raise StepDefinitionError(f"step {step.name!r} of {owner} needs {need!r}, which nobody offers")


def extra_steps(extras: Iterable[ExtraStep]) -> list[Step]:
    """The project's own steps, from its configuration.

    Raises:
        StepDefinitionError: one is malformed.
    """
    return [
        Step(
            name=extra.name,
            check=extra.command,
            fix=extra.fix,
            needs=extra.needs,
            inputs=extra.inputs or None,
            environment_inputs=extra.environment_inputs,
            timeout=extra.timeout or None,
            weight=extra.weight,
            group=extra.group,
            mutates=extra.mutates,
            opt_in=extra.opt_in,
            skip_codes=extra.skip_codes,
        )
        for extra in extras
    ]


def make_plan(project: Project, steps: Sequence[tuple[str, Step]], selection: Selection) -> Plan:
    """Decide on every step.

    Args:
        project: the project under test.
        steps: (owner, step) in the wanted order; the owner is named in errors.
        selection: what was asked for.

    Raises:
        StepDefinitionError: a name is taken twice, a need is unknown, needs form a circle.
        UnknownStepError: the selection names nobody.
    """
    _refuse_doubles(steps)
    _refuse_unknown_needs(steps)
    ordered = _ordered([step for _, step in steps])
    _check_labels([*selection.only, *selection.skip, *selection.enable], ordered)
    return Plan(tuple(_planned(step, project, selection) for step in ordered))


def _planned(step: Step, project: Project, selection: Selection) -> PlannedStep:
    entry = PlannedStep(step, _decide(step, project, selection))
    if not entry.decision.enabled:
        return entry
    return entry._replace(found=_locate(step, project), fixes=bool(step.fix) and selection.fix)

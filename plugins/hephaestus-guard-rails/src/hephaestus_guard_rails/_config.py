"""`[tool.hephaestus.guard-rails]`: every key has a default, so a project needs none.

NamedTuples, because the import of attrs takes longer than ten small gates.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ExtraStep", "GuardRailsConfig"]


class ExtraStep(NamedTuple):
    """One `[[tool.hephaestus.guard-rails.steps]]`: a gate of the project's own, as a list of arguments.

    Attributes:
        name: label of the step.
        command: argv of the check.
        fix: argv of the pass that rewrites files; empty for none.
        needs: names of steps that have to pass first.
        inputs: patterns of the files that decide the result; empty: the result is never reused.
        environment_inputs: names of environment variables that decide the result.
        timeout: seconds; 0 for the run's default.
        weight: cores; 0 for all.
        group: kind of gate.
        mutates: the check itself writes files.
        opt_in: runs only when asked for.
        skip_codes: return codes that mean "nothing to do".
    """

    name: str = ""
    command: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    environment_inputs: tuple[str, ...] = ()
    timeout: float = 0.0
    weight: int = 1
    group: str = ""
    mutates: bool = False
    opt_in: bool = False
    skip_codes: tuple[int, ...] = ()


class GuardRailsConfig(NamedTuple):
    """The table `[tool.hephaestus.guard-rails]`.

    Attributes:
        jobs: cores to use; 0 for as many as the process may use.
        timeout: seconds for each step; 0 for no limit.
        fail_fast: stop everything at the first failure.
        cache: reuse passes of unchanged inputs.
        skip: steps, groups or tools that never run.
        enable: opt-in steps that run each time.
        heartbeat: seconds between two signs of life where no person watches.
        steps: gates of the project's own.
    """

    jobs: int = 0
    timeout: float = 0.0
    fail_fast: bool = False
    cache: bool = True
    skip: tuple[str, ...] = ()
    enable: tuple[str, ...] = ()
    heartbeat: float = 30.0
    steps: tuple[ExtraStep, ...] = ()

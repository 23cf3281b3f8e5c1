"""What can go wrong before or beside the gates themselves.

::

    GuardRailsError                          the run could not do its work (exit code 1)
    └── (UsageError) GuardRailsUsageError    exit code 2
        ├── StepDefinitionError              a step is malformed, a name is taken twice, needs form a circle
        ├── UnknownStepError                 --step, --skip or --why names a step that the plan does not have
        ├── ProjectFileError                 a file of the project cannot be read or parsed
        └── NothingToRunError                no step applies to the project

A failing gate is a result and not an exception.
"""

from __future__ import annotations

from hephaestus.errors import HephaestusError, UsageError

__all__ = [
    "GuardRailsError",
    "GuardRailsUsageError",
    "NothingToRunError",
    "ProjectFileError",
    "StepDefinitionError",
    "UnknownStepError",
]


class GuardRailsError(HephaestusError):
    """Base of all errors of this plugin."""


class GuardRailsUsageError(GuardRailsError, UsageError):
    """The caller or the project's configuration asks for something that cannot be (exit code 2)."""


class StepDefinitionError(GuardRailsUsageError, ValueError):
    """A step is malformed, its name is taken, or the `needs` of the steps form a circle."""


class UnknownStepError(GuardRailsUsageError):
    """No step of the plan has that name, group or tool."""


class ProjectFileError(GuardRailsUsageError):
    """A file of the project cannot be read or parsed."""


class NothingToRunError(GuardRailsUsageError):
    """No step applies, so a pass would say nothing."""

"""Every error that Hephaestus raises on purpose.

::

    HephaestusError                     the job failed or was refused (exit code 1)
    ├── EventError (ValueError)         a payload or a definition is wrong
    │   ├── DefinitionError             the definition of an event itself
    │   ├── DuplicateEventError         two different definitions under one name
    │   ├── MissingFieldsError          required fields absent from the payload
    │   ├── UnexpectedFieldError        a field that the event does not declare
    │   └── FieldTypeError              a value of another type than declared
    ├── UnknownEventError (KeyError)    no event of that name
    ├── PluginError                     a plugin cannot be loaded or used
    └── UsageError                      wrong option, value, file or id (exit code 2)
        └── ConfigError                 wrong key or value in a configuration file or variable

    Interrupted (BaseException)         SIGTERM or SIGHUP asked the process to end (exit code 128 + n)

Errors subclass the builtin that they refine, so callers may catch either.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "ConfigError",
    "DefinitionError",
    "DuplicateEventError",
    "EventError",
    "FieldTypeError",
    "HephaestusError",
    "Interrupted",
    "MissingFieldsError",
    "PluginError",
    "UnexpectedFieldError",
    "UnknownEventError",
    "UsageError",
]


class HephaestusError(Exception):
    """Base of all errors: one line that says what is wrong, and a hint that says how to mend it.

    Args:
        message: what is wrong, in one line.
        hint: what the reader can do about it; printed on a line of its own by the command line.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        # KeyError.__str__ shows the repr of its argument; ours is prose in every subclass.
        return self.message


class EventError(HephaestusError, ValueError):
    """A payload does not fit its event, or a definition is malformed."""


class DefinitionError(EventError):
    """The definition of an event is malformed: name, field name or field type."""


class DuplicateEventError(EventError):
    """A different definition is already registered under the same name."""


class MissingFieldsError(EventError):
    """Required fields are absent from the payload."""


class UnexpectedFieldError(EventError):
    """The payload has a field that the event does not declare."""


class FieldTypeError(EventError):
    """A field's value is of another type than the event declares."""


class UnknownEventError(HephaestusError, KeyError):
    """No event of that name is registered."""


class PluginError(HephaestusError):
    """A plugin cannot be loaded or used as it is."""


class UsageError(HephaestusError):
    """The caller gave a wrong option, value, file or id."""

    exit_code: ClassVar[int] = 2


class ConfigError(UsageError):
    """A configuration file or variable holds an unknown key or a value of the wrong type."""


class Interrupted(BaseException):
    """A signal asked the process to end; raised in the main thread so that `finally` blocks run.

    Args:
        signum: number of the signal, e.g. 15 for SIGTERM.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by signal {signum}")
        self.signum = signum

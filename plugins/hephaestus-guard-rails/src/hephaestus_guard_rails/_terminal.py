"""The first and the last event of a run: one start, then exactly one complete or failed, on every path."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from hephaestus.errors import HephaestusError, Interrupted
from hephaestus.telemetry import emit_event
from hephaestus_guard_rails import events

__all__ = ["DRIFT_LABEL", "PLAN_LABEL", "Told", "announced", "complete", "failed", "interruption"]

_LOGGER = logging.getLogger("hephaestus.guard-rails")
#: The label of failures that belong to no step: the project, the configuration, the plan.
PLAN_LABEL = "plan"
DRIFT_LABEL = "drift"


class Told(Exception):
    """The terminal event is out already; carries what is to be raised."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def announced(label: str, *, skip_format: bool) -> Iterator[None]:
    """Emit the start, and a failed event with this label for whatever ends the run by an exception."""
    emit_event(_LOGGER, events.CLI_GUARD_RAILS_START, skip_format=skip_format)
    try:
        yield
    except Told as told:
        raise told.error from None
    except HephaestusError as error:
        failed(label, error.exit_code)
        raise
    except KeyboardInterrupt:
        failed(label, -signal.SIGINT)
        raise
    except Interrupted as interrupted:
        failed(label, -interrupted.signum)
        raise
    except BaseException:
        failed(label, 1)
        raise


def failed(step: str, returncode: int) -> None:
    """Emit that the run failed: the step's label and its raw return code."""
    emit_event(
        _LOGGER,
        events.CLI_GUARD_RAILS_FAILED,
        level=logging.ERROR,
        message=f"guard-rails failed: {step}",
        step=step,
        returncode=returncode,
    )


def complete(*, skip_format: bool) -> None:
    """Emit that everything passed."""
    emit_event(_LOGGER, events.CLI_GUARD_RAILS_COMPLETE, skip_format=skip_format)


def interruption(signum: int) -> BaseException:
    """The exception that stands for a signal that was caught."""
    return KeyboardInterrupt() if signum == signal.SIGINT else Interrupted(signum)

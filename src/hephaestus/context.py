"""What correlates events: the run, the operation in progress, and how both reach threads and child processes.

A run is one invocation of the program; its id comes from the environment (`HEPHAESTUS_RUN_ID`, else the trace of
W3C `TRACEPARENT`) or is generated. An operation is a block of work inside it. Ids that this module generates are the
trace id and the span id of W3C Trace Context behind a prefix, so that other tools can follow them.
"""

from __future__ import annotations

import contextvars
import functools
import os
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from hephaestus._fields import RESERVED_FIELDS
from hephaestus.errors import EventError

if TYPE_CHECKING:
    from hephaestus._json_line import Ends, Written

__all__ = [
    "Context",
    "bind_context",
    "check_run_id",
    "child_environment",
    "current_context",
    "generate_operation_id",
    "generate_run_id",
    "operation_context",
    "run_from_environment",
    "set_run",
]

P = ParamSpec("P")
R = TypeVar("R")

# Version ff is invalid, and version 00 has nothing after its flags; later versions may have more.
_TRACEPARENT = re.compile(r"(?!ff|00-.{53})[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_SAFE_ID = re.compile(r"[\w.:@/+-]{1,128}", re.ASCII)


def generate_run_id() -> str:
    """Return a new run id: `run-` and 32 hex digits (a W3C trace id)."""
    return f"run-{os.urandom(16).hex()}"


def generate_operation_id() -> str:
    """Return a new operation id: `op-` and 16 hex digits (a W3C span id)."""
    return f"op-{os.urandom(8).hex()}"


class Context:
    """An immutable set of what events carry beside their own fields.

    Attributes:
        run_id: the run's id, or None where none was set.
        operation_id: the operation in progress, or the caller's operation given by the environment; None outside any.
        fields: what is merged under each payload: `operation`, `operation_id`, `parent_operation_id` and the fields
            given to the operations in progress.
        written, ends: what is written of the fields, and what lines have in common; kept by `hephaestus._json_line`.
    """

    __slots__ = ("ends", "fields", "operation_id", "run_id", "written")

    def __init__(
        self, run_id: str | None = None, operation_id: str | None = None, fields: Mapping[str, Any] | None = None
    ) -> None:
        self.run_id = run_id
        self.operation_id = operation_id
        self.fields: Mapping[str, Any] = fields or {}
        self.written: Written | None = None
        self.ends: dict[object, Ends] = {}


# A run is the process's, not a task's: a thread that was started without `bind_context` still belongs to it.
_process = Context()
current: ContextVar[Context | None] = ContextVar("hephaestus_context", default=None)


def current_context() -> Context:
    """Return the context of the calling task or thread."""
    return current.get() or _process


def set_run(run_id: str | None, *, parent_operation_id: str | None = None) -> None:
    """Set the process's run, for events outside any operation and for operations entered later.

    Args:
        run_id: 1 to 128 letters, digits or `. : @ / + _ -`; None takes the run away.
        parent_operation_id: the operation of the process that started this one.

    Raises:
        EventError: a malformed id.
    """
    global _process
    _process = Context(None if run_id is None else check_run_id(run_id), parent_operation_id)


def check_run_id(run_id: str) -> str:
    """Return `run_id` if it is one: 1 to 128 ASCII letters, digits or `. : @ / + _ -`.

    Raises:
        EventError: it is not.
    """
    if not isinstance(run_id, str) or not _SAFE_ID.fullmatch(run_id):
        raise EventError(f"{run_id!r} is no run id", hint="use 1 to 128 ASCII letters, digits or any of . : @ / + _ -")
    return run_id


def run_from_environment(environment: Mapping[str, str] | None = None) -> tuple[str | None, str | None]:
    """Read the run and the caller's operation that a parent process handed down.

    Args:
        environment: the variables to read; `os.environ` by default.

    Returns:
        The run id and the parent operation's id, each None where the environment has none. A malformed
        `TRACEPARENT` counts as absent, as W3C Trace Context demands.
    """
    environment = os.environ if environment is None else environment
    match = _TRACEPARENT.fullmatch(environment.get("TRACEPARENT", "").strip())
    trace, span = (match[1], match[2]) if match and match[1].strip("0") and match[2].strip("0") else (None, None)
    run_id = environment.get("HEPHAESTUS_RUN_ID") or (f"run-{trace}" if trace else None)
    return run_id, f"op-{span}" if span else None


class operation_context:  # noqa: N801
    """Correlate all events emitted inside a `with` block as one operation.

    Events get `operation`, `operation_id`, `parent_operation_id` when nested, and the given fields; an event's own
    field of the same name wins. Entering returns the new `Context`. Tasks of asyncio inherit it; for threads see
    `bind_context`, for child processes `child_environment`.

    Args:
        name: the operation, e.g. `release.download`.
        operation_id: a fresh one when omitted.
        fields: further fields for each event inside.

    Raises:
        EventError: an empty name or id, or a field with a reserved name.
    """

    __slots__ = ("_fields", "_name", "_operation_id", "_token")

    def __init__(self, name: str, /, *, operation_id: str | None = None, **fields: Any) -> None:
        if not isinstance(name, str) or not name:
            raise EventError(f"an operation's name must be a non-empty str, got {name!r}")
        if operation_id is not None and (not isinstance(operation_id, str) or not operation_id):
            raise EventError(f"an operation's id must be a non-empty str, got {operation_id!r}")
        if not RESERVED_FIELDS.isdisjoint(fields):
            raise EventError(f"an operation may not have the field '{min(RESERVED_FIELDS & fields.keys())}'")
        self._name = name
        self._operation_id = operation_id
        self._fields = fields
        self._token: Token[Context | None] | None = None

    def __enter__(self) -> Context:
        outer = current.get() or _process
        operation_id = self._operation_id or generate_operation_id()
        fields = {"operation": self._name, "operation_id": operation_id}
        if outer.operation_id is not None:
            fields["parent_operation_id"] = outer.operation_id
        if outer.fields:
            fields = {**outer.fields, **fields}
        fields.update(self._fields)
        context = Context(outer.run_id, operation_id, fields)
        self._token = current.set(context)
        return context

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            current.reset(self._token)
            self._token = None


def bind_context(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` so that it runs in the context of this call, for use as the target of a thread or pool.

    Each call runs in a copy of its own, so one bound function may serve many threads at once.
    """
    context = contextvars.copy_context()

    @functools.wraps(function)
    def bound(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.copy().run(function, *args, **kwargs)

    return bound


def child_environment() -> dict[str, str]:
    """Return the variables that hand this run and operation to a child process, to be merged into its environment.

    Returns:
        `HEPHAESTUS_RUN_ID` and a W3C `TRACEPARENT`; empty where no run is set. Ids of other shapes than the
        generated ones are hashed into the trace's and span's fixed lengths.
    """
    context = current_context()
    if context.run_id is None:
        return {}
    trace = _hex_of(context.run_id, "run-", 16)
    span = _hex_of(context.operation_id or context.run_id, "op-", 8)
    return {"HEPHAESTUS_RUN_ID": context.run_id, "TRACEPARENT": f"00-{trace}-{span}-01"}


def _hex_of(identifier: str, prefix: str, size: int) -> str:
    digits = identifier.removeprefix(prefix)
    if len(digits) == 2 * size and re.fullmatch(r"[0-9a-f]+", digits) and digits.strip("0"):
        return digits
    import hashlib

    return hashlib.blake2b(identifier.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()

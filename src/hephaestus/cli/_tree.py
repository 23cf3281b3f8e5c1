"""The lines of a JSON log as a tree: runs, the operations in them, and what each emitted, in the order of the log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from hephaestus._formatters import escaped, pair
from hephaestus.cli._style import styled

__all__ = ["Line", "Node", "draw", "grow", "read_line"]

_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_CORRELATION = frozenset({"operation", "operation_id", "parent_operation_id"})


class Line(NamedTuple):
    """What the tree shows of one line of the log.

    Attributes:
        time: when, UTC.
        level: the level's name.
        what: the event's name; for a plain record, its logger and message.
        payload: the fields, context included; and the last line of a traceback.
        run_id: the run's; empty where the line has none.
    """

    time: datetime
    level: str
    what: str
    payload: dict[str, Any]
    run_id: str

    def __str__(self) -> str:
        pairs = [pair(name, value) for name, value in self.payload.items() if name not in _CORRELATION]
        return "  ".join([f"{self.time:%H:%M:%S.%f}"[:-3], f"{escaped(self.level):7}", escaped(self.what), *pairs])


def read_line(line: bytes) -> Line | None:
    """Return a line of the log; None where it is none (cut off, or another program's)."""
    try:
        values = json.loads(line)
        time = datetime.fromisoformat(values["timestamp"])
        utc = time.astimezone(UTC)
        level, logger, message = values["level"], values["logger"], values["message"]
        event, payload, run_id = values.get("event"), values.get("payload", {}), values.get("run_id", "")
        trace = values.get("exc_info", "")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    texts = (level, logger, message, run_id, trace, "" if event is None else event)
    if time.tzinfo is None or not isinstance(payload, dict) or not all(isinstance(text, str) for text in texts):
        return None
    if trace.strip():
        payload = {**payload, "exc_info": trace.splitlines()[-1]}
    return Line(utc, level, event or f"{logger}: {message}", payload, run_id)


class Node:
    """A run, or an operation in one.

    Attributes:
        identifier: the run's or the operation's id.
        name: the operation's name; empty where it emitted nothing itself, and for a run.
        parent: what it is in; None for a run.
        items: its lines and the operations in it, each with the number of the line where it begins.
        span: when the first and the last line in it were written.
    """

    __slots__ = ("identifier", "items", "name", "parent", "span")

    def __init__(self, identifier: str, parent: Node | None, time: datetime) -> None:
        self.identifier = identifier
        self.name = ""
        self.parent = parent
        self.items: list[tuple[int, Line | Node]] = []
        self.span = (time, time)

    def stretch(self, span: tuple[datetime, datetime]) -> None:
        """Have the span comprise another."""
        self.span = (min(self.span[0], span[0]), max(self.span[1], span[1]))

    def __str__(self) -> str:
        first, last = self.span
        milliseconds = (last - first) // timedelta(milliseconds=1)
        duration = f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
        if self.parent is None:
            return f"{escaped(self.identifier) or 'without a run'}  {first:%Y-%m-%d %H:%M:%S}  {duration}"
        label = f"{escaped(self.name)} ({escaped(self.identifier)})" if self.name else escaped(self.identifier)
        return f"{label}  {duration}"


def grow(lines: Iterable[Line]) -> list[Node]:
    """Return the runs that lines of a log belong to, in the order in which they begin there."""
    runs: dict[str, Node] = {}
    operations: dict[tuple[str, str], tuple[int, Node]] = {}

    def operation(run: Node, identifier: object) -> Node:
        key = (run.identifier, str(identifier))
        if key not in operations:
            operations[key] = (number, Node(key[1], run, line.time))
        return operations[key][1]

    for number, line in enumerate(lines):
        node = run = runs.get(line.run_id) or runs.setdefault(line.run_id, Node(line.run_id, None, line.time))
        identifier, parent = line.payload.get("operation_id"), line.payload.get("parent_operation_id")
        if identifier is not None:
            node = operation(run, identifier)
            node.name = node.name or str(line.payload.get("operation") or "")
            if parent is not None and node.parent is run:
                outer = operation(run, parent)
                # A log can say anything, even that two operations are each within the other.
                if node not in _upwards(outer):
                    node.parent = outer
        node.items.append((number, line))
        node.stretch((line.time, line.time))
    for begin, node in operations.values():
        for outer in _upwards(node.parent):
            outer.stretch(node.span)
        if node.parent is not None:
            node.parent.items.append((begin, node))
    for node in (*runs.values(), *(node for _, node in operations.values())):
        node.items.sort(key=lambda item: item[0])
    return list(runs.values())


def _upwards(node: Node | None) -> Iterator[Node]:
    while node is not None:
        yield node
        node = node.parent


def draw(root: Node, *, plain: bool = False) -> Iterator[str]:
    """Yield the lines of a picture of a tree.

    Args:
        root: the run.
        plain: True draws with ASCII alone.
    """
    tee, corner, bar = ("|- ", "`- ", "|  ") if plain else ("├─ ", "└─ ", "│  ")
    yield str(root)
    stack = [("", iter(root.items), len(root.items))]
    while stack:
        indent, items, left = stack.pop()
        for _, item in items:
            left -= 1
            text = str(item)
            if isinstance(item, Line) and item.level in _COLOURS:
                text = styled(text, _COLOURS[item.level])
            yield f"{indent}{tee if left else corner}{text}"
            if isinstance(item, Node):
                stack.append((indent, items, left))
                stack.append((f"{indent}{bar if left else '   '}", iter(item.items), len(item.items)))
                break

"""Reading a manifest back: the finished document, or the journal that a dead run left, its last line torn or not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

from hephaestus_cleanup._journal import FORMAT
from hephaestus_cleanup.errors import ManifestError

__all__ = ["document_of", "read_record"]

_LARGEST = 1 << 31


def read_record(path: str) -> dict[str, Any]:
    """Read a manifest as one document, in whichever form it is.

    Returns:
        `format`, `version`, `run`, `when`, `root`, `options`, … from the header; `state` ("complete", "interrupted" or
        "running or killed"); the lists `removed`, `kept` (untouched or partly removed), `not_removed`, `in_doubt`,
        `skipped`, `errors`.

    Raises:
        ManifestError: no such file, or no manifest.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST)
    except OSError as error:
        raise ManifestError(f"cannot read the manifest {path}: {error.strerror}") from error
    first = data.split(b"\n", 1)[0]
    try:
        document = json.loads(data) if first.strip() == b"{" else document_of(_lines(data))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ManifestError(f"{path} is no cleanup manifest: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ManifestError(f"{path} is no cleanup manifest")
    return document


def document_of(lines: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Put a journal's lines together to one document.

    Args:
        lines: the decoded lines, in order.
    """
    header: dict[str, Any] = {}
    end: dict[str, Any] = {}
    items: dict[int, dict[str, Any]] = {}
    skipped: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for line in lines:
        if "format" in line:
            header = line
        elif "plan" in line:
            items[line["plan"]] = {"path": os.path.join(line["root"], line["relative"]), **line, "state": "not_removed"}
        elif "begin" in line:
            items[line["begin"]]["state"] = "in_doubt"
        elif "removed" in line:
            items[line["removed"]].update({**line, "state": "removed"})
        elif "kept" in line:
            items[line["kept"]].update({"state": "kept", "partly": line["partly"], "problems": line["problems"]})
            errors += line["problems"]
        elif "skipped" in line:
            skipped.append({"path": line["skipped"], "reason": line["reason"]})
        elif "failed" in line:
            errors.append({"path": line["failed"], "reason": line["reason"]})
        elif "end" in line:
            end = {key: value for key, value in line.items() if key != "end"}
    state = {"state": "running or killed", **end}
    return {**header, **state, **_by_state(items), "skipped": skipped, "errors": errors}


def _by_state(items: dict[int, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {"removed": [], "kept": [], "not_removed": [], "in_doubt": []}
    for index, item in sorted(items.items()):
        shown = {key: value for key, value in item.items() if key not in ("plan", "state", "removed")}
        groups[item["state"]].append({"index": index, **shown})
    return groups


def _lines(data: bytes) -> Iterator[dict[str, Any]]:
    # What follows the last newline was being written when the run died, and counts as not written.
    complete = data.rpartition(b"\n")[0]
    for number, line in enumerate(complete.split(b"\n") if complete else [], start=1):
        decoded = json.loads(line)
        if not isinstance(decoded, dict):
            raise ValueError(f"line {number} is no object")
        yield decoded

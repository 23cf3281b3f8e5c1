"""What comparisons say: a table each, a table of all targets, and one JSON file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks._measure import Comparison, Target

__all__ = ["Result", "table", "targets", "write"]

FOLDER = Path(__file__).parent / "results"

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


class Result(NamedTuple):
    """A comparison, and the benchmark that made it."""

    benchmark: str
    comparison: Comparison


def table(comparison: Comparison) -> str:
    """The comparison for people: minima, medians, a ratio of minima to each base, targets and notes."""
    rows = [["", "minimum", "median", *(f"× {base}" for base in comparison.bases)]]
    scale, unit = _unit(comparison)
    for name in comparison.samples:
        times = (comparison.minimum(name), comparison.median(name))
        ratios = [f"{comparison.ratio(name, base):.2f}" for base in comparison.bases]
        rows.append([name, *(f"{seconds / scale:.1f} {unit}" for seconds in times), *ratios])
    rounds = max((len(each) for each in comparison.samples.values()), default=0)
    lines = [f"{comparison.title} ({rounds} rounds)", *_aligned(rows)]
    lines += [_promise(comparison, target) for target in comparison.targets]
    return "\n".join([*lines, *comparison.notes]) + "\n"


def targets(results: Iterable[Result]) -> str:
    """All targets of a run for people, one line each; empty where there are none."""
    rows = [
        [result.benchmark, result.comparison.title, _promise(result.comparison, target)]
        for result in results
        for target in result.comparison.targets
    ]
    return "\n".join(["targets", *_aligned(rows)]) + "\n" if rows else ""


def write(results: Sequence[Result], file: Path | None = None) -> Path:
    """Write all samples, minima, medians, ratios and targets as JSON; seconds throughout.

    Args:
        results: what was measured.
        file: where to; a new file in the folder `results` by default.

    Returns:
        The file.
    """
    now = datetime.now(UTC)
    if file is None:
        FOLDER.mkdir(exist_ok=True)
        file = FOLDER / f"{now:%Y%m%dT%H%M%SZ}.json"
    report = {
        "time": now.isoformat(timespec="seconds"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "comparisons": [_as_json(result) for result in results],
    }
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def _as_json(result: Result) -> dict[str, Any]:
    comparison = result.comparison
    return {
        "benchmark": result.benchmark,
        "title": comparison.title,
        "contenders": [
            {
                "name": name,
                "minimum": comparison.minimum(name),
                "median": comparison.median(name),
                "ratios": {base: comparison.ratio(name, base) for base in comparison.bases},
                "samples": list(samples),
            }
            for name, samples in comparison.samples.items()
        ],
        "targets": [
            {
                **target._asdict(),
                "ratio": comparison.ratio(target.contender, target.base),
                "met": _is_met(comparison, target),
            }
            for target in comparison.targets
        ],
        "notes": list(comparison.notes),
    }


def _is_met(comparison: Comparison, target: Target) -> bool:
    return comparison.ratio(target.contender, target.base) <= target.at_most


def _promise(comparison: Comparison, target: Target) -> str:
    ratio = comparison.ratio(target.contender, target.base)
    verdict = "met" if _is_met(comparison, target) else "MISSED"
    return f"{verdict}: {target.contender} is {ratio:.2f} × {target.base}; at most {target.at_most:g} wanted"


def _unit(comparison: Comparison) -> tuple[float, str]:
    smallest = min((comparison.minimum(name) for name in comparison.samples), default=1.0)
    return next((unit for unit in _UNITS if smallest >= unit[0]), _UNITS[-1])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns below each other: the first is flush left, and so is the last of a table of texts alone."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numeric = rows[0][0] == ""
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if numeric and column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines

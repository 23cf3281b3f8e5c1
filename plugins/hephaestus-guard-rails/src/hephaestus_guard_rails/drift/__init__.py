"""Tool drift: compares what a project asks for, wherever it says so, with what its environment holds.

`check` reads every source of tool versions in a project and the installed distributions, runs nothing, and
returns a `DriftReport`.
"""

from __future__ import annotations

from hephaestus_guard_rails.drift._check import check
from hephaestus_guard_rails.drift._report import DriftReport, Finding, Kind, Problem, Source

__all__ = ["DriftReport", "Finding", "Kind", "Problem", "Source", "check"]

"""How pins weigh against each other and against what is installed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from hephaestus_guard_rails.drift import DriftReport, Kind, Source
from hephaestus_guard_rails.drift._judge import Verdict, judge
from hephaestus_guard_rails.drift._pin import Origin, Pin

SPECIFIERS = ["==1", "==1.0", "==2", "==3", ">=1", ">=2", "<2", "<3,>=1", "==1.*", "!=2", "~=1.0", ""]
VERSIONS = ["0.9", "1", "1.5", "2", "3"]


@st.composite
def pins(draw: st.DrawFn) -> list[Pin]:
    chosen = draw(st.lists(st.tuples(st.sampled_from(Origin), st.sampled_from(SPECIFIERS)), min_size=1, max_size=6))
    return [make_pin(origin, specifier, line) for line, (origin, specifier) in enumerate(chosen, 1)]


def make_pin(origin: Origin, specifier: str, line: int) -> Pin:
    sets = (SpecifierSet(specifier),) if specifier else ()
    return Pin("ruff", origin, Source("any", line, "any"), sets)


@given(pins(), st.sampled_from(VERSIONS), st.randoms())
def test_the_order_of_sources_changes_no_tool_from_drifted_to_sound(
    asked: list[Pin], installed: str, random: Random
) -> None:
    shuffled = list(asked)
    random.shuffle(shuffled)

    first, second = (judge("ruff", each, (installed,), known=True) for each in (asked, shuffled))

    assert drifted(first) == drifted(second)


@given(pins(), st.sampled_from(VERSIONS))
def test_a_tool_is_sound_only_if_its_version_meets_all_that_counts(asked: list[Pin], installed: str) -> None:
    verdict = judge("ruff", asked, (installed,), known=True)
    declared = any(pin.origin.declares for pin in asked)
    counting = [pin for pin in asked if declared or not pin.origin.follows]

    meets_all = all(pin.accepts(Version(installed)) for pin in counting)

    assert (verdict is None) is (not counting)
    if meets_all:
        assert not drifted(verdict)
    else:
        assert drifted(verdict)


@given(pins())
def test_two_exact_versions_that_count_always_diverge(asked: list[Pin]) -> None:
    exact = {version for pin in asked for version in pin.exact if not pin.origin.follows}
    verdict = judge("ruff", asked, (), known=True)

    if len(exact) > 1:
        assert verdict is not None
        assert Kind.DIVERGENCE in {finding.kind for finding in verdict.findings}


@given(pins())
def test_missing_is_a_declared_tool_that_is_not_installed_and_nothing_else(asked: list[Pin]) -> None:
    verdict = judge("ruff", asked, (), known=True)
    kinds = [finding.kind for finding in verdict.findings] if verdict is not None else []

    assert kinds.count(Kind.MISSING) == (1 if any(pin.origin.declares for pin in asked) else 0)
    assert Kind.VIOLATION not in kinds


def drifted(verdict: Verdict | None) -> bool:
    return verdict is not None and any(finding.kind is not Kind.UNPINNED for finding in verdict.findings)


def test_a_divergence_names_both_places(check_drift: Callable[..., DriftReport]) -> None:
    report = check_drift({"requirements.txt": "ruff==0.6.9\n", ".tool-versions": "ruff 0.6.8\n"}, {"ruff": "0.6.9"})

    (finding,) = report.findings
    assert str(finding.source) == ".tool-versions:1"
    assert str(finding.against) == "requirements.txt:1"
    assert finding.hint == "requirements.txt:1 asks for ==0.6.9; write the same version in both"


def test_installed_as_the_weaker_source_says_is_both_violation_and_divergence(
    check_drift: Callable[..., DriftReport],
) -> None:
    report = check_drift({"requirements.txt": "ruff==0.6.9\n", ".tool-versions": "ruff 0.6.8\n"}, {"ruff": "0.6.8"})

    assert [finding.kind for finding in report.findings] == [Kind.VIOLATION, Kind.DIVERGENCE]
    assert report.drifted_tools == ["ruff"]


def test_notes_are_no_drift_and_leave_the_tool_compared(check_drift: Callable[..., DriftReport]) -> None:
    report = check_drift({"requirements.txt": "ruff\n"}, {"ruff": "0.6.9"})

    assert [finding.kind for finding in report.findings] == [Kind.UNPINNED]
    assert (report.drifted_tools, report.compared, report.comparable) == ([], ("ruff",), True)


def test_a_tool_whose_only_version_cannot_be_read_is_not_compared(check_drift: Callable[..., DriftReport]) -> None:
    report = check_drift({"requirements.txt": "ruff @ https://x.invalid/ruff.whl\n"}, {"ruff": "0.6.9"})

    assert (report.drifted_tools, report.uncompared, report.comparable) == ([], ("ruff",), False)


def test_a_project_without_tools_is_comparable(check_drift: Callable[..., DriftReport]) -> None:
    report = check_drift({"README.md": "nothing\n"}, {"ruff": "0.6.9"})

    assert report == DriftReport(mend=[])
    assert report.comparable


def test_other_tools_are_looked_for_by_name(check_drift: Callable[..., DriftReport]) -> None:
    files = {"requirements.txt": "Our_Linter==1\n"}

    report = check_drift(files, {"our_linter": "2"}, tools=["our.linter"])

    assert report.drifted_tools == ["our-linter"]

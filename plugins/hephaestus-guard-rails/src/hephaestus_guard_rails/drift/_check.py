"""One drift check from start to end: gather what is asked for, look at what is installed, judge, propose a mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hephaestus.errors import UsageError
from hephaestus_guard_rails.drift._ci import ci_files, read_ci
from hephaestus_guard_rails.drift._judge import judge
from hephaestus_guard_rails.drift._layout import Layout, member_folders
from hephaestus_guard_rails.drift._locks import read_lock
from hephaestus_guard_rails.drift._mend import mend
from hephaestus_guard_rails.drift._pre_commit import read_pre_commit, read_prek
from hephaestus_guard_rails.drift._pyproject import read_hatch_file, read_pyproject, read_ruff_file
from hephaestus_guard_rails.drift._report import DriftReport, Finding, Kind
from hephaestus_guard_rails.drift._requirements import read_requirements, requirements_files
from hephaestus_guard_rails.drift._sets import absent_tools
from hephaestus_guard_rails.drift._survey import Survey
from hephaestus_guard_rails.drift._target import Target
from hephaestus_guard_rails.drift._tool_versions import MISE_FILES, read_mise, read_tool_versions
from hephaestus_guard_rails.drift._tools import KNOWN_TOOLS, normal_name

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from hephaestus_guard_rails.drift._judge import Verdict
    from hephaestus_guard_rails.drift._pin import Pin

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")
_KIND_ORDER = list(Kind)


def check(project_root: Path, *, environment: Path | None, tools: Collection[str] | None = None) -> DriftReport:
    """Compare the tool versions a project asks for with each other and with those in its environment.

    Only reads files: no process is started, no connection made, nothing written.

    Args:
        project_root: folder of the project; sources in its uv workspace and at the top of its repository count too.
        environment: folder of the virtual environment that the tools run from; None if there is none.
        tools: distribution names to look for besides the quality tools known by name.

    Returns:
        The report. A file that can't be read becomes one of its `problems`, and all others are judged without it.

    Raises:
        UsageError: `project_root` is no folder.
    """
    if not project_root.is_dir():
        raise UsageError(
            f"not a folder: {project_root}", hint="give the folder that holds the project's pyproject.toml"
        )
    root = project_root.resolve()
    target = Target.read(environment)
    survey = Survey(root, KNOWN_TOOLS | {normal_name(tool) for tool in tools or ()}, target)
    layout = Layout.of(root)
    _gather(survey, layout)
    pins = _by_tool(survey)
    installed = target.installed(pins)
    known = bool(target.folders)
    _note_installation(survey, environment, installed, asked=bool(pins))
    absent = absent_tools(pins, installed, survey.default_sets) if known else set()
    verdicts = [
        judge(tool, asked, installed.get(tool, ()), known=known, absent=tool in absent)
        for tool, asked in sorted(pins.items())
    ]
    judged = [verdict for verdict in verdicts if verdict is not None]
    return _report(survey, judged, layout, environment)._replace(absent=tuple(sorted(absent)))


def _gather(survey: Survey, layout: Layout) -> None:
    _gather_projects(survey, layout)
    for base in layout.bases():
        for path in [*(base / name for name in _LOCKS), base / "pylock.toml", *sorted(base.glob("pylock.*.toml"))]:
            read_lock(survey, path)
    read_requirements(survey, layout.root, requirements_files(layout.root))
    for path in layout.nearest([".pre-commit-config.yaml", ".pre-commit-config.yml"]):
        read_pre_commit(survey, path)
    for path in layout.nearest(["prek.toml"]):
        read_prek(survey, path)
    for path in layout.nearest([".tool-versions"]):
        read_tool_versions(survey, path)
    for path in layout.nearest(MISE_FILES):
        read_mise(survey, path)
    for path in dict.fromkeys(path for base in layout.bases() for path in ci_files(base)):
        read_ci(survey, path)


def _gather_projects(survey: Survey, layout: Layout) -> None:
    document = read_pyproject(survey, layout.root / "pyproject.toml")
    if layout.workspace != layout.root:
        read_pyproject(survey, layout.workspace / "pyproject.toml")
    for folder in member_folders(document) if document is not None else ():
        read_pyproject(survey, folder / "pyproject.toml")
    read_hatch_file(survey, layout.root / "hatch.toml")
    for name in ("ruff.toml", ".ruff.toml"):
        read_ruff_file(survey, layout.root / name)


def _by_tool(survey: Survey) -> dict[str, list[Pin]]:
    """Pins by tool, without the project's own packages: pytest's repository does not drift from pytest."""
    own = {normal_name(name) for name in survey.own_names}
    grouped: dict[str, list[Pin]] = {}
    for pin in survey.pins:
        if pin.tool not in own:
            grouped.setdefault(pin.tool, []).append(pin)
    return grouped


def _note_installation(
    survey: Survey, environment: Path | None, installed: dict[str, tuple[str, ...]], *, asked: bool
) -> None:
    if environment is not None and asked and not survey.target.folders:
        survey.complain(environment, 1, "no site-packages here; make the environment anew")
    for tool, versions in installed.items():
        if len(versions) > 1:
            message = f"{tool} is installed twice, as {' and '.join(versions)}; uninstall both, then install it"
            survey.complain(survey.target.folders[0], 1, message)


def _report(survey: Survey, verdicts: list[Verdict], layout: Layout, environment: Path | None) -> DriftReport:
    findings = sorted((finding for verdict in verdicts for finding in verdict.findings), key=_order)
    return DriftReport(
        findings=tuple(findings),
        problems=tuple(survey.problems),
        compared=tuple(verdict.tool for verdict in verdicts if verdict.compared),
        uncompared=tuple(verdict.tool for verdict in verdicts if not verdict.compared),
        mend=mend(layout, environment, survey.target, verdicts),
    )


def _order(finding: Finding) -> tuple[str, int, str, int]:
    return finding.tool, _KIND_ORDER.index(finding.kind), finding.source.file, finding.source.line

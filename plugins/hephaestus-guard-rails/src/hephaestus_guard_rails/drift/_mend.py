"""The commands that bring an environment back to what its project asks for, in the words of the project's manager."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hephaestus_guard_rails.drift._pin import Origin
from hephaestus_guard_rails.drift._report import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hephaestus_guard_rails.drift._judge import Verdict
    from hephaestus_guard_rails.drift._layout import Layout
    from hephaestus_guard_rails.drift._target import Target

_LOCK_COMMANDS = {
    "uv.lock": ["uv", "lock"],
    "poetry.lock": ["poetry", "lock", "--no-interaction"],
    "pdm.lock": ["pdm", "lock", "--update-reuse"],
}


def mend(layout: Layout, environment: Path | None, target: Target, verdicts: Iterable[Verdict]) -> list[list[str]]:
    """Argument lists that mend violations, missing tools and stale locks, to be run in order from the project root.

    A tool that the project's lock holds is installed by the lock's manager, if `environment` is the one which that
    manager fills; everything else goes into `environment` by pip. Divergences between other sources are for a person.
    """
    chosen = list(verdicts)
    lock = next((name for name in _LOCK_COMMANDS if any((base / name).is_file() for base in layout.bases())), None)
    managed = lock is not None and _is_project_environment(layout, environment)
    commands: list[list[str]] = []
    astray = [verdict for verdict in chosen if _is_astray(verdict) or verdict.stale_locks]
    synced = [verdict for verdict in astray if managed and _is_project_dependency(verdict)]
    stale = {Path(pin.source.file).name for verdict in chosen for pin in verdict.stale_locks}
    if lock is not None and not all(map(_is_locked, synced)):
        stale.add(lock)
    commands += [command for name, command in _LOCK_COMMANDS.items() if name in stale]
    if synced and lock is not None:
        commands.append(_sync(lock, synced))
    rest = [verdict for verdict in astray if verdict not in synced and _is_astray(verdict)]
    if rest:
        commands += _install(environment, target, [_requirement(verdict) for verdict in rest])
    return commands


def _is_astray(verdict: Verdict) -> bool:
    return any(finding.kind in (Kind.VIOLATION, Kind.MISSING) for finding in verdict.findings)


def _is_project_dependency(verdict: Verdict) -> bool:
    return any(pin.origin is Origin.PROJECT for pin in verdict.declared)


def _is_locked(verdict: Verdict) -> bool:
    return any(pin.origin is Origin.LOCK for pin in (*verdict.agreed, *verdict.stale_locks))


def _is_project_environment(layout: Layout, environment: Path | None) -> bool:
    if environment is None:
        return True
    return environment.resolve() in [(base / ".venv").resolve() for base in layout.bases()]


def _sync(lock: str, verdicts: list[Verdict]) -> list[str]:
    """Install from the lock, with the groups and extras that bring the tools, and remove nothing."""
    # One way in is enough for each tool; a second group may conflict with the first.
    chosen = [next(pin for pin in verdict.declared if pin.origin is Origin.PROJECT) for verdict in verdicts]
    sets = sorted({pin.member_of for pin in chosen if pin.member_of is not None})
    groups = [name for kind, name in sets if kind == "group"]
    extras = [name for kind, name in sets if kind == "extra"]
    if lock == "uv.lock":
        elsewhere = any(pin.source.file != "pyproject.toml" for pin in chosen)
        command = ["uv", "sync", "--frozen", "--inexact", *(["--all-packages"] if elsewhere else [])]
        return command + _options("--group", groups) + _options("--extra", extras)
    if lock == "poetry.lock":
        return ["poetry", "install", "--no-interaction", *_options("--with", groups), *_options("--extras", extras)]
    return ["pdm", "sync", *_options("--group", sorted({*groups, *extras}))]


def _options(option: str, values: list[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


def _requirement(verdict: Verdict) -> str:
    """A requirement that meets every pin that agrees; of alternatives, the last, which is the newest in practice."""
    exact = next((pin for pin in verdict.agreed if pin.exact), None)
    if exact is not None:
        return f"{verdict.tool}=={max(exact.exact)}"
    parts = {str(part) for pin in verdict.agreed for part in pin.specifiers[-1]}
    return f"{verdict.tool}{','.join(sorted(parts))}"


def _install(environment: Path | None, target: Target, requirements: list[str]) -> list[list[str]]:
    scripts, suffix = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
    if environment is None:
        python = str(Path(".venv", scripts, f"python{suffix}"))
        return [[sys.executable, "-m", "venv", ".venv"], [python, "-m", "pip", "install", *requirements]]
    python = str(environment.absolute() / scripts / f"python{suffix}")
    if any((folder / "pip").is_dir() for folder in target.folders):
        return [[python, "-m", "pip", "install", *requirements]]
    # Environments that uv makes hold no pip.
    return [["uv", "pip", "install", "--python", python, *requirements]]

"""Reading pip-audit's JSON: findings, an error of the tool, or an audit that audited nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from hephaestus_guard_rails._environment import canonical_name
from hephaestus_guard_rails.steps import Status, Verdict

__all__ = ["judge_audit"]

_NAMED = 5


def judge_audit(own: Collection[str]) -> Callable[[int, bytes, bytes], Verdict]:
    """A judge for pip-audit's outcome; `own` are canonical names that nobody can audit: the project's own."""

    def judge(returncode: int, stdout: bytes, stderr: bytes) -> Verdict:
        # pip-audit answers 1 both for findings and for a failed network, so only its report tells them apart.
        dependencies = _dependencies(stdout)
        if dependencies is None:
            return Verdict(Status.ERROR, f"no audit took place: {_last_line(stderr) or f'return code {returncode}'}")
        return _verdict(dependencies, own, returncode)

    return judge


def _dependencies(stdout: bytes) -> list[dict[str, Any]] | None:
    try:
        report = json.loads(stdout)
        dependencies = report["dependencies"] if isinstance(report, dict) else report
    except (ValueError, KeyError):
        return None
    if not isinstance(dependencies, list) or not all(isinstance(each, dict) for each in dependencies):
        return None
    return dependencies


def _verdict(dependencies: list[dict[str, Any]], own: Collection[str], returncode: int) -> Verdict:
    audited = [each for each in dependencies if "vulns" in each and "skip_reason" not in each]
    vulnerable = [each for each in audited if each["vulns"]]
    foreign = [name for each in dependencies if "skip_reason" in each and (name := _name(each)) not in own]
    if vulnerable:
        named = ", ".join(f"{_name(each)} {each.get('version', '')}".strip() for each in vulnerable)
        reason = f"{len(vulnerable)} of {len(audited)} distributions vulnerable: {named}"
        return Verdict(Status.FAILED, reason, "\n".join(line for each in vulnerable for line in _findings(each)))
    if not audited:
        reason = "nothing was audited: the report names no distribution that was looked up"
        return Verdict(Status.ERROR, reason, "\n".join(_skipped(dependencies)))
    if returncode != 0:
        return Verdict(Status.ERROR, f"return code {returncode} without a finding")
    unseen = f"; not audited: {', '.join(sorted(foreign))}" if foreign else ""
    return Verdict(Status.PASSED, f"{len(audited)} audited{unseen}")


def _findings(dependency: dict[str, Any]) -> Iterator[str]:
    """One line for each vulnerability: what, its names, what mends it."""
    vulnerabilities = dependency["vulns"]
    for vulnerability in vulnerabilities if isinstance(vulnerabilities, list) else [vulnerabilities]:
        found = vulnerability if isinstance(vulnerability, dict) else {}
        names = ", ".join([str(found.get("id", "?")), *_texts(found.get("aliases"))])
        fixes = ", ".join(_texts(found.get("fix_versions")))
        yield f"{_name(dependency)} {dependency.get('version', '')}: {names}; fixed in {fixes or 'no version yet'}"


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _skipped(dependencies: list[dict[str, Any]]) -> list[str]:
    reasons = [str(each["skip_reason"]) for each in dependencies if "skip_reason" in each]
    more = [f"and {len(reasons) - _NAMED} more"] if len(reasons) > _NAMED else []
    return [*reasons[:_NAMED], *more]


def _name(dependency: dict[str, Any]) -> str:
    return canonical_name(str(dependency.get("name", "?")))


def _last_line(stderr: bytes) -> str:
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""

"""Reports as files: JUnit XML and JSON; the JSON's schema is `report.schema.json` beside this module."""

from __future__ import annotations

import json
import os
import re
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from hephaestus_guard_rails._plan import Plan
from hephaestus_guard_rails._result import Result, RunReport
from hephaestus_guard_rails.errors import GuardRailsUsageError
from hephaestus_guard_rails.steps import Status

__all__ = ["check_writable", "json_report", "json_text", "junit_report", "plan_report", "schema", "write_report"]

_SCHEMA_VERSION = 1
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `json_report`."""
    loaded: dict[str, Any] = json.loads(files("hephaestus_guard_rails").joinpath("report.schema.json").read_text())
    return loaded


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _step(result: Result) -> dict[str, Any]:
    return {
        "step": result.step,
        "phase": result.phase,
        "status": str(result.status),
        "returncode": result.returncode,
        "duration_ms": _milliseconds(result.seconds),
        "cached": result.cached,
        "reason": result.reason,
        "command": list(result.command),
        "tool_origin": result.origin,
        "changed_files": list(result.changed),
        "output": "" if result.status is Status.PASSED else result.text,
    }


def json_report(report: RunReport) -> dict[str, Any]:
    """The run as JSON types; durations in milliseconds, times in UTC."""
    failure = report.failure
    return {
        "schema_version": _SCHEMA_VERSION,
        "project": str(report.root),
        "run_id": report.run_id,
        "started_at": report.started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "duration_ms": _milliseconds(report.seconds),
        "status": report.status,
        "exit_code": report.exit_code,
        "skip_format": report.skip_format,
        "failed_step": failure.step if failure is not None else None,
        "steps": [_step(result) for result in report.results],
        "omitted": [{"step": name, "reason": reason} for name, reason in report.omitted],
        "notes": list(report.notes),
    }


def plan_report(plan: Plan) -> dict[str, Any]:
    """The plan as JSON types."""
    entries = []
    for entry in plan.entries:
        runs = entry.decision.enabled
        entries.append(
            {
                "step": entry.step.name,
                "runs": runs,
                "reason": entry.decision.reason,
                "fix": list(entry.command("fix")) if runs and entry.fixes else None,
                "check": list(entry.command("check")) if runs else None,
                "tool_origin": entry.found.origin if entry.found is not None else "",
                "tool_missing": entry.is_missing,
            }
        )
    return {"schema_version": _SCHEMA_VERSION, "plan": entries}


def json_text(value: object) -> str:
    """A JSON document in ASCII, so that no file name can break the encoding, ending with a newline."""
    return json.dumps(value, indent=2) + "\n"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def junit_report(report: RunReport) -> bytes:
    """The run as JUnit XML: a test case for each pass; findings are failures, broken or missing tools errors."""
    from xml.etree import ElementTree as ET

    failures = [result for result in report.results if result.status is Status.FAILED]
    errors = [result for result in report.results if _is_error(result)]
    skipped = [result for result in report.results if result.status is Status.SKIPPED]
    counts = {
        "tests": str(len(report.results)),
        "failures": str(len(failures)),
        "errors": str(len(errors)),
        "skipped": str(len(skipped)),
        "time": f"{report.seconds:.3f}",
    }
    suites = ET.Element("testsuites", {"name": "guard-rails", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": "guard-rails", **counts})
    suite.set("timestamp", report.started.strftime("%Y-%m-%dT%H:%M:%S"))
    for result in report.results:
        suite.append(_case(result))
    return bytes(ET.tostring(suites, encoding="utf-8", xml_declaration=True))


def _is_error(result: Result) -> bool:
    return result.status is Status.CANCELLED or (result.status.is_failure and result.status is not Status.FAILED)


def _case(result: Result) -> Any:
    from xml.etree import ElementTree as ET

    name = {"classname": "guard-rails", "name": _xml(result.label), "time": f"{result.seconds:.3f}"}
    case = ET.Element("testcase", name)
    message = _xml(result.reason or f"return code {result.returncode}")
    if result.status is Status.SKIPPED:
        ET.SubElement(case, "skipped", {"message": message})
    elif result.status is Status.FAILED or _is_error(result):
        kind = "failure" if result.status is Status.FAILED else "error"
        ET.SubElement(case, kind, {"message": message, "type": str(result.status)}).text = _xml(result.text)
    elif result.output:
        ET.SubElement(case, "system-out").text = _xml(result.text)
    return case


def check_writable(path: Path) -> None:
    """Refuse a report path that cannot be written, before minutes are spent on the run.

    Raises:
        GuardRailsUsageError: its folder does not exist or is not writable, or it is a folder itself.
    """
    folder = path.parent
    if path.is_dir():
        raise GuardRailsUsageError(f"{path} is a folder", hint="give the path of a file")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise GuardRailsUsageError(f"cannot write {path}: {folder} is no writable folder", hint="make the folder first")


def write_report(path: Path, content: bytes) -> None:
    """Replace a report in one step, so that no reader sees half of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        # mkstemp's files are for the owner only; a report is for whoever the umask allows.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

"""What a gate is: the description that plugins hand over and that the plan is made of.

A step only describes; nothing here starts a process or reads a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from hephaestus_guard_rails._project import Project
from hephaestus_guard_rails._value import Value
from hephaestus_guard_rails.errors import StepDefinitionError

__all__ = ["Decision", "Project", "Status", "Step", "Tool", "Verdict", "applies", "skips"]

DEFAULT_GRACE_SECONDS = 5.0


class Status(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"  # the tool worked and found something
    ERROR = "error"  # the tool itself did not work
    TIMEOUT = "timeout"
    MISSING = "missing"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"  # stopped by --fail-fast or by a signal

    @property
    def is_failure(self) -> bool:
        """Whether a step of this status makes the run fail."""
        return self in _FAILURES


_FAILURES = frozenset({Status.FAILED, Status.ERROR, Status.TIMEOUT, Status.MISSING})


class Verdict(NamedTuple):
    """What a finished command means.

    Args:
        status: passed, failed (findings), error (the tool did not work) or skipped (nothing to look at).
        reason: one line for people; empty when the status says it all.
        details: what people read instead of the command's output, where that is for machines.
    """

    status: Status
    reason: str = ""
    details: str = ""


class Decision(NamedTuple):
    """Whether a step applies to a project, and the evidence for it."""

    enabled: bool
    reason: str


def applies(reason: str) -> Decision:
    """The step is to run; `reason` is the evidence, e.g. "[tool.ruff] in pyproject.toml"."""
    return Decision(True, reason)


def skips(reason: str) -> Decision:
    """The step is not to run; `reason` says what is absent, e.g. "no config"."""
    return Decision(False, reason)


class Tool(Value):
    """The program behind a step.

    Args:
        distribution: name of the distribution that provides it, e.g. "pip-audit"; what an install command needs.
        executable: name of the script; the distribution's name when left out.
        module: what `python -m` runs when there is no script; the executable with `-` as `_` when left out.
        system: the tool is no Python program, so PATH is the ordinary place to find it.
    """

    distribution: str
    executable: str
    module: str
    system: bool

    def __init__(self, distribution: str, executable: str = "", module: str = "", system: bool = False) -> None:
        executable = executable or distribution
        module = module or executable.replace("-", "_")
        super().__init__(distribution=distribution, executable=executable, module=module, system=system)


def _argv(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise StepDefinitionError(
            f"a command is a list of arguments, not the string {value!r}",
            hint='write ["ruff", "check", "."] and not "ruff check ."; no shell is involved',
        )
    items: tuple[object, ...] = tuple(value) if isinstance(value, Iterable) else (value,)
    if not all(isinstance(item, str) and "\0" not in item for item in items):
        raise StepDefinitionError(f"a command holds strings without NUL only: {items!r}")
    return tuple(str(item) for item in items)


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise StepDefinitionError(f"expected a list of strings, not {value!r}")
    return tuple(str(item) for item in value)


def _patterns(value: object) -> tuple[str, ...] | None:
    return None if value is None else _names(value)


# What plugins and configurations give as lists, or as something else by mistake.
_CONVERTERS: dict[str, Callable[[object], object]] = {
    "name": str,
    "check": _argv,
    "fix": _argv,
    "needs": _names,
    "inputs": _patterns,
    "environment_inputs": _names,
}


class Step(Value):
    """One gate.

    Exactly one of `check` and `call` says what runs. Commands run in the project's root with the project's
    environment first on PATH, standard input closed, and in a session of their own.

    Args:
        name: label in output, events and options, e.g. "ruff check".
        check: argv of the check. With `tool`, the first item stands for the tool and is replaced by where it is.
        fix: argv of a pass that rewrites files before the checks; runs alone. Left out by `--no-format`.
        call: "module:function" run in a child process as `function(root: Path) -> int | None`, instead of `check`.
            One that raises has the return code 70.
        tool: the program; None for a command that names its own.
        needs: names of steps that have to pass first.
        mutates: the check itself writes files of the project, or looks at what other checks leave there: it runs
            before them, and nothing beside it.
        inputs: patterns (`fnmatch` on the path below the root, `*` crosses folders) of the files that decide the
            result. None: the result is never reused.
        environment_inputs: names of environment variables that decide the result.
        environment: variables set for the step.
        timeout: seconds; None for the run's default.
        grace: seconds between TERM and KILL.
        weight: cores that it keeps busy; 0 for all of them.
        network: asks the network, so its result is never reused.
        skip_codes: return codes that mean "nothing to do".
        findings_codes: return codes that mean findings; any other non-zero one is an error of the tool. Empty: every
            non-zero code means findings.
        group: kind of gate, e.g. "lint", "format", "types", "tests"; `--step` takes it too.
        opt_in: runs only when named by `--step` or by `enable` in the configuration.
        enabled_when: asked once with the project; None means always.
        judge: given return code, stdout and stderr (then captured apart); overrides the codes above.
    """

    name: str
    check: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()
    call: str = ""
    tool: Tool | None = None
    needs: tuple[str, ...] = ()
    mutates: bool = False
    inputs: tuple[str, ...] | None = None
    environment_inputs: tuple[str, ...] = ()
    environment: Mapping[str, str] = MappingProxyType({})
    timeout: float | None = None
    grace: float = DEFAULT_GRACE_SECONDS
    weight: int = 1
    network: bool = False
    skip_codes: tuple[int, ...] = ()
    findings_codes: tuple[int, ...] = ()
    group: str = ""
    opt_in: bool = False
    enabled_when: Callable[[Project], Decision] | None = None
    judge: Callable[[int, bytes, bytes], Verdict] | None = None

    def __post_init__(self) -> None:
        values = vars(self)
        for name, convert in _CONVERTERS.items():
            values[name] = convert(values[name])
        if not self.name.strip() or not self.name.isprintable():
            raise StepDefinitionError(f"a step's name is printable text on one line, not {self.name!r}")
        if bool(self.check) == bool(self.call):
            raise StepDefinitionError(
                f"step {self.name!r} needs a command or a call, and not both",
                hint='give check=("tool", "argument") or call="module:function"',
            )
        names = self.call.replace(":", ".", 1).split(".")
        if self.call and (self.call.count(":") != 1 or not all(name.isidentifier() for name in names)):
            raise StepDefinitionError(f"step {self.name!r}: call is written 'module:function', not {self.call!r}")
        self._check_numbers()

    def _check_numbers(self) -> None:
        if self.timeout is not None and not self.timeout > 0:
            raise StepDefinitionError(f"step {self.name!r}: timeout is a number of seconds above 0")
        if not self.grace >= 0 or self.weight < 0:
            raise StepDefinitionError(f"step {self.name!r}: grace and weight are not negative")

    def verdict(self, returncode: int, stdout: bytes, stderr: bytes) -> Verdict:
        """What the finished check means, by `judge` or by the return codes."""
        if self.judge is not None and returncode >= 0:
            return self.judge(returncode, stdout, stderr)
        if returncode == 0:
            return Verdict(Status.PASSED)
        if returncode < 0:
            return Verdict(Status.ERROR, f"ended by signal {-returncode}")
        if returncode in self.skip_codes:
            return Verdict(Status.SKIPPED, f"nothing to do (return code {returncode})")
        if self.findings_codes and returncode not in self.findings_codes:
            return Verdict(Status.ERROR, f"the tool itself failed with return code {returncode}")
        return Verdict(Status.FAILED)

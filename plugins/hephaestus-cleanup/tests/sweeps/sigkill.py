"""Kill a run with SIGKILL at every point of its execution and show that the manifest accounts for every path.

One child is forked for each point. `syscalls` stops it by ptrace(2) at the entry and at the return of every system call
that any of its threads makes between plan and end; `calls` needs no such right, and kills before every call of Python's
that changes something::

    python plugins/hephaestus-cleanup/tests/sweeps/sigkill.py FOLDER syscalls --workers 2 --quarantine

Prints how many points there were, how many runs were killed, and how many had a path in doubt. Exits 1 at the first run
whose manifest is wrong, 77 where ptrace is not allowed.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Callable
from typing import Any

from hephaestus_cleanup import _crew
from hephaestus_cleanup._beneath import pick_opener
from hephaestus_cleanup._builtin_rules import BUILTIN_RULES
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._engine import Engine
from hephaestus_cleanup._options import effective_options
from hephaestus_cleanup._record import read_record
from hephaestus_cleanup._roots import search_roots
from hephaestus_cleanup.errors import ManifestError

UNAVAILABLE = 77
FOLDERS = ("a", "b", "c")
_CHANGING = ("open", "write", "fsync", "unlink", "rmdir", "replace", "mkdir")

_TRACEME, _CONTINUE, _TO_SYSCALL, _SET_OPTIONS = 0, 7, 24, 0x4200
# System calls are told from other traps, threads are followed, and nothing outlives the tracer.
_OPTIONS = 0x01 | 0x08 | 0x100000
_WAIT_FOR_THREADS = 0x40000000
_AT_SYSCALL = signal.SIGTRAP | 0x80


class Unavailable(Exception):
    """The kernel or a sandbox doesn't let us trace our own child."""


def build(root: str) -> None:
    """A workspace of six leftovers: three folders with a folder in them, three files."""
    shutil.rmtree(root, ignore_errors=True)
    for name in FOLDERS:
        os.makedirs(f"{root}/{name}/__pycache__/sub")
        for file in ("__pycache__/x.pyc", "__pycache__/sub/y.pyc", "z.pyc"):
            with open(f"{root}/{name}/{file}", "w"):
                pass


def engine(root: str, manifest: str, options: argparse.Namespace, before: Callable[[Any], None]) -> Engine:
    """The run that is to be killed."""
    flags = {"python_cache": True, "workers": options.workers, "quarantine": options.quarantine}
    effective = effective_options(CleanupConfig(), flags, yes=True, audit_manifest=manifest)
    roots = search_roots(root, effective)
    return Engine(roots, effective, BUILTIN_RULES, consent=Consent(True), run_id="run", before_execution=before)


# ---- two ways to kill ----------------------------------------------------------------------------------------------


def killed_at_call(step: int, run: Callable[[Callable[[Any], None]], None]) -> bool:
    """Kill before the step-th changing call; False when the run ended before."""
    pid = os.fork()
    if pid == 0:
        _ending(lambda: run(lambda plan: _watch_calls(step)))
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def _watch_calls(step: int) -> None:
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(owner: Any, name: str, *, after: bool = False) -> None:
        original = getattr(owner, name)

        def call(*args: Any, **keywords: Any) -> Any:
            count()
            result = original(*args, **keywords)
            if after:
                count()
            return result

        setattr(owner, name, call)

    for name in _CHANGING:
        watch(os, name)
    watch(_crew, "move_without_overwriting", after=True)


def killed_at_syscall(step: int, run: Callable[[Callable[[Any], None]], None]) -> bool:
    """Kill at the step-th stop at a system call, entries and returns counted; False when the run ended before."""
    pid = os.fork()
    if pid == 0:
        _ending(lambda: _traced(run))
    _, status = os.waitpid(pid, _WAIT_FOR_THREADS)
    if not os.WIFSTOPPED(status):
        raise Unavailable
    _ptrace(_SET_OPTIONS, pid, _OPTIONS)
    stopped, request, seen, deliver = pid, _CONTINUE, 0, 0
    while True:
        _ptrace(request, stopped, deliver)
        stopped, status = os.waitpid(-1, _WAIT_FOR_THREADS)
        if stopped == pid and not os.WIFSTOPPED(status):
            return os.WIFSIGNALED(status)
        deliver = 0
        while not os.WIFSTOPPED(status):  # a thread has ended; the others run on
            stopped, status = os.waitpid(-1, _WAIT_FOR_THREADS)
            if stopped == pid and not os.WIFSTOPPED(status):
                return os.WIFSIGNALED(status)
        reason = os.WSTOPSIG(status)
        if reason == signal.SIGUSR1:  # the plan is made
            request = _TO_SYSCALL
        elif reason == _AT_SYSCALL:
            seen += 1
            if seen == step:
                os.kill(pid, signal.SIGKILL)
                return _reap(pid)
        elif reason not in (signal.SIGTRAP, signal.SIGSTOP):
            deliver = reason


def _reap(pid: int) -> bool:
    while True:
        gone, status = os.waitpid(-1, _WAIT_FOR_THREADS)
        if gone == pid and not os.WIFSTOPPED(status):
            return os.WIFSIGNALED(status)


def _traced(run: Callable[[Callable[[Any], None]], None]) -> None:
    _ptrace(_TRACEME, 0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    run(lambda plan: os.kill(os.getpid(), signal.SIGUSR1))


def _ptrace(request: int, pid: int, data: int) -> None:
    call = ctypes.CDLL(None, use_errno=True).ptrace
    call.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    call.restype = ctypes.c_long
    if call(request, pid, None, data) == -1:
        raise Unavailable(os.strerror(ctypes.get_errno()))


def _ending(work: Callable[[], None]) -> None:
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


# ---- what must hold afterwards -------------------------------------------------------------------------------------


def check(root: str, manifest: str, workers: int) -> int:
    """Compare what the manifest says with what is there; returns the number of paths in doubt."""
    planned = [f"{root}/{name}/{tail}" for name in FOLDERS for tail in ("__pycache__", "z.pyc")]
    whole = {path for path in planned if os.path.exists(path) and _is_whole(path)}
    gone = {path for path in planned if not os.path.lexists(path)}
    try:
        record = read_record(manifest)
    except ManifestError:
        assert len(whole) == len(planned), "removed without a manifest"
        return 0
    told = {key: {each["path"] for each in record[key]} for key in ("removed", "not_removed", "in_doubt", "kept")}
    if sum(map(len, told.values())) < len(planned):
        assert len(whole) == len(planned), "removed before the plan was written"
        return 0
    assert set().union(*told.values()) == set(planned), told
    assert told["removed"] <= gone, (told, gone)
    assert told["not_removed"] <= whole, (told, whole)
    assert not told["kept"], told
    assert len(told["in_doubt"]) <= workers, told
    return len(told["in_doubt"])


def _is_whole(path: str) -> bool:
    return path.endswith(".pyc") or all(os.path.exists(f"{path}/{each}") for each in ("x.pyc", "sub/y.pyc"))


def main() -> int:
    """Sweep; prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("method", choices=("syscalls", "calls"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--quarantine", action="store_true")
    parser.add_argument("--stride", type=int, default=1, help="take every so-manieth point only")
    parser.add_argument("--start", type=int, default=1, help="the first point")
    options = parser.parse_args()
    kill = killed_at_syscall if options.method == "syscalls" else killed_at_call
    base = os.path.realpath(options.folder)
    root = os.path.join(base, "swept")
    pick_opener()
    step, killed, doubted, ended = options.start, 0, 0, False
    while not ended:
        build(root)
        manifest = os.path.join(base, f"audit-{step}.json")

        def run(before: Callable[[Any], None], manifest: str = manifest) -> None:
            engine(root, manifest, options, before).run()

        try:
            ended = not kill(step, run)
        except Unavailable as error:
            sys.stdout.write(f"ptrace is not allowed here: {error}\n")
            return UNAVAILABLE
        doubted += check(root, manifest, options.workers) > 0
        killed += not ended
        step += options.stride
    left = [path for path in os.listdir(root) if os.listdir(f"{root}/{path}") and not path.startswith(".")]
    assert not left, f"the run that was not killed left {left}"
    sys.stdout.write(f"{step - options.stride} points, {killed} killed, {doubted} with a path in doubt\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

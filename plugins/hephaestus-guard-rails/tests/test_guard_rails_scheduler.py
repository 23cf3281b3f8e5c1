"""The scheduler: who runs beside whom, in what order, and what is left when it is over."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hephaestus_guard_rails._capture import Capture
from hephaestus_guard_rails._scheduler import Ending, Exit, Job, Scheduler
from hephaestus_guard_rails.testing import survivors


class Recorder:
    """Keeps what the scheduler tells."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.exits: dict[str, Exit] = {}
        self.reasons: dict[str, str] = {}
        self.running: list[set[str]] = []
        self.on_tick: Callable[[], None] = lambda: None

    def started(self, job: Job) -> None:
        self.log.append(f"+{job.key}")

    def finished(self, job: Job, end: Exit) -> bool:
        self.log.append(f"-{job.key}")
        self.exits[job.key] = end
        return end.ending is Ending.EXITED and end.returncode == 0

    def left_out(self, job: Job, reason: str) -> None:
        self.reasons[job.key] = reason

    def tick(self, running: Sequence[Job]) -> float:
        self.running.append({job.key for job in running})
        self.on_tick()
        return 0.02

    @property
    def starts(self) -> list[str]:
        return [each[1:] for each in self.log if each.startswith("+")]


def shell(key: str, script: str, tmp_path: Path, **rest: object) -> Job:
    """A job that runs a shell script."""
    return Job(key, ("/bin/sh", "-c", script), tmp_path, dict(os.environ), **rest)  # type: ignore[arg-type]


def test_readers_run_side_by_side(tmp_path: Path) -> None:
    """Each waits for the other's file, so one after the other they would never end."""
    meet = "touch {0}; while [ ! -e {1} ]; do sleep 0.01; done"
    jobs = [
        shell("a", meet.format("a", "b"), tmp_path, timeout=30),
        shell("b", meet.format("b", "a"), tmp_path, timeout=30),
    ]
    seen = Recorder()
    Scheduler(2, seen).run(jobs)
    assert {key: end.returncode for key, end in seen.exits.items()} == {"a": 0, "b": 0}


def test_a_writer_runs_alone_and_before_waiting_readers(tmp_path: Path) -> None:
    jobs = [shell(key, "true", tmp_path) for key in "ab"]
    jobs += [shell("w", "true", tmp_path, writer=True), shell("v", "true", tmp_path, writer=True)]
    seen = Recorder()
    Scheduler(4, seen).run(jobs)
    assert seen.log[:4] == ["+w", "-w", "+v", "-v"]
    assert all(running <= {"a", "b"} or len(running) == 1 for running in seen.running)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=8),
    st.integers(1, 4),
)
def test_weights_and_the_write_lock_hold_for_any_mixture(shapes: list[tuple[bool, int]], slots: int) -> None:
    jobs = [
        shell(str(index), "true", Path("/"), writer=writer, weight=weight)
        for index, (writer, weight) in enumerate(shapes)
    ]
    seen = Recorder()
    Scheduler(slots, seen).run(jobs)
    by_key = {job.key: job for job in jobs}
    for running in seen.running:
        weights = [min(by_key[key].weight or slots, slots) for key in running]
        assert sum(weights) <= slots
        assert len(running) == 1 or not any(by_key[key].writer for key in running)
    assert sorted(seen.exits) == sorted(by_key)


def test_the_longest_by_history_starts_first_and_unknown_ones_before_all(tmp_path: Path) -> None:
    jobs = [
        shell("short", "true", tmp_path, expected=0.1),
        shell("long", "true", tmp_path, expected=9.0),
        shell("new", "true", tmp_path),
    ]
    seen = Recorder()
    Scheduler(1, seen).run(jobs)
    assert seen.starts == ["new", "long", "short"]


def test_who_wants_to_fail_fast_gets_the_shortest_first(tmp_path: Path) -> None:
    jobs = [shell("new", "true", tmp_path), shell("long", "true", tmp_path, expected=9.0)]
    jobs.append(shell("short", "exit 1", tmp_path, expected=0.1))
    seen = Recorder()
    Scheduler(1, seen, fail_fast=True).run(jobs)
    assert seen.starts == ["short"]


def test_what_needs_a_failed_job_is_left_out_and_so_is_what_needs_that(tmp_path: Path) -> None:
    jobs = [
        shell("c", "true", tmp_path, needs=("b",)),
        shell("b", "true", tmp_path, needs=("a",)),
        shell("a", "exit 3", tmp_path),
        shell("free", "true", tmp_path, needs=("nobody",)),
    ]
    seen = Recorder()
    Scheduler(2, seen).run(jobs)
    assert seen.exits["a"].returncode == 3
    assert seen.reasons == {"b": "needs a, which did not pass", "c": "needs b, which did not pass"}
    assert seen.exits["free"].returncode == 0


def test_needs_in_a_circle_end_the_run_instead_of_hanging_it(tmp_path: Path) -> None:
    seen = Recorder()
    Scheduler(2, seen).run([shell("a", "true", tmp_path, needs=("b",)), shell("b", "true", tmp_path, needs=("a",))])
    assert set(seen.reasons) == {"a", "b"}
    assert "circle" in seen.reasons["a"]


def test_everything_runs_although_one_fails(tmp_path: Path) -> None:
    seen = Recorder()
    Scheduler(1, seen).run([shell("a", "exit 1", tmp_path), shell("b", "true", tmp_path)])
    assert {key: end.returncode for key, end in seen.exits.items()} == {"a": 1, "b": 0}


def test_fail_fast_stops_what_runs_and_leaves_the_rest_out(tmp_path: Path) -> None:
    jobs = [
        shell("hang", "echo $$ > hang.pid; sleep 600", tmp_path, expected=1.0),
        shell("bad", "while [ ! -s hang.pid ]; do sleep 0.01; done; exit 1", tmp_path, expected=2.0),
        shell("late", "true", tmp_path),
    ]
    seen = Recorder()
    Scheduler(2, seen, fail_fast=True).run(jobs)
    assert seen.exits["hang"].ending is Ending.STOPPED
    assert "fail-fast" in seen.reasons["late"]
    assert survivors(tmp_path) == []


def test_a_grandchild_that_holds_the_pipe_does_not_delay_the_end(tmp_path: Path) -> None:
    seen = Recorder()
    Scheduler(1, seen).run([shell("a", "sleep 600 & echo $! > child.pid; echo said", tmp_path)])
    assert seen.exits["a"].stdout == b"said\n"
    assert seen.exits["a"].returncode == 0
    assert survivors(tmp_path) == []


def test_a_time_out_ends_the_whole_tree_even_when_it_ignores_term(tmp_path: Path) -> None:
    script = (
        "trap '' TERM; echo $$ > a.pid; (trap '' TERM; sleep 600 & echo $! > b.pid; wait) & while :; do sleep 1; done"
    )
    seen = Recorder()
    Scheduler(1, seen).run([shell("a", script, tmp_path, timeout=0.3, grace=0.2)])
    assert seen.exits["a"].ending is Ending.TIMEOUT
    assert seen.exits["a"].returncode == -signal.SIGKILL
    assert survivors(tmp_path) == []


def test_a_time_out_finds_grandchildren_that_left_the_process_group(tmp_path: Path) -> None:
    escape = "setsid sh -c 'echo $$ > escaped.pid; exec sleep 600' &"
    script = f"{escape} while [ ! -s escaped.pid ]; do sleep 0.01; done; sleep 600"
    seen = Recorder()
    Scheduler(1, seen).run([shell("a", script, tmp_path, timeout=0.5, grace=0.2)])
    assert (tmp_path / "escaped.pid").exists()
    assert survivors(tmp_path) == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_and_is_returned(tmp_path: Path, signum: int) -> None:
    seen = Recorder()
    sent = threading.Event()

    def send() -> None:
        if (tmp_path / "a.pid").exists() and not sent.is_set():
            sent.set()
            os.kill(os.getpid(), signum)

    seen.on_tick = send
    jobs = [shell("a", "echo $$ > a.pid; sleep 600", tmp_path), shell("b", "true", tmp_path, needs=("a",))]
    # Under pytest TERM and HUP have their default; the gate has to take them all the same.
    assert Scheduler(2, seen).run(jobs) == signum
    assert seen.exits["a"].ending is Ending.STOPPED
    assert "stopped by" in seen.reasons["b"]
    assert survivors(tmp_path) == []


def test_a_second_signal_skips_the_grace(tmp_path: Path) -> None:
    seen = Recorder()

    def send() -> None:
        if (tmp_path / "a.pid").exists():
            os.kill(os.getpid(), signal.SIGINT)

    seen.on_tick = send
    job = shell("a", "trap '' TERM; echo $$ > a.pid; while :; do sleep 1; done", tmp_path, grace=600.0)
    assert Scheduler(1, seen).run([job]) == signal.SIGINT
    assert seen.exits["a"].returncode == -signal.SIGKILL
    assert survivors(tmp_path) == []


def test_handlers_are_given_back_and_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        seen = Recorder()
        seen.on_tick = lambda: os.kill(os.getpid(), signal.SIGHUP)
        assert Scheduler(1, seen).run([shell("a", "true", tmp_path)]) is None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, previous)
    assert {each: signal.getsignal(each) for each in before} == before


def test_return_codes_survive_an_ignored_child_signal(tmp_path: Path) -> None:
    """With CHLD ignored the kernel reaps children itself, and a failure would be taken for a pass."""
    previous = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        seen = Recorder()
        Scheduler(1, seen).run([shell("a", "exit 7", tmp_path)])
    finally:
        signal.signal(signal.SIGCHLD, previous)
    assert seen.exits["a"].returncode == 7


@pytest.mark.parametrize(
    ("make", "code"),
    [(lambda path: None, 127), (lambda path: path.write_text("x"), 126), (lambda path: path.mkdir(), 126)],
    ids=["absent", "not executable", "a folder"],
)
def test_a_command_that_cannot_start_has_the_shells_code(
    tmp_path: Path, make: Callable[[Path], object], code: int
) -> None:
    command = tmp_path / "command"
    make(command)
    seen = Recorder()
    Scheduler(1, seen).run([Job("a", (str(command),), tmp_path, {})])
    assert seen.exits["a"].ending is Ending.NOT_STARTED
    assert seen.exits["a"].returncode == code
    assert str(command) in seen.exits["a"].message


def test_without_process_descriptors_the_end_is_seen_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Systems other than Linux have none."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    seen = Recorder()
    Scheduler(2, seen).run([shell("a", "sleep 600 & exit 3", tmp_path), shell("b", "echo b", tmp_path, needs=("c",))])
    assert seen.exits["a"].returncode == 3
    assert seen.exits["b"].stdout == b"b\n"


def test_a_process_that_not_even_kill_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a hung network mount; here the child merely never looks as if it had ended."""
    monkeypatch.setattr("hephaestus_guard_rails._scheduler._ABANDON_SECONDS", 0.05)
    monkeypatch.setattr("hephaestus_guard_rails._process.Child.has_ended", lambda self: False)
    seen = Recorder()
    Scheduler(1, seen).run([shell("a", "echo $$ > a.pid; sleep 600", tmp_path, timeout=0.2, grace=0.05)])
    assert seen.exits["a"].ending is Ending.TIMEOUT
    assert seen.exits["a"].returncode == -signal.SIGKILL
    assert survivors(tmp_path) == []


def test_output_is_complete_and_in_the_order_of_writing(tmp_path: Path) -> None:
    script = "i=0; while [ $i -lt 3000 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done"
    seen = Recorder()
    Scheduler(1, seen).run([shell("a", script, tmp_path)])
    expected = "".join(f"out{number}\nerr{number}\n" for number in range(3000))
    assert seen.exits["a"].stdout.decode() == expected


def test_standard_input_is_closed_so_that_a_question_cannot_hang_the_run(tmp_path: Path) -> None:
    seen = Recorder()
    Scheduler(1, seen).run([shell("a", "read answer || exit 9", tmp_path)])
    assert seen.exits["a"].returncode == 9


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    seen = Recorder()
    jobs = [shell(str(number), "echo x; sleep 600 &", tmp_path, apart=number % 2 == 0) for number in range(6)]
    Scheduler(3, seen).run(jobs)
    assert len(os.listdir("/proc/self/fd")) == before


@given(st.lists(st.binary(max_size=40)), st.integers(2, 64))
def test_a_capture_keeps_the_beginning_and_the_end(chunks: list[bytes], limit: int) -> None:
    capture = Capture(limit=limit)
    for chunk in chunks:
        capture.append(chunk)
    whole, kept = b"".join(chunks), capture.value()
    half = limit // 2
    assert kept.startswith(whole[:half])
    assert kept.endswith(whole[max(half, len(whole) - half) :])
    if len(whole) <= 2 * half:
        assert kept == whole
    else:
        assert capture.left_out == len(whole) - 2 * half

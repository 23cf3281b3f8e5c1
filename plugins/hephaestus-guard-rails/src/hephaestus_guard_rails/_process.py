"""One child process in a group of its own: start, read without blocking, stop, reap.

The end of a step is the exit of its first process. Whoever else of the group still holds the pipe is killed then, and
end-of-file is never waited for.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from hephaestus_guard_rails._capture import Capture

__all__ = ["Child", "spawn"]

_CHUNK = 65536
# After the group was killed only an escaped process can still write; it gets no more than this much attention.
_MAX_DRAIN_READS = 64


class Child:
    """A running command.

    Attributes:
        pid: of the first process; also the id of its group.
        pidfd: readable when the process has ended; -1 where the system has none.
        stdout, stderr: what was captured; one and the same when both go to one pipe.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self.pidfd = _pidfd(popen.pid)
        self.stdout = Capture()
        self.stderr = Capture() if popen.stderr is not None else self.stdout
        self._pipes: dict[int, Capture] = {}
        for stream, capture in ((popen.stdout, self.stdout), (popen.stderr, self.stderr)):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                self._pipes[stream.fileno()] = capture

    @property
    def pid(self) -> int:
        """Process id, which is also the process group's id."""
        return self._popen.pid

    @property
    def pipes(self) -> list[int]:
        """Descriptors that are still open for reading."""
        return list(self._pipes)

    def read(self, descriptor: int) -> bool:
        """Read once what is there; False at end-of-file."""
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return True
        self._pipes[descriptor].append(chunk)
        return bool(chunk)

    def close(self, descriptor: int) -> None:
        """Close one of the pipes."""
        del self._pipes[descriptor]
        for stream in (self._popen.stdout, self._popen.stderr):
            if stream is not None and not stream.closed and stream.fileno() == descriptor:
                stream.close()

    def has_ended(self) -> bool:
        """Whether the first process has ended; it stays unreaped, so its group's id cannot be given away."""
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        return os.waitid(os.P_PID, self.pid, flags) is not None

    def signal_group(self, signum: int) -> None:
        """Send a signal to every process of the group."""
        # macOS answers EPERM for a group of zombies.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signum)

    def terminate(self) -> None:
        """Ask the group to end; a stopped process is woken so that it can."""
        self.signal_group(signal.SIGTERM)
        self.signal_group(signal.SIGCONT)

    def finish(self) -> int:
        """Collect what is left of an ended process: drain, kill its stragglers, close, reap.

        Returns:
            the raw return code, negative for a signal.
        """
        self._drain()
        self.signal_group(signal.SIGKILL)
        self._drain()
        return self._release()

    def abandon(self) -> int:
        """Let go of a process that not even KILL ends (stuck in the kernel); returns -9."""
        for descriptor in self.pipes:
            self.close(descriptor)
        if self.pidfd >= 0:
            os.close(self.pidfd)
        self._popen.returncode = -signal.SIGKILL
        return -signal.SIGKILL

    def _drain(self) -> None:
        for descriptor in self.pipes:
            for _ in range(_MAX_DRAIN_READS):
                try:
                    chunk = os.read(descriptor, _CHUNK)
                except BlockingIOError:
                    break
                if not chunk:
                    break
                self._pipes[descriptor].append(chunk)

    def _release(self) -> int:
        for descriptor in self.pipes:
            self.close(descriptor)
        if self.pidfd >= 0:
            os.close(self.pidfd)
        return self._popen.wait()


def _pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1


def spawn(argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], apart: bool = False) -> Child:
    """Start a command in a session and process group of its own, with standard input closed.

    Args:
        argv: the command; no shell is involved.
        cwd: working folder.
        environment: the complete environment.
        apart: capture stderr apart from stdout instead of in the order of writing.

    Raises:
        OSError: the command cannot be started (absent, not executable, argument list too long).
    """
    return Child(
        subprocess.Popen(
            argv,
            bufsize=0,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if apart else subprocess.STDOUT,
            # A session has a process group of its own, and no terminal: a prompt fails there instead of hanging.
            start_new_session=True,
        )
    )

"""The console script: runs the root command and turns what comes out of it into one line and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

import click

from hephaestus.cli._root import root
from hephaestus.cli._session import session_of
from hephaestus.cli._style import styled
from hephaestus.errors import HephaestusError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

__all__ = ["main", "run"]

_PROGRAM = "hephaestus"
_COMPLETION = "_HEPHAESTUS_COMPLETE"
# Python ignores SIGPIPE and raises BrokenPipeError: we exit as if it had not.
_BROKEN_PIPE = 128 + 13


def main() -> None:
    """Run the command line and end the process with its exit code."""
    if os.environ.get(_COMPLETION):
        root.main(prog_name=_PROGRAM, complete_var=_COMPLETION)
    # A listing leaves no garbage worth the search for it, which is a tenth of its time, and again at its end.
    gc.disable()
    code = _run(sys.argv[1:], _prepare)
    if not gc.isenabled():
        gc.freeze()
    sys.exit(code)


def _prepare() -> None:
    """Get the process ready for a command: it may take long, leave garbage, and have something to tidy up."""
    import signal

    # What a start has made lives to the end: no search for garbage need look through it.
    gc.freeze()
    gc.enable()
    arrived: set[int] = set()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if number in arrived:
            # A second one ends the process at once, should the first one's way out hang.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        arrived.add(number)
        raise Interrupted(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup SIGHUP is ignored, and stays so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)


def run(arguments: Sequence[str]) -> int:
    """Run the command line in this process.

    Args:
        arguments: what follows the program's name.

    Returns:
        The exit code: 0 done, 1 failed or refused, 2 usage, 130 on Ctrl-C, 128 + n on signal n.
    """
    return _run(arguments)


def _run(arguments: Sequence[str], on_start: Callable[[], None] | None = None) -> int:
    context = click.Context(root, info_name=_PROGRAM, **root.context_settings)
    session = session_of(context)
    session.on_start = on_start
    try:
        with context:
            root.parse_args(context, list(arguments))
            root.invoke(context)
        _flush()
        return 0
    except BaseException as error:  # the one place where every way to end becomes an exit code
        # The option's value, unless the arguments were too wrong to be read.
        return _exit_code(error, debug=context.params.get("debug", "--debug" in arguments))
    finally:
        session.close()


def _exit_code(error: BaseException, *, debug: bool) -> int:
    if isinstance(error, click.exceptions.Exit):
        return _flushed(error.exit_code)
    if isinstance(error, BrokenPipeError):
        _forget_stdout()
        return _BROKEN_PIPE
    if debug and not isinstance(error, SystemExit):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, Interrupted):
        import signal

        _complain(f"ended by {signal.Signals(error.signum).name}")
        return 128 + error.signum
    if isinstance(error, KeyboardInterrupt):
        _complain("interrupted")
        return 130
    if isinstance(error, SystemExit):
        return _flushed(error.code if isinstance(error.code, int) else int(error.code is not None))
    return _failure(error)


def _failure(error: BaseException) -> int:
    if isinstance(error, click.Abort):
        _complain("aborted: no answer")
        return 1
    if isinstance(error, click.ClickException):
        path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else _PROGRAM
        _complain(error.format_message(), hint=f"see {path} --help" if error.exit_code == 2 else None)
        return error.exit_code
    if isinstance(error, HephaestusError):
        _complain(error.message, hint=error.hint)
        return error.exit_code
    if isinstance(error, OSError) and error.filename is not None:
        _complain(f"{error.filename}: {error.strerror}")
        return 1
    _complain(f"unexpected {type(error).__name__}: {error}", hint="run it again with --debug and report the traceback")
    return 1


def _complain(message: str, *, hint: str | None = None) -> None:
    from hephaestus._redact import redact_text

    try:
        line = " ".join(redact_text(message).split())
        click.echo(f"{_PROGRAM}: {styled('error:', 'red')} {line}", err=True)
        if hint:
            click.echo(f"hint: {redact_text(hint)}", err=True)
    except BrokenPipeError:
        pass


def _flushed(code: int) -> int:
    try:
        _flush()
    except BrokenPipeError:
        _forget_stdout()
        return _BROKEN_PIPE
    return code


def _flush() -> None:
    if sys.stdout is not None:  # as it is where it was closed before the start
        sys.stdout.flush()


def _forget_stdout() -> None:
    # Python would complain of the broken pipe once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""Generated code, the same for all events: from fields that passed all tests to a line in a file.

The way of nearly every event, without a call that can be spared: the same logger and level as last time in this
context, nobody listens, and all that takes the line is one file of ours at an ancestor of the logger, the same as last
time. `hephaestus.emit.deliver` does all else, and notes what the next time may have in common with this one.
"""

from __future__ import annotations

__all__ = ["ENABLED", "LANE"]

#: Where the level is off, nothing is left to be done. Uses the variables `logger` and `level`, which may be a name.
ENABLED = """\
    try:
        if not logger.isEnabledFor(level):
            if _type(level) is not _int:
                _level_number(level)  # raises where there is no such level
            return
    except _TypeError:
        level = _level_number(level)
        if not logger.isEnabledFor(level):
            return
"""

#: The end of a function with the variables `logger`, `level`, `message` and `_payload`. To be filled in: `{given}`,
#: further conditions; `{fields}`, the variable of the fields as they are written; `{dumps}`, what makes JSON of them;
#: `{clean}`, whether they are known to be plain scalars without secrets.
LANE = """\
    if message is None{given} and not _listeners:
        try:
            _ends = (_context() or _current_context()).ends.get(_key)
            if (
                _ends is not None
                and _ends.logger is logger
                and _ends.level is level
                and _ends.level_name is _level_names[level]
                and not logger.filters
                and not logger.handlers
            ):
                _taker = None
                _node = logger.parent if logger.propagate else None
                while _node is not None:
                    for _handler in _node.handlers:
                        if level >= _handler.level:
                            _taker = _handler if _taker is None else _node  # which is none: several want it
                    _node = _node.parent if _node.propagate else None
                if _taker is _ends.file and _taker.formatter is _ends.formatter and not _taker.filters:
                    _begin, _end, _stamp = _clock.last
                    _now = _time()
                    if _now < _begin or _now >= _end:
                        _stamp = _clock.stamp(_now)
                    _line = _join((_stamp, _ends.head, {dumps}({fields})[_INSIDE], _ends.tail))
                    _descriptor = _taker.descriptor  # held, lest another thread close it meanwhile
                    _count = _write(_descriptor.number, _line)
                    if _count < _len(_line):
                        _taker.write_line(_line, _count)
                    return
        except (_TypeError, _ValueError, _KeyError):
            pass  # a value that is written in another way, or a level without a name
        except _OSError as _error:
            if _error.errno is None:
                raise  # not the system's, but of a signal's handler
            # `deliver` tries again, and reports what happens
    _deliver(logger, _event, level, message, _payload, {fields}, {clean})
"""

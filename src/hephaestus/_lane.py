"""Generated code, the same for all events: from fields that passed all tests to a line in a file.

The way of nearly every event, without a call that can be spared: all that takes the level is one file of ours, at an
ancestor of the logger; nobody listens; the context has been written before. `hephaestus.emit.deliver` does the same for
all others. It gets no JSON where nobody would write it.
"""

from __future__ import annotations

__all__ = ["LANE"]

#: The end of a function with the variables `logger`, `level`, `message` and `_payload`. To be filled in: `{name}`, the
#: event's name as a literal; `{json}`, the fields' JSON as an expression, which may raise TypeError or ValueError;
#: `{clean}`, whether the fields are known to be plain scalars without secrets.
LANE = """\
    if (
        message is None
        and not _listeners
        and _type(logger) is _Logger
        and not logger.filters
        and not logger.handlers
    ):
        _file = _more = None
        _node = logger.parent if logger.propagate else None
        while _node is not None:
            for _handler in _node.handlers:
                if (
                    _type(_handler) is _EventFileHandler
                    and _type(_handler.formatter) is _JsonFormatter
                    and not _handler.filters
                    and _file is None
                ):
                    if level >= _handler.level:
                        _file = _handler
                elif level >= _handler.level and (_more is None or _type(_handler) in _LINE_HANDLERS):
                    _more = _handler  # one that may want JSON, if there is one
            _node = _node.parent if _node.propagate else None
        if _file is None and _type(_more) not in _LINE_HANDLERS:
            return _deliver(logger, _event, level, message, _payload, None, {clean})
    else:
        _file = None
    try:
        _json = {json}
    except (_TypeError, _ValueError):
        _json = None
    if _file is not None and _more is None and _json:
        _ends = (_context() or _current_context()).ends.get({name})
        if (
            _ends is not None
            and (_tail := _ends.tail)
            and _ends.logger == logger.name
            and _ends.level == _level_names.get(level)
        ):
            _begin, _end, _stamp = _clock.last
            if not _begin <= (_now := _time_ns()) < _end:
                _stamp = _clock.stamp(_now)
            _line = _join((_stamp, _ends.head, _json, _tail))
            try:
                _descriptor = _file.descriptor  # held, lest another thread close it meanwhile
                _count = _write(_descriptor.number, _line)
                if _count < _len(_line):
                    _file.write_line(_line[_count:])
                return
            except _Exception:
                pass  # `deliver` tries again, and reports what happens
    _deliver(logger, _event, level, message, _payload, _json, {clean})
"""

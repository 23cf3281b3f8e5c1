"""The events of the installed plugins, listed for people, scripts and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hephaestus.event import TelemetryEvent
    from hephaestus.plugins import Plugin, PluginHost

__all__ = ["as_json", "describe", "dumps", "json_schema", "markdown", "table"]


def _grouped(host: PluginHost, only: Collection[str] = ()) -> Iterator[tuple[Plugin, list[TelemetryEvent]]]:
    host.definitions()
    for plugin in host.plugins:
        if plugin.events and (not only or plugin.name in only or plugin.source.distribution in only):
            yield plugin, sorted(plugin.events, key=lambda event: event.name)


def _typed(event: TelemetryEvent, names: tuple[str, ...]) -> dict[str, str]:
    return {name: event.types[name].spelling for name in names}


def describe(event: TelemetryEvent) -> str:
    """Return an event for people: name, description and each field with its type, ending with a newline."""
    lines = [f"  {event.name}", f"      {event.description}"]
    for label, names in (("required", event.required_fields), ("optional", event.optional_fields)):
        if names:
            types = event.types
            lines.append(f"      {label}  {', '.join([f'{name}: {types[name].spelling}' for name in names])}")
    return "\n".join(lines) + "\n"


def table(host: PluginHost, only: Collection[str] = ()) -> str:
    """Return all events for people, grouped by plugin."""
    groups = [
        f"{plugin.name} ({plugin.source.distribution} {plugin.source.version})\n" + "".join(map(describe, events))
        for plugin, events in _grouped(host, only)
    ]
    return "\n".join(groups) or "No installed plugin defines events.\n"


def as_json(host: PluginHost, only: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return all events as `{"name", "plugin", "description", "required": {field: type}, "optional": …}`."""
    return [
        {
            "name": event.name,
            "plugin": plugin.name,
            "description": event.description,
            "required": _typed(event, event.required_fields),
            "optional": _typed(event, event.optional_fields),
        }
        for plugin, events in _grouped(host, only)
        for event in events
    ]


def markdown(host: PluginHost, only: Collection[str] = ()) -> str:
    """Return all events as a page's sections, one a plugin."""
    lines: list[str] = []
    for plugin, events in _grouped(host, only):
        lines += [f"## {plugin.name}", "", f"Contributed by `{plugin.source.distribution}`.", ""]
        for event in events:
            lines += [f"### `{event.name}`", "", event.description, "", f"Constant: `{event.constant}`.", ""]
            rows = [(name, "required") for name in event.required_fields]
            rows += [(name, "optional") for name in event.optional_fields]
            if rows:
                lines += ["| field | type | |", "| --- | --- | --- |"]
                # A bar ends a table's cell, even inside code.
                lines += [
                    "| `{}` | `{}` | {} |".format(name, event.types[name].spelling.replace("|", "\\|"), need)
                    for name, need in rows
                ]
                lines.append("")
    return "\n".join(lines)


def json_schema(host: PluginHost, only: Collection[str] = ()) -> dict[str, Any]:
    """Return the JSON Schema of a line of the JSON log: an event's line carries a payload that fits the event."""
    events = [event for _, group in _grouped(host, only) for event in group]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of Hephaestus's JSON log",
        "type": "object",
        "required": ["timestamp", "level", "logger", "message"],
        "properties": {
            "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
            **{name: {"type": "string"} for name in ("level", "logger", "message", "run_id", "event", "exc_info")},
            "payload": {"type": "object"},
        },
        "allOf": [
            {
                "if": {"properties": {"event": {"const": event.name}}, "required": ["event"]},
                "then": {"required": ["payload"], "properties": {"payload": {"$ref": f"#/$defs/{event.name}"}}},
            }
            for event in events
        ],
        "$defs": {event.name: _without_dialect(event) for event in events},
    }


def _without_dialect(event: TelemetryEvent) -> dict[str, Any]:
    return {key: value for key, value in event.json_schema().items() if key != "$schema"}


def dumps(value: object) -> str:
    """Return `value` as JSON for people and scripts alike, ending with a newline."""
    import json

    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"

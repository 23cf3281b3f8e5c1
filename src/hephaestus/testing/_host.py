"""A host with just the named plugins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hephaestus.plugins import PluginHost, PluginSource, use_host

__all__ = ["hosting"]


@contextmanager
def hosting(**plugins: object) -> Iterator[PluginHost]:
    """Host these plugins and no installed ones inside the `with` block; constants of `telemetry` resolve from them.

    Args:
        **plugins: name to plugin (a module, or any object whose attributes are hook implementations).
    """
    sources = [PluginSource(name, f"{name}:test", f"{name}-test", "0", plugin) for name, plugin in plugins.items()]
    host = PluginHost(sources)
    previous = use_host(host)
    try:
        host.start_listening()
        yield host
    finally:
        host.stop_listening()
        use_host(previous)

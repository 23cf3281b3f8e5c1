"""The event that the benchmarks of events are about: one of the release plugin's, as a download emits it.

Five fields of its own and four of its operation's context make a line of about 530 bytes. Peers get the same fields and
the same context by their own means.
"""

from __future__ import annotations

from typing import Any

__all__ = ["ARGUMENTS", "CONTEXT", "FIELDS", "LOGGER", "MESSAGE", "NAME", "RUN_ID", "document"]

NAME = "release.http.retry"
LOGGER = "hephaestus.release"
MESSAGE = "A request for a release's asset failed and will be sent again."
RUN_ID = "run-0af7651916cd43dd8448eb211c80319c"

#: The event's own fields.
FIELDS: dict[str, Any] = {
    "url": "https://host.example/owner/project/releases/download/v1.2.3/wheelhouse.tar.gz",
    "attempt": 2,
    "max_retries": 5,
    "http_status": 503,
    "description": "HTTP 503 Service Unavailable",
}
#: What the operation adds.
CONTEXT: dict[str, Any] = {
    "operation": "release.download",
    "operation_id": "op-b7ad6b7169203331",
    "repository": "owner/project",
    "tag": "v1.2.3",
}
#: The fields as the keyword arguments of a call.
ARGUMENTS = ", ".join(f"{name}={value!r}" for name, value in FIELDS.items())


def document() -> dict[str, Any]:
    """The line as the object that an encoder gets."""
    return {
        "timestamp": "2025-01-11T12:34:56.789Z",
        "level": "INFO",
        "logger": LOGGER,
        "message": MESSAGE,
        "run_id": RUN_ID,
        "event": NAME,
        "payload": {**FIELDS, **CONTEXT},
    }

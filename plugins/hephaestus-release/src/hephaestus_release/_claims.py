"""What a bundle claims about its making: who logged it, and when. Chooses whom to ask; proves nothing by itself."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

__all__ = ["Claims"]


@frozen
class Claims:
    """Claims that select the keys and authorities which then have to confirm them.

    Args:
        log_id: id of the transparency log.
        times: when the signature was made, by each source that says so; at least one, aware.
        ct_log_id: id of the certificate-transparency log.
        ct_time: when that log saw the certificate.
    """

    log_id: bytes
    times: tuple[datetime, ...]
    ct_log_id: bytes
    ct_time: datetime

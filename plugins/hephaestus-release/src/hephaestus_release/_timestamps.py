"""RFC 3161 time stamps: every one in a bundle must be good.

The library is content with one source of time and passes over time stamps that it cannot verify; a bundle with a
forged one beside a genuine one is refused here.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509
from rfc3161_client import TimeStampResponse, VerifierBuilder, decode_timestamp_response
from rfc3161_client import VerificationError as Rfc3161Error

from hephaestus_release.errors import VerificationError

__all__ = ["check_timestamps", "claimed_times"]


def claimed_times(stamps: Sequence[bytes]) -> list[datetime]:
    """When each time stamp (DER) says that it was made; unverified.

    Raises:
        ValueError: one of them is malformed.
    """
    return [decode_timestamp_response(stamp).tst_info.gen_time for stamp in stamps]


def check_timestamps(stamps: Sequence[bytes], signature: bytes, authorities: Sequence[dict[str, Any]]) -> None:
    """Refuse unless each time stamp is over the signature and by one of the authorities.

    Args:
        stamps: TimeStampResp, DER.
        signature: what was stamped.
        authorities: `timestampAuthorities` of a trusted root that is narrowed to the claimed times.

    Raises:
        VerificationError: one of them is not.
    """
    for stamp in stamps:
        response = decode_timestamp_response(stamp)
        if not any(_confirms(authority, response, signature) for authority in authorities):
            raise VerificationError(
                "a time stamp is not by an authority that was trusted at that time, or is not over this signature"
            )


def _confirms(authority: dict[str, Any], response: TimeStampResponse, signature: bytes) -> bool:
    chain = [base64.b64decode(one["rawBytes"]) for one in authority["certChain"]["certificates"]]
    leaf, *issuers = [x509.load_der_x509_certificate(raw) for raw in chain]
    builder = VerifierBuilder(tsa_certificate=leaf, intermediates=issuers[:-1], roots=issuers[-1:])
    try:
        return builder.build().verify_message(response, signature)
    except (Rfc3161Error, ValueError):
        return False

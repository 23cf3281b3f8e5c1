"""Just enough DER to write a CMS time stamp and certificate extensions (X.690)."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = [
    "explicit",
    "generalized_time",
    "implicit",
    "integer",
    "object_identifier",
    "octet_string",
    "sequence",
    "set_of",
    "utf8_string",
]


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of already encoded parts."""
    return _tlv(0x30, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    """SET OF already encoded parts, in the order that DER wants."""
    return _tlv(0x31, b"".join(sorted(parts)))


def integer(value: int) -> bytes:
    """INTEGER, of a value that is not negative."""
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octet_string(content: bytes) -> bytes:
    """OCTET STRING."""
    return _tlv(0x04, content)


def utf8_string(text: str) -> bytes:
    """UTF8String."""
    return _tlv(0x0C, text.encode())


def generalized_time(moment: datetime) -> bytes:
    """GeneralizedTime in UTC, whole seconds."""
    return _tlv(0x18, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def explicit(number: int, content: bytes) -> bytes:
    """[number] EXPLICIT around an encoded value."""
    return _tlv(0xA0 | number, content)


def implicit(number: int, encoded: bytes) -> bytes:
    """[number] IMPLICIT in place of a constructed value's own tag."""
    return bytes([0xA0 | number]) + encoded[1:]


def object_identifier(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return _tlv(0x06, b"".join(_base128(arc) for arc in (first * 40 + second, *rest)))


def _base128(value: int) -> bytes:
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.append(0x80 | (value & 0x7F))
    return bytes(reversed(octets))

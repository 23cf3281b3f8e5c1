"""The local Sigstore's building blocks follow their standards."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus_release.testing import _der
from hephaestus_release.testing._merkle import inclusion_path, leaf_hash, root_hash
from hephaestus_release.testing.sigstore import BundleKind, LocalSigstore, RekorV2


def _climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The verifier's side of the proof, as RFC 9162, section 2.1.3.2 has it."""
    last, node = size - 1, leaf
    for sibling in path:
        if index & 1 or index == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    assert last == 0
    return node


@given(size=st.integers(1, 70), data=st.data())
def test_every_inclusion_path_leads_to_the_root(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))

    assert _climb(leaves[index], index, size, inclusion_path(index, leaves)) == root_hash(leaves)


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (_der.integer(0), "020100"),
        (_der.integer(127), "02017f"),
        (_der.integer(128), "02020080"),
        (_der.integer(256), "02020100"),
        (_der.object_identifier("1.2.840.113549.1.7.2"), "06092a864886f70d010702"),
        (_der.octet_string(b"x" * 200)[:3], "0481c8"),
        (_der.octet_string(b"x" * 300)[:4], "0482012c"),
        (_der.set_of(_der.integer(2), _der.integer(1)), "3106020101020102"),
        (_der.generalized_time(datetime(2025, 6, 1, 12, tzinfo=UTC)), "180f" + b"20250601120000Z".hex()),
        (_der.explicit(0, _der.integer(1)), "a003020101"),
        (_der.implicit(0, _der.set_of(_der.integer(1))), "a003020101"),
    ],
)
def test_der_is_encoded_as_x690_has_it(encoded: bytes, expected: str) -> None:
    assert encoded.hex() == expected


def test_no_entry_gets_index_zero_which_json_would_drop() -> None:
    bundle = LocalSigstore().sign(b"first", kind=BundleKind(rekor=2, timestamped=True))

    assert int(bundle.value("verificationMaterial.tlogEntries.0.logIndex")) > 0


def test_altering_a_bundle_leaves_the_original_as_it_was() -> None:
    bundle = LocalSigstore().sign(b"artifact")
    before = bundle.raw
    bundle.replaced("mediaType", "x")
    bundle.without("messageSignature.messageDigest")
    bundle.flipped("messageSignature.signature")

    assert bundle.raw == before


def test_replacing_a_service_leaves_the_others_shared() -> None:
    first = LocalSigstore()
    second = first.with_services(rekor_v2=RekorV2())

    assert second.authority is first.authority
    assert second.rekor_v2 is not first.rekor_v2
    assert second.trusted_root()["ctlogs"] == first.trusted_root()["ctlogs"]

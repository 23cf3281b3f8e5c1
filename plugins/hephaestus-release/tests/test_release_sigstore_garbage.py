"""Whatever a stranger writes into a bundle, it is refused in one line, and no other exception escapes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hephaestus.errors import Interrupted, UsageError
from hephaestus_release import _sigstore
from hephaestus_release._bundles import LARGEST_BUNDLE, read_bundle
from hephaestus_release._trust import TrustedRoot
from hephaestus_release._verification import verify_signature
from hephaestus_release.errors import BundleError, TrustError, VerificationError
from hephaestus_release.testing.sigstore import BUNDLE_KINDS, LocalSigstore

ARTIFACT = b"the artifact"
DIGEST = hashlib.sha256(ARTIFACT).digest()
LOCAL = LocalSigstore()
ROOT = TrustedRoot("local", json.dumps(LOCAL.trusted_root()).encode())
GENUINE = [LOCAL.sign(ARTIFACT, kind=kind) for kind in BUNDLE_KINDS]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=5,
)


def refused(raw: bytes) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        verify_signature(DIGEST, raw, policy=None, root=ROOT)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
    return caught.value


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00", b"{}", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000, b"{" * 1000, b"1" * 10_000]
    + [b'{"verificationMaterial": %b}' % value for value in (b"1", b"[]", b"{}", b'{"tlogEntries": 1}')]
    + [b'{"verificationMaterial": {"tlogEntries": [null]}, "mediaType": "x"}', b'{"a": NaN}'],
    ids=lambda raw: repr(raw[:40]),
)
def test_garbage_is_refused_as_unreadable(raw: bytes) -> None:
    assert isinstance(refused(raw), BundleError)


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_refused(raw: bytes) -> None:
    refused(raw)


@given(data=st.data())
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_bundle_with_any_value_in_any_place_is_refused_or_says_the_same(data: st.DataObject) -> None:
    bundle = data.draw(st.sampled_from(GENUINE))
    path = data.draw(st.sampled_from(list(_paths(bundle.data))))
    value = data.draw(JSON)
    changed = bundle.replaced(path, value)
    try:
        verify_signature(DIGEST, changed.raw, policy=None, root=ROOT)
    except VerificationError:
        refused(changed.raw)
    else:
        # The only members that a bundle can do without, and null or an empty list is as good as absent.
        assert path.endswith(("messageDigest", "timestampVerificationData", "rfc3161Timestamps"))
        assert value in (None, {}, [])


def _paths(value: Any, path: tuple[str, ...] = ()) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in items:
        yield ".".join((*path, str(key)))
        yield from _paths(member, (*path, str(key)))


@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_bundle_cut_anywhere_is_refused(data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from(GENUINE)).raw

    refused(raw[: data.draw(st.integers(0, len(raw) - 1))])


def test_a_key_given_twice_is_refused() -> None:
    raw = GENUINE[0].raw

    assert "twice" in str(refused(raw[:-1] + b', "mediaType": "x"}'))


def test_keys_in_the_other_spelling_are_refused() -> None:
    raw = GENUINE[0].raw.replace(b'"integratedTime"', b'"integrated_time"')

    assert "irregular" in str(refused(raw))


def test_a_bundle_over_the_limit_is_refused_unparsed() -> None:
    assert "larger than" in str(refused(b" " * LARGEST_BUNDLE + GENUINE[0].raw))


def test_a_bundle_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    with path.open("wb") as stream:
        stream.truncate(LARGEST_BUNDLE + 1)

    with pytest.raises(BundleError, match="larger than"):
        read_bundle(path)


class PanicException(BaseException):
    """Named as the exception that a panic in Rust becomes."""


def _raising(error: BaseException) -> Any:
    def fail(*_: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "error", [RuntimeError("a\nb\x1b[31m"), MemoryError(), AssertionError(), KeyError("x"), PanicException("rust")]
)
def test_an_unforeseen_exception_is_a_refusal(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sigstore, "_verified", _raising(error))

    assert refused(GENUINE[0].raw).__cause__ is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Interrupted(15)])
def test_an_interruption_is_no_refusal(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sigstore, "_verified", _raising(error))

    with pytest.raises(type(error)):
        verify_signature(DIGEST, GENUINE[0].raw, policy=None, root=ROOT)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"tlogs": []}', b"\xff"])
def test_a_garbage_trusted_root_is_refused_as_such(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "root.json"
    path.write_bytes(raw)

    with pytest.raises(TrustError):
        TrustedRoot.from_file(path)


def test_a_trusted_root_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        TrustedRoot.from_file(tmp_path / "nowhere.json")


def test_the_packaged_root_is_the_public_good_one() -> None:
    root = TrustedRoot.packaged()
    document = json.loads(root.raw)

    assert root.origin == "packaged"
    assert document["certificateAuthorities"][0]["uri"] == "https://fulcio.sigstore.dev"
    assert root.authority_certificates


def test_a_root_planted_in_the_users_cache_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = TrustedRoot.packaged().raw
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    folder = tmp_path / "sigstore-python" / "tuf" / "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev"
    for base in (tmp_path, tmp_path / ".cache", tmp_path / ".local" / "share"):
        planted = base / folder.relative_to(tmp_path)
        planted.mkdir(parents=True)
        LOCAL.write_trusted_root(planted / "trusted_root.json")

    assert TrustedRoot.packaged().raw == packaged
    with pytest.raises(VerificationError, match="not in the trusted root"):
        verify_signature(DIGEST, GENUINE[0].raw, policy=None)

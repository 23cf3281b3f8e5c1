"""Local files are verified offline; a wrong argument is a usage error, a wrong signature a refusal."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hephaestus.errors import UsageError
from hephaestus_release._identity import IdentityPolicy
from hephaestus_release._levels import Level
from hephaestus_release._verification import artifact_digest, verify_files
from hephaestus_release.errors import BundleError, LevelError, TrustError, VerificationError
from hephaestus_release.testing.sigstore import GITHUB_ACTIONS, LocalSigstore, SignerProfile

ARTIFACT = b"the artifact"
DIGEST = hashlib.sha256(ARTIFACT).hexdigest()
POLICY = IdentityPolicy.build(issuer=GITHUB_ACTIONS, identities=SignerProfile().identities)


@pytest.fixture
def folder(tmp_path: Path, sigstore: LocalSigstore) -> Path:
    """A folder with artifact, bundle.json and root.json."""
    (tmp_path / "artifact").write_bytes(ARTIFACT)
    sigstore.sign(ARTIFACT).write(tmp_path / "bundle.json")
    sigstore.write_trusted_root(tmp_path / "root.json")
    return tmp_path


def test_a_file_and_its_digest_verify_alike(folder: Path) -> None:
    bundle, root = folder / "bundle.json", folder / "root.json"
    by_file = verify_files(folder / "artifact", bundle, policy=POLICY, trusted_root=root)
    by_name = verify_files(str(folder / "artifact"), bundle, policy=POLICY, trusted_root=root)
    by_digest = verify_files(f"sha256:{DIGEST.upper()}", bundle, policy=POLICY, trusted_root=root)

    assert by_file == by_name == by_digest
    assert by_file.digest == f"sha256:{DIGEST}"
    assert by_file.trusted_root == str(root)


def test_verification_opens_no_socket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    evidence = verify_files(
        folder / "artifact", folder / "bundle.json", policy=POLICY, trusted_root=folder / "root.json"
    )
    assert evidence.level is Level.SIGSTORE_IDENTITY


def test_a_damaged_file_is_refused(folder: Path) -> None:
    (folder / "artifact").write_bytes(ARTIFACT + b"!")

    with pytest.raises(VerificationError, match="not sha256:"):
        verify_files(folder / "artifact", folder / "bundle.json", policy=POLICY, trusted_root=folder / "root.json")


def test_a_local_bundle_is_refused_by_the_packaged_root(folder: Path) -> None:
    with pytest.raises(VerificationError, match="not in the trusted root"):
        verify_files(folder / "artifact", folder / "bundle.json", policy=POLICY)


@pytest.mark.parametrize("digest", ["sha256:", "sha256:zz", f"sha256:{DIGEST}0", f"sha256:{DIGEST[:-1]}", "sha256:x\n"])
def test_a_malformed_digest_is_a_usage_error(digest: str) -> None:
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        artifact_digest(digest)


@pytest.mark.parametrize("missing", ["artifact", "bundle.json", "root.json"])
def test_a_file_that_cannot_be_read_is_a_usage_error_that_names_it(missing: str, folder: Path) -> None:
    (folder / missing).unlink()
    with pytest.raises(UsageError, match=missing):
        verify_files(folder / "artifact", folder / "bundle.json", policy=POLICY, trusted_root=folder / "root.json")

    (folder / missing).mkdir()
    with pytest.raises(UsageError, match=missing):
        verify_files(folder / "artifact", folder / "bundle.json", policy=POLICY, trusted_root=folder / "root.json")


def test_a_path_with_a_nul_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        artifact_digest("arti\0fact")


def test_a_bundle_and_a_root_in_each_others_place_are_refused(folder: Path) -> None:
    with pytest.raises(TrustError):
        verify_files(folder / "artifact", folder / "bundle.json", policy=POLICY, trusted_root=folder / "bundle.json")
    with pytest.raises(BundleError):
        verify_files(folder / "artifact", folder / "root.json", policy=POLICY, trusted_root=folder / "root.json")


def test_the_evidence_is_json(folder: Path) -> None:
    evidence = verify_files(
        folder / "artifact", folder / "bundle.json", policy=None, trusted_root=folder / "root.json"
    ).as_json()

    assert json.loads(json.dumps(evidence)) == evidence
    assert evidence["level"] == "sigstore"


def test_levels_are_ordered_and_go_by_their_names() -> None:
    labels = ["none", "digest", "checksum", "sigstore", "sigstore+identity"]

    assert [level.label for level in sorted(Level)] == labels
    assert [Level.parse(label) for label in labels] == list(Level)


@pytest.mark.parametrize("label", ["", "Sigstore", "sigstore_identity", "all"])
def test_an_unknown_level_is_a_usage_error_that_lists_the_known(label: str) -> None:
    with pytest.raises(UsageError) as caught:
        Level.parse(label)

    assert "sigstore+identity" in str(caught.value.hint)


@pytest.mark.parametrize("minimum", Level)
@pytest.mark.parametrize("reached", Level)
def test_a_level_is_refused_below_the_minimum_and_only_there(reached: Level, minimum: Level) -> None:
    if reached >= minimum:
        reached.require(minimum)
        return
    with pytest.raises(LevelError, match=f"'{reached.label.replace('+', '[+]')}'") as caught:
        reached.require(minimum)
    assert caught.value.hint


_LIGHT = """
import sys
import hephaestus_release._verification, hephaestus_release._trust, hephaestus_release._identity
import hephaestus_release.testing
hephaestus_release._trust.TrustedRoot.packaged()
print([name for name in ("sigstore", "pydantic", "cryptography", "httpx", "click") if name in sys.modules])
"""


def test_sigstore_is_imported_only_to_verify_a_bundle() -> None:
    done = subprocess.run([sys.executable, "-c", _LIGHT], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"

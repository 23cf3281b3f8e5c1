"""Receipts: every link of the chain with its evidence, as JSON, and checking one later without a network."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from hephaestus.errors import UsageError
from hephaestus_release import __version__
from hephaestus_release._archive import Unpacked
from hephaestus_release._checksums import parse
from hephaestus_release._fetch import Received
from hephaestus_release._files import read_limited, sha256_of
from hephaestus_release._identity import IdentityPolicy
from hephaestus_release._install import Installation
from hephaestus_release._levels import Level
from hephaestus_release._names import sanitise
from hephaestus_release._pattern import IdentityPattern
from hephaestus_release._trust import TrustedRoot
from hephaestus_release._urls import shown
from hephaestus_release._verification import verify_signature
from hephaestus_release._wheels import Wheel
from hephaestus_release.errors import CacheError, VerificationError
from hephaestus_release.sources import Asset, Release
from hephaestus_release.verifiers import Evidence

__all__ = ["SCHEMA", "build_receipt", "check_receipt", "save_receipt"]

SCHEMA: Final = "hephaestus-release-receipt/1"
_LARGEST: Final = 32 * 1024 * 1024


def build_receipt(
    release: Release, asset: Asset, received: Received, directory: Path, level: Level,
    wheels: Sequence[Wheel], files: Sequence[Unpacked], *,
    source: str, manifest: Mapping[str, str] | None, evidence: Sequence[Evidence], bundle: str | None,
) -> dict[str, Any]:  # fmt: skip
    """The receipt of a release that was fetched; `installation` is still None.

    Args:
        release: as the forge reported it.
        asset: the archive.
        received: the archive's bytes.
        directory: the unpacked folder.
        level: how far the release was verified.
        wheels: the wheels in it.
        files: all files in it.
        source: name of the forge.
        manifest: `name` and `text` of the manifest; None without one.
        evidence: of the verifiers.
        bundle: text of the Sigstore bundle; None without one.
    """
    return {
        "schema": SCHEMA,
        "tool": f"hephaestus-release {__version__}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": source,
        "repository": release.repository,
        "tag": release.tag,
        "release_url": release.url,
        "level": level.label,
        "asset": {
            "name": asset.name,
            "saved_as": str(received.part.parent.parent / received.name),
            "url": shown(asset.url),
            "size": received.size,
            "sha256": received.sha256,
            "forge_sha256": asset.sha256,
            "from_cache": received.from_cache,
        },
        "manifest": dict(manifest) if manifest else None,
        "bundle": bundle,
        "evidence": [{"verifier": one.verifier, "level": one.level, "details": one.details} for one in evidence],
        "directory": str(directory),
        "files": [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in files],
        "wheels": [
            {"file": wheel.path.name, "name": wheel.name, "version": wheel.version, "sha256": wheel.sha256}
            for wheel in wheels
        ],
        "installation": None,
    }


def save_receipt(receipt: dict[str, Any], cache_dir: Path, installation: Installation | None) -> Path:
    """Add the installation and write the receipt below the cache, under its repository, tag and digest.

    Raises:
        CacheError: it cannot be written.
    """
    if installation is not None:
        receipt["installation"] = {
            "command": list(installation.command),
            "python": installation.python,
            "installed": list(installation.installed),
        }
    parts = [receipt["source"], *receipt["repository"].split("/"), receipt["tag"]]
    folder = cache_dir.joinpath("receipts", *(sanitise(quote(part, safe="")) for part in parts))
    path = folder / f"{receipt['asset']['sha256'][:16]}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".new-", delete=False, encoding="utf-8") as file:
            json.dump(receipt, file, indent=2)
            file.write("\n")
        os.replace(file.name, path)
    except OSError as error:
        raise CacheError(f"cannot write the receipt {path}: {error.strerror or error}") from None
    return path


def check_receipt(
    path: Path, artifact: str | None, *, policy: IdentityPolicy | None = None, trusted_root: Path | None = None
) -> list[str]:
    """Follow the chain again, from files alone.

    Args:
        path: the receipt.
        artifact: the archive, or `sha256:` and its digest; None for the file that the receipt names.
        policy: who must have signed, instead of whom the receipt names.
        trusted_root: whom to trust; None for Sigstore's public root.

    Returns:
        What was checked, one line each.

    Raises:
        UsageError: the receipt or the archive cannot be read, or is no receipt.
        VerificationError: a link does not hold.
    """
    receipt = _read(path)
    try:
        return _check(receipt, artifact, policy, trusted_root)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError):
        raise VerificationError(f"the receipt {path} is malformed", hint="use the file as it was written") from None


def _read(path: Path) -> dict[str, Any]:
    raw = read_limited(path, _LARGEST, "receipt")
    try:
        receipt = json.loads(raw or b"")
    except (ValueError, RecursionError):
        receipt = None
    if not isinstance(receipt, dict) or receipt.get("schema") != SCHEMA:
        raise UsageError(f"not a receipt: {path}", hint=f"a receipt is JSON with the schema {SCHEMA!r}")
    return receipt


def _check(
    receipt: dict[str, Any], artifact: str | None, policy: IdentityPolicy | None, root: Path | None
) -> list[str]:
    asset, done = receipt["asset"], []
    digest = str(asset["sha256"])
    done.append(_check_artifact(digest, artifact or str(asset["saved_as"])))
    level = Level.NONE
    if asset["forge_sha256"] is not None:
        _same(digest, asset["forge_sha256"], "the forge's digest")
        level = Level.DIGEST
        done.append("forge: the same digest")
    if receipt["manifest"] is not None:
        listed = parse(receipt["manifest"]["text"].encode())
        _same(digest, listed.digest_of(asset["name"]) or listed.bare, "the manifest's digest")
        level = Level.CHECKSUM
        done.append(f"manifest: {receipt['manifest']['name']} lists it")
    if receipt["bundle"] is not None:
        level = _check_bundle(receipt, digest, policy, root)
        done.append(f"signature: holds, level {level.label}")
    elif policy is not None:
        raise VerificationError("the receipt has no Sigstore bundle, but a signer is required")
    Level.parse(level.label).require(Level.parse(receipt["level"]))
    done += _check_files(receipt)
    return done


def _check_artifact(digest: str, artifact: str) -> str:
    from hephaestus_release._verification import artifact_digest

    _same(artifact_digest(artifact).hex(), digest, "the receipt's digest of the archive")
    return f"archive: sha256:{digest}"


def _check_bundle(receipt: dict[str, Any], digest: str, policy: IdentityPolicy | None, root: Path | None) -> Level:
    details = next(one["details"] for one in receipt["evidence"] if one["verifier"] == "sigstore")
    trusted = TrustedRoot.from_file(root) if root else None
    wanted = policy or _policy(details["policy"])
    return verify_signature(bytes.fromhex(digest), receipt["bundle"].encode(), policy=wanted, root=trusted).level


def _policy(stated: Mapping[str, Any] | None) -> IdentityPolicy | None:
    if stated is None:
        return None
    patterns = tuple(IdentityPattern.parse(text) for text in stated["identities"])
    return IdentityPolicy(str(stated["issuer"]), patterns, stated["source_repository"], stated["source_ref"])


def _check_files(receipt: dict[str, Any]) -> list[str]:
    """The unpacked files that are still there; a file that is gone proves nothing and is passed over."""
    folder, checked = Path(receipt["directory"]), 0
    known = {file["sha256"] for file in receipt["files"]}
    for file in receipt["files"]:
        path = folder / file["path"]
        if path.is_file():
            _same(sha256_of(path, "file").hex(), file["sha256"], f"the receipt's digest of {file['path']}")
            checked += 1
    if not {wheel["sha256"] for wheel in receipt["wheels"]} <= known:
        raise VerificationError("the receipt names a wheel that was not in the archive")
    return [f"files: {checked} of {len(receipt['files'])} are there and unchanged"]


def _same(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise VerificationError(f"sha256:{found} is not {what}: {wanted}")

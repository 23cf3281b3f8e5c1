"""The events of the release plugin: three of its command line, twenty of the pipeline.

The logger is ``hephaestus.release``. Sizes are bytes, delays seconds; digests are SHA-256 in lower-case hexadecimal;
URLs carry neither query nor user info.
"""

from __future__ import annotations

from pathlib import Path

from hephaestus.event import TelemetryEvent

__all__ = [
    "ALL_EVENTS",
    "CLI_RELEASE_INSTALL_ARCHIVE_REMOVED",
    "CLI_RELEASE_INSTALL_COMPLETE",
    "CLI_RELEASE_INSTALL_FAILED",
    "CLI_RELEASE_INSTALL_START",
    "RELEASE_ASSET_SANITISED",
    "RELEASE_ASSET_SELECTED",
    "RELEASE_DOWNLOAD_COMPLETE",
    "RELEASE_DOWNLOAD_START",
    "RELEASE_EXTRACT_COMPLETE",
    "RELEASE_EXTRACT_START",
    "RELEASE_HTTP_RETRY",
    "RELEASE_INSTALL_COMPLETE",
    "RELEASE_INSTALL_INVOKE",
    "RELEASE_INSTALL_START",
    "RELEASE_MANIFEST_DOWNLOAD",
    "RELEASE_MANIFEST_LOCATE",
    "RELEASE_MANIFEST_SKIPPED",
    "RELEASE_MANIFEST_VERIFIED",
    "RELEASE_METADATA_FETCH",
    "RELEASE_NETWORK_RETRY",
    "RELEASE_SIGSTORE_DOWNLOAD",
    "RELEASE_SIGSTORE_LOCATE",
    "RELEASE_SIGSTORE_MISSING",
    "RELEASE_SIGSTORE_VERIFIED",
]

CLI_RELEASE_INSTALL_START = TelemetryEvent(
    name="cli.release.install.start",
    description="The command that installs a release begins.",
    required_fields={
        "repository": str,
        "tag": str,
        "destination": Path,
        "allow_unsigned": bool,
        "asset_pattern": str,
        "manifest_pattern": str,
        "sigstore_pattern": str,
        "require_sigstore": bool,
        "timeout": float,
        "max_retries": int,
    },
    optional_fields={"sigstore_identity": str},
)

CLI_RELEASE_INSTALL_COMPLETE = TelemetryEvent(
    name="cli.release.install.complete",
    description="The command installed the release; the tag is the resolved one.",
    required_fields={"repository": str, "tag": str, "asset": str, "allow_unsigned": bool},
)

CLI_RELEASE_INSTALL_FAILED = TelemetryEvent(
    "cli.release.install.failed",
    "A release was refused, could not be fetched or installed, or the command was interrupted.",
    {"repository": str, "tag": str, "reason": str},
)

CLI_RELEASE_INSTALL_ARCHIVE_REMOVED = TelemetryEvent(
    name="cli.release.install.archive-removed",
    description="The downloaded archive was deleted after the installation, as asked.",
    required_fields={"archive": Path},
)

RELEASE_METADATA_FETCH = TelemetryEvent(
    name="release.metadata.fetch",
    description="The release is looked up at its forge.",
)

RELEASE_ASSET_SELECTED = TelemetryEvent(
    name="release.asset.selected",
    description="Exactly one asset of the release matches the pattern and will be downloaded.",
    required_fields={"asset": str, "size": int},
)

RELEASE_ASSET_SANITISED = TelemetryEvent(
    name="release.asset.sanitised",
    description="An asset's name is not safe as a file name; it is saved under another one.",
    required_fields={"original_name": str, "sanitised_name": str},
)

RELEASE_MANIFEST_LOCATE = TelemetryEvent(
    name="release.manifest.locate",
    description="The release is searched for a checksum manifest.",
    required_fields={"pattern": str},
)

RELEASE_MANIFEST_DOWNLOAD = TelemetryEvent(
    name="release.manifest.download",
    description="The checksum manifest is downloaded.",
    required_fields={"manifest": str, "destination": Path},
)

RELEASE_MANIFEST_VERIFIED = TelemetryEvent(
    name="release.manifest.verified",
    description="The manifest lists the digest of the bytes that were downloaded.",
    required_fields={"asset": str, "digest": str},
)

RELEASE_MANIFEST_SKIPPED = TelemetryEvent(
    name="release.manifest.skipped",
    description="The release has no manifest, and the caller allowed that.",
    required_fields={"asset": str},
)

RELEASE_DOWNLOAD_START = TelemetryEvent(
    name="release.download.start",
    description="The download of the asset begins.",
    required_fields={"asset": str, "destination": Path},
    optional_fields={"overwrite": bool},
)

RELEASE_DOWNLOAD_COMPLETE = TelemetryEvent(
    name="release.download.complete",
    description="All bytes of the asset are here; the file takes its final name once it is verified.",
    required_fields={"asset": str, "destination": Path},
)

RELEASE_NETWORK_RETRY = TelemetryEvent(
    name="release.network.retry",
    description="Looking up the release failed for now and will be tried again.",
    required_fields={"url": str, "attempt": int, "max_retries": int},
    optional_fields={"reason": str, "backoff_seconds": float, "description": str},
)

RELEASE_HTTP_RETRY = TelemetryEvent(
    name="release.http.retry",
    description="Downloading a file of the release failed for now and will be tried again.",
    required_fields={"url": str, "attempt": int, "max_retries": int},
    optional_fields={"http_status": int, "backoff_seconds": float, "description": str},
)

RELEASE_SIGSTORE_LOCATE = TelemetryEvent(
    name="release.sigstore.locate",
    description="The release is searched for the asset's Sigstore bundle.",
    required_fields={"pattern": str},
)

RELEASE_SIGSTORE_DOWNLOAD = TelemetryEvent(
    name="release.sigstore.download",
    description="The Sigstore bundle is downloaded.",
    required_fields={"bundle": str, "destination": Path},
)

RELEASE_SIGSTORE_MISSING = TelemetryEvent(
    name="release.sigstore.missing",
    description="The release has no Sigstore bundle for the asset.",
    required_fields={"pattern": str},
)

RELEASE_SIGSTORE_VERIFIED = TelemetryEvent(
    name="release.sigstore.verified",
    description="The bundle's signature, certificate and log entry hold for the downloaded bytes.",
    required_fields={"subject": str, "issuer": str, "identities": tuple[str, ...]},
)

RELEASE_EXTRACT_START = TelemetryEvent(
    name="release.extract.start",
    description="The archive is unpacked.",
    required_fields={"destination": Path},
    optional_fields={"overwrite": bool},
)

RELEASE_EXTRACT_COMPLETE = TelemetryEvent(
    name="release.extract.complete",
    description="The archive is unpacked, and its folder has its final name.",
    required_fields={"destination": Path},
)

RELEASE_INSTALL_START = TelemetryEvent(
    name="release.install.start",
    description="The wheels of a folder are about to be checked and installed.",
    required_fields={"wheels": int, "directory": Path, "upgrade": bool},
    optional_fields={"python_executable": str},
)

RELEASE_INSTALL_INVOKE = TelemetryEvent(
    name="release.install.invoke",
    description="The installer is started with this command.",
    required_fields={"command": list[str]},
)

RELEASE_INSTALL_COMPLETE = TelemetryEvent(
    name="release.install.complete",
    description="The installer put the wheels in place.",
    required_fields={"wheels": int, "directory": Path},
)

ALL_EVENTS: tuple[TelemetryEvent, ...] = (
    CLI_RELEASE_INSTALL_START,
    CLI_RELEASE_INSTALL_COMPLETE,
    CLI_RELEASE_INSTALL_FAILED,
    CLI_RELEASE_INSTALL_ARCHIVE_REMOVED,
    RELEASE_METADATA_FETCH,
    RELEASE_ASSET_SELECTED,
    RELEASE_ASSET_SANITISED,
    RELEASE_MANIFEST_LOCATE,
    RELEASE_MANIFEST_DOWNLOAD,
    RELEASE_MANIFEST_VERIFIED,
    RELEASE_MANIFEST_SKIPPED,
    RELEASE_DOWNLOAD_START,
    RELEASE_DOWNLOAD_COMPLETE,
    RELEASE_NETWORK_RETRY,
    RELEASE_HTTP_RETRY,
    RELEASE_SIGSTORE_LOCATE,
    RELEASE_SIGSTORE_DOWNLOAD,
    RELEASE_SIGSTORE_MISSING,
    RELEASE_SIGSTORE_VERIFIED,
    RELEASE_EXTRACT_START,
    RELEASE_EXTRACT_COMPLETE,
    RELEASE_INSTALL_START,
    RELEASE_INSTALL_INVOKE,
    RELEASE_INSTALL_COMPLETE,
)

"""What the commands do, with the events of the command line."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hephaestus.plugins import PluginHost
from hephaestus.telemetry import emit_event, operation_context
from hephaestus_release._fetch import OnBytes
from hephaestus_release._identity import IdentityPolicy
from hephaestus_release._install import install_wheels
from hephaestus_release._options import ReleaseOptions
from hephaestus_release._pipeline import default_destination, fetch_release
from hephaestus_release._receipt import check_receipt, save_receipt
from hephaestus_release._target import find_target
from hephaestus_release._verification import verify_files
from hephaestus_release.events import (
    CLI_RELEASE_INSTALL_ARCHIVE_REMOVED,
    CLI_RELEASE_INSTALL_COMPLETE,
    CLI_RELEASE_INSTALL_FAILED,
    CLI_RELEASE_INSTALL_START,
)

__all__ = ["download_release", "install_release", "verify_bundle_file", "verify_receipt"]

logger = logging.getLogger("hephaestus.release")


def install_release(
    options: ReleaseOptions,
    host: PluginHost,
    on_bytes: OnBytes,
    *,
    python: str | None,
    installer: str,
    upgrade: bool,
    remove_archive: bool,
) -> tuple[dict[str, Any], Path]:
    """Fetch a release and install its wheels.

    Args:
        options: which release, and what it must prove.
        host: whose plugins give sources and verifiers.
        on_bytes: told of the download's progress.
        python: the environment; None for the active one.
        installer: pip or uv.
        upgrade: replace what is installed already.
        remove_archive: delete the archive afterwards.

    Returns:
        The receipt, and where it was written.

    Raises:
        UsageError: an option that will not do.
        ReleaseError: the release is refused, or cannot be fetched or installed.
    """
    with operation_context("release.install"):
        _emit_start(options)
        try:
            # Before the download: a missing environment should not cost a gigabyte.
            target = find_target(python)
            fetched = fetch_release(options, host, on_bytes)
            installation = install_wheels(
                fetched.wheels, fetched.directory, target, installer=installer, upgrade=upgrade
            )
            path = save_receipt(fetched.receipt, options.cache_dir, installation)
            if remove_archive:
                fetched.archive.unlink(missing_ok=True)
                emit_event(
                    logger, CLI_RELEASE_INSTALL_ARCHIVE_REMOVED, message="Removed the archive", archive=fetched.archive
                )
            emit_event(
                logger,
                CLI_RELEASE_INSTALL_COMPLETE,
                message="Installed the release",
                repository=options.repository,
                tag=fetched.release.tag,
                asset=fetched.asset.name,
                allow_unsigned=options.allow_unsigned,
            )
        except BaseException as error:
            # Ctrl-C and signals too: each start has its end.
            _emit_failed(options, error)
            raise
    return fetched.receipt, path


def download_release(options: ReleaseOptions, host: PluginHost, on_bytes: OnBytes) -> tuple[dict[str, Any], Path]:
    """Fetch a release and stop before the installation.

    Returns:
        The receipt, and where it was written.

    Raises:
        UsageError: an option that will not do.
        ReleaseError: the release is refused, or cannot be fetched.
    """
    fetched = fetch_release(options, host, on_bytes)
    return fetched.receipt, save_receipt(fetched.receipt, options.cache_dir, None)


def verify_bundle_file(
    artifact: str, bundle: Path, signer: Mapping[str, Any], trusted_root: Path | None
) -> dict[str, Any]:
    """Verify an artifact by its bundle; the evidence as JSON values.

    Args:
        artifact: a file, or `sha256:` and its digest.
        bundle: the bundle's file.
        signer: `issuer`, `identities` and `signer_repository`, as `IdentityPolicy.build` takes them.
        trusted_root: whom to trust; None for Sigstore's public root.

    Raises:
        UsageError: no signer is named, or a file cannot be read.
        VerificationError: refused.
    """
    policy = IdentityPolicy.build(**signer)
    return verify_files(artifact, bundle, policy=policy, trusted_root=trusted_root).as_json()


def verify_receipt(
    receipt: Path, artifact: str | None, signer: Mapping[str, Any], trusted_root: Path | None
) -> list[str]:
    """Check a receipt's chain; what was checked, one line each.

    Args:
        receipt: the receipt's file.
        artifact: the archive or its digest; None for the file that the receipt names.
        signer: as for `verify_bundle_file`; empty values leave the receipt's own policy.
        trusted_root: whom to trust; None for Sigstore's public root.

    Raises:
        UsageError: a file cannot be read.
        VerificationError: a link does not hold.
    """
    policy = IdentityPolicy.build(**signer) if any(signer.values()) else None
    return check_receipt(receipt, artifact, policy=policy, trusted_root=trusted_root)


def _emit_start(options: ReleaseOptions) -> None:
    emit_event(
        logger,
        CLI_RELEASE_INSTALL_START,
        message=f"Installing a release of {options.repository}",
        repository=options.repository,
        tag=options.tag or "latest",
        destination=options.destination or default_destination(options),
        allow_unsigned=options.allow_unsigned,
        asset_pattern=options.asset_pattern,
        manifest_pattern=options.manifest_pattern,
        sigstore_pattern=options.sigstore_pattern,
        require_sigstore=options.require_sigstore,
        timeout=options.limits.timeout,
        max_retries=options.limits.attempts,
        sigstore_identity=", ".join(options.sigstore_identities) or None,
    )


def _emit_failed(options: ReleaseOptions, error: BaseException) -> None:
    emit_event(
        logger,
        CLI_RELEASE_INSTALL_FAILED,
        level=logging.ERROR,
        message=f"Installing a release of {options.repository} failed",
        repository=options.repository,
        tag=options.tag or "latest",
        reason=str(error) or type(error).__name__,
    )

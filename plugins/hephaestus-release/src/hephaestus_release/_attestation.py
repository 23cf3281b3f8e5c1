"""Sigstore as a verifier: finds the asset's bundle among the release's files and has it verified."""

from __future__ import annotations

import logging

from hephaestus.errors import UsageError
from hephaestus.telemetry import emit_event
from hephaestus_release._assets import companion
from hephaestus_release._identity import IdentityPolicy
from hephaestus_release._levels import Level
from hephaestus_release._options import ReleaseOptions
from hephaestus_release._trust import TrustedRoot
from hephaestus_release._verification import verify_signature
from hephaestus_release.errors import VerificationError
from hephaestus_release.events import (
    RELEASE_SIGSTORE_DOWNLOAD,
    RELEASE_SIGSTORE_LOCATE,
    RELEASE_SIGSTORE_MISSING,
    RELEASE_SIGSTORE_VERIFIED,
)
from hephaestus_release.verifiers import Candidate, Evidence

__all__ = ["SigstoreVerifier", "check_signer"]

logger = logging.getLogger("hephaestus.release")


def check_signer(options: ReleaseOptions) -> None:
    """Refuse options on the signer that no bundle could satisfy, before anything is fetched.

    Raises:
        UsageError: a malformed pattern, issuer or repository, or a trusted root that cannot be read.
        TrustError: the trusted root is malformed.
    """
    if options.any_signer and (options.sigstore_identities or options.signer_repo or options.sigstore_issuer):
        raise UsageError("--any-signer contradicts the other options on the signer", hint="leave one of them out")
    if options.sigstore_identities or options.signer_repo:
        IdentityPolicy.build(
            issuer=options.sigstore_issuer,
            identities=options.sigstore_identities,
            signer_repository=options.signer_repo,
        )
    if options.trusted_root is not None:
        TrustedRoot.from_file(options.trusted_root)


class SigstoreVerifier:
    """Verifies the bundle next to the asset; a bundle that is there must verify.

    Args:
        options: pattern, signer, trusted root, and whether a bundle must be there.
    """

    name = "sigstore"

    def __init__(self, options: ReleaseOptions) -> None:
        self._options = options

    def verify(self, candidate: Candidate) -> Evidence | None:
        """Locate, download and verify.

        Raises:
            VerificationError: no bundle though one is required, or a bundle that is refused.
        """
        options = self._options
        pattern = options.sigstore_pattern
        emit_event(logger, RELEASE_SIGSTORE_LOCATE, message="Looking for a Sigstore bundle", pattern=pattern)
        bundle = companion(candidate.release, candidate.asset, pattern, "--sigstore-pattern")
        if bundle is None:
            emit_event(logger, RELEASE_SIGSTORE_MISSING, message="The release has no Sigstore bundle", pattern=pattern)
            if options.require_sigstore or options.require >= Level.SIGSTORE:
                raise VerificationError(
                    f"no Sigstore bundle for {candidate.asset.name!r}, but one is required",
                    hint="ask the publisher for one, or name its pattern with --sigstore-pattern",
                )
            return None
        saved = candidate.saved_path(bundle)
        emit_event(
            logger, RELEASE_SIGSTORE_DOWNLOAD, message="Downloading the bundle", bundle=bundle.name, destination=saved
        )
        raw = candidate.download(bundle)
        root = TrustedRoot.from_file(options.trusted_root) if options.trusted_root else None
        policy = self._policy(candidate)
        evidence = verify_signature(bytes.fromhex(candidate.sha256), raw, policy=policy, root=root)
        emit_event(
            logger,
            RELEASE_SIGSTORE_VERIFIED,
            message="The Sigstore bundle holds",
            subject=evidence.subject,
            issuer=evidence.issuer,
            identities=evidence.identities,
        )
        return Evidence(
            self.name, evidence.level.label, {**evidence.as_json(), "bundle": bundle.name, "policy": _stated(policy)}
        )

    def _policy(self, candidate: Candidate) -> IdentityPolicy | None:
        """Who must have signed: whom the options name, else a workflow of the very repository."""
        options = self._options
        if options.any_signer:
            return None
        server = candidate.repository_uri.removesuffix(f"/{candidate.release.repository}")
        named = bool(options.sigstore_identities or options.signer_repo)
        return IdentityPolicy.build(
            issuer=options.sigstore_issuer,
            identities=options.sigstore_identities,
            signer_repository=options.signer_repo if named else candidate.release.repository,
            tag=candidate.release.tag if options.signer_repo else None,
            server_url=server,
        )


def _stated(policy: IdentityPolicy | None) -> dict[str, object] | None:
    """The policy as JSON values, so that a receipt can be checked by the same one."""
    if policy is None:
        return None
    return {
        "issuer": policy.issuer,
        "identities": [pattern.text for pattern in policy.patterns],
        "source_repository": policy.source_repository,
        "source_ref": policy.source_ref,
    }

"""From option values and the workspace's configuration to the options of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from hephaestus.errors import UsageError
from hephaestus_release._archive import Budget
from hephaestus_release._config import ReleaseConfig
from hephaestus_release._levels import Level
from hephaestus_release._options import ReleaseOptions
from hephaestus_release._retry import Limits

__all__ = ["build_options"]

T = TypeVar("T")


def build_options(config: ReleaseConfig, given: Mapping[str, Any]) -> ReleaseOptions:
    """The options of a run: what was given on the command line, else what is configured.

    Args:
        config: `[tool.hephaestus.release]` under the environment.
        given: option values by name; None and empty tuples count as not given.

    Raises:
        UsageError: no repository, or a value out of range.
    """

    def pick(name: str, configured: T) -> T:
        value = given.get(name)
        return configured if value is None or value == () else value

    repository = pick("repository", config.repository)
    if not repository:
        raise UsageError("no repository is named", hint="give it as owner/repo, or configure [tool.hephaestus.release]")
    limits = Limits(
        timeout=_positive("--timeout", pick("timeout", config.timeout)),
        attempts=_positive("--max-retries", pick("max_retries", config.max_retries)),
        backoff=_positive("backoff", config.backoff),
        deadline=_positive("--deadline", pick("deadline", config.deadline)),
        minimum_rate=_positive("minimum-rate", config.minimum_rate),
    )
    return ReleaseOptions(
        repository=repository,
        tag=given.get("tag"),
        source=pick("source", config.source),
        api_url=given.get("api_url"),
        loopback_http=bool(given.get("loopback_http")),
        token_file=given.get("token_file"),
        asset_pattern=pick("asset_pattern", config.asset_pattern),
        manifest_pattern=pick("manifest_pattern", config.manifest_pattern),
        sigstore_pattern=pick("sigstore_pattern", config.sigstore_pattern),
        destination=given.get("destination"),
        cache_dir=pick("cache_dir", config.cache_dir) or _folder("cache"),
        use_cache=not given.get("no_cache"),
        lock_file=pick("lock_file", config.lock_file) or _folder("state") / "release-lock.json",
        accept_change=bool(given.get("accept_change")),
        overwrite=bool(given.get("overwrite")),
        allow_unsigned=pick("allow_unsigned", config.allow_unsigned),
        require=Level.parse(pick("require", config.require)),
        require_sigstore=pick("require_sigstore", config.require_sigstore),
        any_signer=pick("any_signer", config.any_signer),
        signer_repo=pick("signer_repo", config.signer_repo) or None,
        sigstore_identities=tuple(pick("sigstore_identity", tuple(config.sigstore_identity))),
        sigstore_issuer=pick("sigstore_issuer", config.sigstore_issuer) or None,
        trusted_root=pick("trusted_root", config.trusted_root),
        required_verifiers=tuple(config.required_verifiers),
        limits=limits,
        budget=Budget(size=_positive("max-unpacked-mib", config.max_unpacked_mib) * 1024 * 1024),
    )


def _positive(name: str, value: Any) -> Any:
    """The number, if it is one above zero; NaN and infinity are not."""
    if not 0 < value < 1e9:
        raise UsageError(f"{name} must be a number above 0, got {value}")
    return value


def _folder(kind: str) -> Path:
    """The platform's cache or state folder for this user."""
    import platformdirs

    path = platformdirs.user_cache_path if kind == "cache" else platformdirs.user_state_path
    return path("hephaestus") / "release" if kind == "cache" else path("hephaestus")

"""Every error that the release plugin raises on purpose.

::

    HephaestusError
    └── ReleaseError                a release could not be fetched, verified or installed
        ├── NetworkError            the forge did not answer, or answered with something unusable
        ├── AssetError              no asset, several assets, or a name that cannot be saved
        ├── ManifestError           the checksum manifest is absent, malformed or does not match
        ├── VerificationError       a signature, certificate, log entry or digest was refused
        │   ├── BundleError         the bundle cannot be read, or is of an unknown kind
        │   ├── IdentityError       signed, but not by whom it should be
        │   └── LevelError          verified to a lower level than the one that is required
        ├── TrustError              the trusted root cannot be read or used
        ├── ArchiveError            the archive is hostile, damaged or over a budget
        ├── WheelError              a wheel's name, content or RECORD is wrong
        ├── InstallError            the installer failed
        ├── CacheError              the cache cannot be used
        └── LockError               the lock file refuses, or cannot be read
"""

from __future__ import annotations

from hephaestus.errors import HephaestusError

__all__ = [
    "ArchiveError",
    "AssetError",
    "BundleError",
    "CacheError",
    "IdentityError",
    "InstallError",
    "LevelError",
    "LockError",
    "ManifestError",
    "NetworkError",
    "ReleaseError",
    "TrustError",
    "VerificationError",
    "WheelError",
]


class ReleaseError(HephaestusError):
    """A release could not be fetched, verified or installed."""


class NetworkError(ReleaseError):
    """The forge did not answer, answered too slowly, or answered with something unusable."""


class AssetError(ReleaseError):
    """No asset matches, several match, or the asset's name cannot be saved."""


class ManifestError(ReleaseError):
    """The checksum manifest is absent, malformed, or names another digest."""


class VerificationError(ReleaseError):
    """A signature, certificate, log entry, time stamp or digest was refused."""


class BundleError(VerificationError):
    """The Sigstore bundle cannot be read, is too large, or is of an unknown kind."""


class IdentityError(VerificationError):
    """The signature is genuine, but its signer is not the one that was asked for."""


class LevelError(VerificationError):
    """The release was verified to a lower level than the one that is required."""


class TrustError(ReleaseError):
    """The trusted root cannot be read, or names nothing that could be trusted."""


class ArchiveError(ReleaseError):
    """The archive is hostile, damaged, of an unknown kind, or over a budget."""


class WheelError(ReleaseError):
    """A wheel's file name, content or RECORD is wrong."""


class InstallError(ReleaseError):
    """The installer could not be started, or refused the wheels."""


class CacheError(ReleaseError):
    """The cache folder cannot be used, or an entry in it is damaged."""


class LockError(ReleaseError):
    """The lock file cannot be read, or refuses a release below the recorded level."""

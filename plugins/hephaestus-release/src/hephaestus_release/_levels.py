"""How far a release has been verified, from nothing to a signature by the right signer."""

from __future__ import annotations

from enum import IntEnum

from hephaestus.errors import UsageError
from hephaestus_release.errors import LevelError

__all__ = ["Level"]


class Level(IntEnum):
    """Levels in ascending order; each includes those below it.

    ``NONE`` nothing was compared; ``DIGEST`` the forge's own digest matched; ``CHECKSUM`` a published manifest
    matched; ``SIGSTORE`` a signature by some identity was verified; ``SIGSTORE_IDENTITY`` by the one that was named.
    """

    NONE = 0
    DIGEST = 1
    CHECKSUM = 2
    SIGSTORE = 3
    SIGSTORE_IDENTITY = 4

    @property
    def label(self) -> str:
        """The level's name in options, configuration, lock file and receipt, e.g. "sigstore+identity"."""
        return self.name.lower().replace("_", "+")

    def __str__(self) -> str:
        return self.label

    @classmethod
    def parse(cls, label: str) -> Level:
        """The level of that name.

        Raises:
            UsageError: no level has that name.
        """
        for level in cls:
            if level.label == label:
                return level
        known = ", ".join(level.label for level in cls)
        raise UsageError(f"unknown verification level {label!r}", hint=f"use one of: {known}")

    def require(self, minimum: Level) -> None:
        """Refuse this level when it is below `minimum`.

        Raises:
            LevelError: it is below.
        """
        if self < minimum:
            raise LevelError(
                f"the release was verified to level {self.label!r}, but {minimum.label!r} is required",
                hint=_MENDS[minimum],
            )


_MENDS = {
    Level.NONE: "",
    Level.DIGEST: "the forge publishes no digest for this asset: ask for a newer release, or lower the required level",
    Level.CHECKSUM: "ask the publisher for a checksum manifest, or lower the required level",
    Level.SIGSTORE: "ask the publisher for a Sigstore bundle, or lower the required level",
    Level.SIGSTORE_IDENTITY: "name the signer and its OIDC issuer, or lower the required level",
}

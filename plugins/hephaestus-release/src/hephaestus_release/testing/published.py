"""A whole release in one call: wheels, wheelhouse, manifest and bundle, published on a local GitHub."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from hephaestus_release.testing.github import LocalGitHub
from hephaestus_release.testing.wheels import Compression, build_wheel, build_wheelhouse

if TYPE_CHECKING:
    from hephaestus_release.testing.sigstore import LocalSigstore, SignerProfile

__all__ = ["Published", "publish_wheelhouse"]


@frozen
class Published:
    """What was published.

    Attributes:
        archive: the wheelhouse.
        sha256: its digest, 64 lower-case hexadecimal digits.
        wheels: the wheels in it.
        assets: content of all assets by name.
    """

    archive: bytes
    sha256: str
    wheels: tuple[Path, ...]
    assets: dict[str, bytes]


def publish_wheelhouse(
    github: LocalGitHub,
    folder: Path,
    *,
    repository: str = "octo/widgets",
    tag: str = "v1.0.0",
    name: str = "wheelhouse.tar.gz",
    wheels: Sequence[Path] | None = None,
    archive: bytes | None = None,
    inside: str = "",
    compression: Compression = "tar.gz",
    manifest: bytes | None = b"",
    manifest_name: str = "SHA256SUMS",
    sigstore: LocalSigstore | None = None,
    profile: SignerProfile | None = None,
    extra: Mapping[str, bytes] | None = None,
    digests: bool = True,
    amend: Callable[[dict[str, Any]], Any] | None = None,
) -> Published:
    """Build and publish a release.

    Args:
        github: where.
        folder: an existing folder to build in.
        repository: `owner/repo`.
        tag: the release's tag.
        name: the archive's name among the assets.
        wheels: wheels to pack; two small ones, `alpha` and `beta`, when left out.
        archive: the archive's bytes, in place of one of the wheels.
        inside: folder within the archive that holds the wheels.
        compression: the archive's format.
        manifest: the manifest's bytes; the right ones when empty, no manifest when None.
        manifest_name: the manifest's name among the assets.
        sigstore: signs the archive; None for a release without a bundle.
        profile: who signs.
        extra: further assets, or other content for the ones above.
        digests: whether the API tells the assets' digests.
        amend: changes the API's answer, as `LocalGitHub.publish` says.
    """
    if wheels is None:
        wheels = [build_wheel(folder, "alpha"), build_wheel(folder, "beta", "2.0", requires=["alpha"])]
    if archive is None:
        archive = build_wheelhouse(
            folder / "built-archive", wheels, inside=inside, compression=compression
        ).read_bytes()
    sha256 = hashlib.sha256(archive).hexdigest()
    assets = {name: archive}
    if manifest is not None:
        assets[manifest_name] = manifest or f"{sha256}  {name}\n".encode()
    if sigstore is not None:
        bundle = folder / "built-bundle"
        sigstore.sign(archive, profile=profile).write(bundle)
        assets[f"{name}.sigstore.json"] = bundle.read_bytes()
    assets |= extra or {}
    github.publish(repository, tag, assets, digests=digests, amend=amend)
    return Published(archive, sha256, tuple(wheels), assets)

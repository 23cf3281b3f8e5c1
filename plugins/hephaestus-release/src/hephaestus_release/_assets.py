"""Which assets of a release are meant: the archive, its manifest, its bundle."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from hephaestus_release.errors import AssetError
from hephaestus_release.sources import Asset, Release

__all__ = ["companion", "select"]


def patterns(text: str) -> list[str]:
    """The globs of a comma-separated list, in order."""
    return [part.strip() for part in text.split(",") if part.strip()]


def select(release: Release, asset_pattern: str, *, companions: Sequence[str]) -> Asset:
    """The one asset that matches.

    Args:
        release: where to look.
        asset_pattern: comma-separated globs; the first one that matches anything decides.
        companions: patterns of manifests and bundles, which are no archives; an exact name overrides them.

    Raises:
        AssetError: none matches, several match, or the forge's data on the asset are unusable.
    """
    for pattern in patterns(asset_pattern):
        found = [asset for asset in release.assets if fnmatchcase(asset.name, pattern)]
        exact = [asset for asset in found if asset.name == pattern]
        found = exact or [asset for asset in found if not _matches_any(asset.name, companions)]
        if found:
            return _only(found, f"assets match {pattern!r}", "--asset-pattern")
    raise AssetError(
        f"no asset of {release.repository} {release.tag} matches {asset_pattern!r}: {_listed(release.assets)}",
        hint="choose one with --asset-pattern",
    )


def companion(release: Release, asset: Asset, pattern: str, option: str) -> Asset | None:
    """The manifest or bundle of an asset; None when there is none.

    A file called `<asset>.<suffix>` belongs to that asset: it is preferred for it, and no candidate for any other.

    Args:
        release: where to look.
        asset: the asset that the file is about.
        pattern: comma-separated globs, in order of preference.
        option: the option that sets the pattern, for the message.

    Raises:
        AssetError: several files match, or the forge's data on the file are unusable.
    """
    names = [other.name for other in release.assets if other.name]
    for glob in patterns(pattern):
        matching = [a for a in release.assets if a.name != asset.name and fnmatchcase(a.name, glob)]
        owners = {a.name: _owner(a.name, names) for a in matching}
        own = [a for a in matching if owners[a.name] == asset.name]
        found = own or [a for a in matching if owners[a.name] is None]
        if found:
            return _only(found, f"files of {asset.name!r} match {glob!r}", option)
    return None


def _owner(name: str, names: Sequence[str]) -> str | None:
    """The asset that the file is named after: the longest that is followed by a dot."""
    return max((other for other in names if name.startswith(f"{other}.")), key=len, default=None)


def _matches_any(name: str, companions: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for text in companions for glob in patterns(text))


def _only(found: Sequence[Asset], what: str, option: str) -> Asset:
    """The single asset, if it is usable."""
    if len(found) > 1:
        raise AssetError(f"{len(found)} {what}: {_listed(found)}", hint=f"choose one with {option}")
    if found[0].problem:
        raise AssetError(f"the asset {found[0].name!r} cannot be used: {found[0].problem}")
    return found[0]


def _listed(assets: Sequence[Asset]) -> str:
    """The assets' names, at most ten."""
    names = [repr(asset.name) for asset in assets[:10]]
    rest = [f"and {len(assets) - 10} more"] if len(assets) > 10 else []
    return ", ".join(names + rest) or "it has no assets"

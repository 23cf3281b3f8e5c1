"""The hooks that the release plugin offers to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hephaestus.plugins import hookspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hephaestus_release._options import ReleaseOptions
    from hephaestus_release.sources import AssetSource
    from hephaestus_release.verifiers import Verifier

__all__ = ["hephaestus_release_sources", "hephaestus_release_verifiers"]


@hookspec
def hephaestus_release_sources() -> Iterable[AssetSource]:
    """Forges that releases can be fetched from.

    Called once for each run of `hephaestus release install` or `download`. A source is chosen by its `name` with
    `--source`; two sources of one name are refused. GitHub is such a source. An implementation that raises is
    reported and left out, and choosing its source then fails.

    Example:
        .. code-block:: python

            @implements(hookspecs.hephaestus_release_sources)
            def hephaestus_release_sources() -> list[AssetSource]:
                from my_forge import MyForge

                return [MyForge()]
    """
    raise NotImplementedError


@hookspec
def hephaestus_release_verifiers(options: ReleaseOptions) -> Iterable[Verifier]:
    """Steps that may refuse a downloaded release before anything of it is unpacked.

    Called once for each run, after the options are known. All verifiers of all plugins run, in the plugins' order,
    after the checksum manifest matched; the first that raises ends the run. Sigstore is such a verifier. An
    implementation that raises while it is asked for its verifiers is reported and left out: name the verifiers that
    must have approved in `required-verifiers`, then a release is refused without them.

    Args:
        options: what the caller asked for.

    Example:
        .. code-block:: python

            @implements(hookspecs.hephaestus_release_verifiers)
            def hephaestus_release_verifiers(options: ReleaseOptions) -> list[Verifier]:
                from my_scanner import VirusScan

                return [VirusScan()]
    """
    raise NotImplementedError

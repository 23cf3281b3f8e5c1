"""What the release plugin contributes: events, one command group, two hooks and their first implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hephaestus.plugins import Command, ConfigTable, hookspecs, implements
from hephaestus_release import hookspecs as release_hookspecs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hephaestus.event import TelemetryEvent
    from hephaestus_release._options import ReleaseOptions
    from hephaestus_release.sources import AssetSource
    from hephaestus_release.verifiers import Verifier

__all__: list[str] = []

_SUMMARY = "Download, verify and install a published wheelhouse."


@implements(hookspecs.hephaestus_events)
def hephaestus_events() -> Iterable[TelemetryEvent]:
    """The 23 release events."""
    from hephaestus_release.events import ALL_EVENTS

    return ALL_EVENTS


@implements(hookspecs.hephaestus_commands)
def hephaestus_commands() -> Iterable[Command]:
    """`hephaestus release`."""
    return [Command("release", "hephaestus_release.cli:release", _SUMMARY)]


@implements(hookspecs.hephaestus_hookspecs)
def hephaestus_hookspecs() -> Iterable[object]:
    """The hooks of `hephaestus_release.hookspecs`."""
    return [release_hookspecs]


@implements(hookspecs.hephaestus_config_tables)
def hephaestus_config_tables() -> Iterable[ConfigTable]:
    """`[tool.hephaestus.release]`."""
    return [ConfigTable("release", "hephaestus_release._config:ReleaseConfig")]


@implements(release_hookspecs.hephaestus_release_sources)
def hephaestus_release_sources() -> Iterable[AssetSource]:
    """GitHub and GitHub Enterprise Server."""
    from hephaestus_release._github import GitHubSource

    return [GitHubSource()]


@implements(release_hookspecs.hephaestus_release_verifiers)
def hephaestus_release_verifiers(options: ReleaseOptions) -> Iterable[Verifier]:
    """Sigstore bundles among the assets."""
    from hephaestus_release._attestation import SigstoreVerifier

    return [SigstoreVerifier(options)]

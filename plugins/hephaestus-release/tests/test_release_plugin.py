"""The plugin as a whole: events, hooks for others, and what is imported when."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from attrs import field, frozen
from rich.console import Console

from hephaestus.errors import HephaestusError, UsageError
from hephaestus.plugins import PluginHost, current_host, implements
from hephaestus.testing import PluginConformance, capture_events, hosting
from hephaestus_release import events, hookspecs, plugin
from hephaestus_release._command import download_release
from hephaestus_release._fetch import Fetcher
from hephaestus_release._options import ReleaseOptions
from hephaestus_release._pipeline import find_source
from hephaestus_release._progress import download_bar
from hephaestus_release.errors import VerificationError
from hephaestus_release.sources import Asset, AssetSource, Fetch, Release, Request
from hephaestus_release.testing.github import LocalGitHub
from hephaestus_release.testing.published import Published, publish_wheelhouse
from hephaestus_release.verifiers import Candidate, Evidence, Verifier

_PROBE = """
import sys
from hephaestus.cli import run
code = run(sys.argv[2:])
print(code, *sorted({name.split(".")[0] for name in sys.modules} & set(sys.argv[1].split(","))), file=sys.stderr)
"""
HEAVY = "sigstore,sigstore_models,pydantic,cryptography,httpx,httpcore"


class TestConformance(PluginConformance):
    plugin = "release"


def loaded(environment: dict[str, str], *arguments: str) -> str:
    """Exit code and heavy modules of a run in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", _PROBE, HEAVY, *arguments], capture_output=True, text=True, env=environment, check=True
    )
    return run.stderr.splitlines()[-1]


@pytest.mark.parametrize("command", [(), ("install",), ("download",), ("verify",)])
def test_help_loads_neither_httpx_nor_sigstore(command: tuple[str, ...]) -> None:
    assert loaded(dict(os.environ), "release", *command, "--help") == "0"


def test_a_download_without_a_bundle_loads_httpx_but_neither_sigstore_nor_pydantic(tmp_path: Path) -> None:
    with LocalGitHub() as github:
        publish_wheelhouse(github, tmp_path)
        home = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_STATE_HOME": str(tmp_path / "state")}
        assert loaded(
            {**os.environ, **home}, "release", "download", "octo/widgets", "--api-url", github.api_url,
            "--loopback-http",
        ) == "0 httpcore httpx"  # fmt: skip


def test_all_events_are_listed_once() -> None:
    names = [event.name for event in events.ALL_EVENTS]
    # The contract's 23, and the end of a command that did not complete.
    assert len(names) == len(set(names)) == 24
    assert {vars(events)[name] for name in events.__all__ if name != "ALL_EVENTS"} == set(events.ALL_EVENTS)


def test_a_terminal_shows_a_bar_with_bytes_and_anything_else_nothing() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    with download_bar(terminal) as on_bytes:
        on_bytes(3_000_000, 6_000_000)
    assert isinstance(terminal.file, io.StringIO)
    assert "3.0/6.0 MB" in terminal.file.getvalue()
    with download_bar(None) as on_bytes:
        on_bytes(1, 2)


# ---- hooks of others ------------------------------------------------------------------------------------------------


@frozen
class Shelf:
    """A forge that is a folder on the local GitHub's storage, by another name."""

    github: LocalGitHub
    published: Published
    name: str = "shelf"
    api_url_variable: str = "SHELF_URL"
    token_variables: tuple[str, ...] = ("SHELF_TOKEN",)

    @property
    def api_url(self) -> str:
        return self.github.storage_url

    def check_repository(self, repository: str) -> None:
        if not repository.isalpha():
            raise UsageError("a shelf's name has letters only")

    def repository_uri(self, api_url: str, repository: str) -> str:
        return f"{api_url}/{repository}"

    def release(self, api_url: str, repository: str, tag: str | None, fetch: Fetch) -> Release:
        manifest = fetch(Request(f"{api_url}/1001"))
        assets = (
            Asset("wheelhouse.tar.gz", len(self.published.archive), f"{api_url}/1000"),
            Asset("SHA256SUMS", len(manifest), f"{api_url}/1001"),
        )
        return Release(repository, tag or "1", "", assets)

    def asset_request(self, asset: Asset) -> Request:
        return Request(asset.url)


@frozen
class Scanner:
    """A verifier with a fixed opinion."""

    opinion: Evidence | BaseException | None
    name: str = "scanner"
    looked_at: list[Candidate] = field(factory=list)

    def verify(self, candidate: Candidate) -> Evidence | None:
        assert hashlib.sha256(candidate.path.read_bytes()).hexdigest() == candidate.sha256
        self.looked_at.append(candidate)
        if isinstance(self.opinion, BaseException):
            raise self.opinion
        return self.opinion


class Guest:
    """A plugin of somebody else."""

    def __init__(self, sources: Iterable[AssetSource] = (), verifiers: Iterable[Verifier] = ()) -> None:
        self._sources, self._verifiers = sources, verifiers

    @property
    def module(self) -> object:
        sources, verifiers = self._sources, self._verifiers

        class Module:
            @staticmethod
            @implements(hookspecs.hephaestus_release_sources)
            def hephaestus_release_sources() -> Iterable[AssetSource]:
                return sources

            @staticmethod
            @implements(hookspecs.hephaestus_release_verifiers)
            def hephaestus_release_verifiers(options: ReleaseOptions) -> Iterable[Verifier]:
                return verifiers

        return Module


@pytest.fixture
def github() -> Iterator[LocalGitHub]:
    with LocalGitHub() as server:
        yield server


def options(tmp_path: Path, github: LocalGitHub, **changes: object) -> ReleaseOptions:
    values: dict[str, object] = {
        "repository": "octo/widgets",
        "api_url": github.api_url,
        "loopback_http": True,
        "cache_dir": tmp_path / "cache",
        "lock_file": tmp_path / "lock.json",
        "destination": tmp_path / "out",
        **changes,
    }
    return ReleaseOptions(**values)  # type: ignore[arg-type]


def download(tmp_path: Path, github: LocalGitHub, guest: Guest, **changes: object) -> dict[str, object]:
    with hosting(release=plugin, guest=guest.module):
        return download_release(options(tmp_path, github, **changes), current_host(), lambda _now, _all: None)[0]


def test_another_forge_is_a_source_like_any_other(tmp_path: Path, github: LocalGitHub) -> None:
    published = publish_wheelhouse(github, tmp_path)
    guest = Guest(sources=[Shelf(github, published)])
    receipt = download(tmp_path, github, guest, source="shelf", repository="widgets", api_url=None)
    assert (receipt["source"], receipt["level"]) == ("shelf", "checksum")
    assert {seen.role for seen in github.seen} == {"storage"}
    with pytest.raises(UsageError, match="letters only"):
        download(tmp_path, github, guest, source="shelf", repository="octo/widgets")


def test_an_unknown_or_ambiguous_source_is_a_usage_error(github: LocalGitHub, tmp_path: Path) -> None:
    published = publish_wheelhouse(github, tmp_path)
    with pytest.raises(UsageError, match="no asset source is called 'nowhere'") as caught:
        find_source(PluginHost(report=lambda _: None), "nowhere")
    assert caught.value.hint == "known sources: github"
    twice = Guest(sources=[Shelf(github, published), Shelf(github, published)])
    with pytest.raises(UsageError, match="several asset sources are called 'shelf'"):
        download(tmp_path, github, twice, source="shelf")


def test_a_verifier_sees_the_bytes_and_its_evidence_is_in_the_receipt(tmp_path: Path, github: LocalGitHub) -> None:
    published = publish_wheelhouse(github, tmp_path)
    scanner = Scanner(Evidence("scanner", None, {"engine": 7}))
    receipt = download(tmp_path, github, Guest(verifiers=[scanner]), required_verifiers=("scanner",))
    assert {"verifier": "scanner", "level": None, "details": {"engine": 7}} in receipt["evidence"]  # type: ignore[operator]
    (candidate,) = scanner.looked_at
    assert (candidate.sha256, candidate.size) == (published.sha256, len(published.archive))
    assert candidate.repository_uri == f"{github.api_url}/octo/widgets"


@pytest.mark.parametrize(
    "opinion",
    [VerificationError("scanner: found something"), RuntimeError("scanner: broke"), SystemExit("scanner: out")],
)
def test_whatever_a_verifier_raises_refuses_the_release(
    tmp_path: Path, github: LocalGitHub, opinion: BaseException
) -> None:
    publish_wheelhouse(github, tmp_path)
    with capture_events() as seen, pytest.raises(VerificationError, match="scanner"):
        download(tmp_path, github, Guest(verifiers=[Scanner(opinion)]))
    assert "release.extract.start" not in seen.names
    assert not (tmp_path / "out").exists()


def test_a_required_verifier_must_be_there_and_must_speak(tmp_path: Path, github: LocalGitHub) -> None:
    publish_wheelhouse(github, tmp_path)
    with pytest.raises(VerificationError, match="'scanner' is not there"):
        download(tmp_path, github, Guest(), required_verifiers=("scanner",))
    with pytest.raises(VerificationError, match="'scanner' has nothing to say"):
        download(tmp_path, github, Guest(verifiers=[Scanner(None)]), required_verifiers=("scanner",))


def test_verifiers_that_break_while_they_are_listed_refuse_the_release(tmp_path: Path, github: LocalGitHub) -> None:
    def broken() -> Iterator[Verifier]:
        yield Scanner(None)
        raise RuntimeError("no scanner today")

    publish_wheelhouse(github, tmp_path)
    with pytest.raises(HephaestusError, match="no scanner today"):
        download(tmp_path, github, Guest(verifiers=broken()))


def test_the_fetcher_closes_its_connections(tmp_path: Path, github: LocalGitHub) -> None:
    source = find_source(PluginHost(report=lambda _: None), "github")
    with Fetcher(options(tmp_path, github), source, github.api_url, None) as fetcher:
        publish_wheelhouse(github, tmp_path)
        assert fetcher.release().tag == "v1.0.0"
    with pytest.raises(RuntimeError, match="closed"):
        fetcher.release()

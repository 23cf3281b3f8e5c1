"""`hephaestus release`: the options, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hephaestus.cli import current_session

if TYPE_CHECKING:
    from hephaestus_release._options import ReleaseOptions

__all__ = ["release"]

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_LEVELS = click.Choice(["none", "digest", "checksum", "sigstore", "sigstore+identity"])

_FETCH_OPTIONS = [
    click.argument("repository", required=False),
    click.option("--tag", help="Exact tag; the newest release by default."),
    click.option("--source", help="Asset source, by name.  [default: github]"),
    click.option("--api-url", help="Base of the API, for an Enterprise server.  [env: GITHUB_API_URL]"),
    click.option("--token-file", type=_FILE, help="File with the API token; else GITHUB_TOKEN or GH_TOKEN is used."),
    click.option("--asset-pattern", help="Comma-separated globs of the archive."),
    click.option("--manifest-pattern", help="Comma-separated globs of the checksum manifest."),
    click.option("--sigstore-pattern", help="Comma-separated globs of the Sigstore bundle."),
    click.option("--destination", type=_FOLDER, help="Folder for what is downloaded; one below the cache by default."),
    click.option("--overwrite", is_flag=True, help="Replace files of other content in the destination."),
    click.option("--require", type=_LEVELS, help="Level of verification that the release must reach."),
    click.option("--allow-unsigned/--no-allow-unsigned", default=None, help="Accept a release without a manifest."),
    click.option("--require-sigstore/--no-require-sigstore", default=None, help="Refuse a release without a bundle."),
    click.option("--signer-repo", metavar="OWNER/REPO", help="Repository whose workflow must have signed, on the tag."),
    click.option("--sigstore-identity", multiple=True, help="Pattern of the signer's identity; repeatable."),
    click.option("--sigstore-issuer", help="OIDC issuer of the signer, exact."),
    click.option("--any-signer/--no-any-signer", default=None, help="Accept a bundle whoever signed it."),
    click.option("--trusted-root", type=_FILE, help="Trusted root other than Sigstore's public one."),
    click.option("--timeout", type=float, help="Seconds for an answer and for each read.  [default: 30]"),
    click.option("--deadline", type=float, help="Seconds for one file, retries included.  [default: 3600]"),
    click.option("--max-retries", type=int, help="Attempts in all.  [default: 5]"),
    click.option("--cache-dir", type=_FOLDER, help="Where verified archives and receipts are kept."),
    click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache of archives."),
    click.option("--lock-file", type=_FILE, help="What earlier runs saw of each repository."),
    click.option("--accept-change", is_flag=True, help="Accept what the lock file would refuse, and record it."),
    click.option("--loopback-http", is_flag=True, help="Accept plain http to this machine, for tests."),
    click.option("--json", "as_json", is_flag=True, help="Write the receipt to stdout."),
]


def _fetch_options(function: F) -> F:
    for option in reversed(_FETCH_OPTIONS):
        function = option(function)
    return function


@click.group()
def release() -> None:
    """Download, verify and install a published wheelhouse.

    A release is refused unless its archive has the digest that a checksum manifest lists; a Sigstore bundle that is
    there must verify. Nothing is left behind by a release that is refused.
    """


@release.command()
@_fetch_options
@click.option("--python", help="Interpreter or virtual environment; the active one by default.")
@click.option("--installer", type=click.Choice(["pip", "uv"]), help="Program that installs.  [default: pip]")
@click.option("--no-upgrade", is_flag=True, help="Leave projects as they are that are installed already.")
@click.option("--remove-archive", is_flag=True, help="Delete the archive after the installation.")
def install(*, as_json: bool, python: str | None, installer: str | None, no_upgrade: bool, remove_archive: bool,
            **given: Any) -> None:  # fmt: skip
    """Download, verify and install the wheels of a release.

    REPOSITORY is owner/repo. The wheels go into the active virtual environment, or where --python points; nothing
    is fetched from an index, and each wheel's hash is pinned.
    """
    from hephaestus_release._command import install_release
    from hephaestus_release._progress import download_bar

    session = current_session()
    config = session.table("release")
    options = _options(config, given)
    console = session.stderr_console() if session.show_progress else None
    with download_bar(console) as on_bytes:
        receipt, path = install_release(
            options,
            session.host,
            on_bytes,
            python=python,
            installer=installer or config.installer,
            upgrade=not no_upgrade,
            remove_archive=remove_archive,
        )
    _answer(receipt, path, as_json=as_json, fields=("installed", receipt["installation"]["installed"]))


@release.command()
@_fetch_options
def download(*, as_json: bool, **given: Any) -> None:
    """Download, verify and unpack a release, and stop before the installation.

    REPOSITORY is owner/repo.
    """
    from hephaestus_release._command import download_release
    from hephaestus_release._progress import download_bar

    session = current_session()
    options = _options(session.table("release"), given)
    with download_bar(session.stderr_console() if session.show_progress else None) as on_bytes:
        receipt, path = download_release(options, session.host, on_bytes)
    _answer(receipt, path, as_json=as_json, fields=("unpacked", [receipt["directory"]]))


@release.command()
@click.argument("artifact", required=False)
@click.option("--bundle", type=_FILE, help="Sigstore bundle.")
@click.option("--cert-identity", multiple=True, help="Pattern of the signer's identity; repeatable.")
@click.option("--cert-oidc-issuer", help="OIDC issuer of the signer, exact.")
@click.option("--signer-repo", metavar="OWNER/REPO", help="Repository whose workflow must have signed.")
@click.option("--trusted-root", type=_FILE, help="Trusted root other than Sigstore's public one.")
@click.option("--receipt", "receipt", type=_FILE, help="Check this receipt's whole chain instead.")
@click.option("--json", "as_json", is_flag=True, help="Write the evidence to stdout as JSON.")
def verify(*, artifact: str | None, bundle: Path | None, cert_identity: tuple[str, ...], cert_oidc_issuer: str | None,
           signer_repo: str | None, trusted_root: Path | None, receipt: Path | None, as_json: bool,
           ) -> None:  # fmt: skip
    """Verify local files with no network: an artifact by its bundle, or a receipt.

    ARTIFACT is a file, or sha256: and its digest. Exit code 0: verified; 1: refused; 2: usage.
    """
    from hephaestus_release._command import verify_bundle_file, verify_receipt

    if (receipt is None) == (bundle is None):
        raise click.UsageError("give either --bundle or --receipt")
    signer = {"issuer": cert_oidc_issuer, "identities": cert_identity, "signer_repository": signer_repo}
    if receipt is not None:
        lines = verify_receipt(receipt, artifact, signer, trusted_root)
        click.echo(json.dumps({"verified": True, "checked": lines}) if as_json else "\n".join(lines))
        return
    if artifact is None or bundle is None:
        raise click.UsageError("give the ARTIFACT that the bundle signs")
    evidence = verify_bundle_file(artifact, bundle, signer, trusted_root)
    click.echo(json.dumps(evidence) if as_json else f"verified: {evidence['subject']} ({evidence['issuer']})")


def _options(config: Any, given: dict[str, Any]) -> ReleaseOptions:
    from hephaestus_release._request import build_options

    return build_options(config, given)


def _answer(receipt: dict[str, Any], path: Path, *, as_json: bool, fields: tuple[str, list[str]]) -> None:
    if as_json:
        click.echo(json.dumps(receipt, indent=2))
        return
    label, values = fields
    click.echo(f"{receipt['repository']} {receipt['tag']}: {receipt['asset']['name']}, level {receipt['level']}")
    for value in values:
        click.echo(f"{label}: {value}")
    click.echo(f"receipt: {path}")

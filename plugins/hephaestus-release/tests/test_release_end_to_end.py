"""End to end: the real command in a process of its own, over the loopback interface, into a fresh environment."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from attrs import frozen

from hephaestus_release.testing.github import Fault, LocalGitHub
from hephaestus_release.testing.published import publish_wheelhouse
from hephaestus_release.testing.sigstore import GITHUB_ACTIONS, LocalSigstore, SignerProfile
from hephaestus_release.testing.wheels import build_wheel

COMMAND = [sys.executable, "-c", "from hephaestus.cli import main; main()"]
CONTEXT = {"operation", "operation_id", "parent_operation_id"}
IDENTITY = "https://github.com/octo/widgets/.github/workflows/release.yml@refs/tags/v1.0.0"


@frozen
class Site:
    """Where the command runs: its home, its servers, and the environment that it installs into."""

    home: Path
    github: LocalGitHub
    environment: dict[str, str]
    python: Path

    def command(self, action: str, *arguments: str) -> list[str]:
        return [*COMMAND, "--log-format", "json", "release", action, "octo/widgets", "--api-url", self.github.api_url,
                *arguments]  # fmt: skip

    def run(self, action: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(action, *arguments), env=self.environment, cwd=self.home.parent, text=True,
            capture_output=True, check=False,
        )  # fmt: skip

    def imports(self, statement: str) -> str:
        run = subprocess.run([self.python, "-I", "-c", statement], capture_output=True, text=True, check=False)
        return run.stdout.strip() or run.stderr.strip().splitlines()[-1]


def events(stderr: str) -> list[tuple[str, dict[str, Any]]]:
    records = [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]
    return [(r["event"], {k: v for k, v in r["payload"].items() if k not in CONTEXT}) for r in records if "event" in r]


@pytest.fixture(scope="module")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, with_pip=True, symlinks=True)
    return folder


@pytest.fixture(params=["http", "https"])
def site(request: pytest.FixtureRequest, tmp_path: Path, empty_environment: Path) -> Iterator[Site]:
    (tmp_path / "build").mkdir()
    (tmp_path / "home").mkdir()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HEPHAESTUS_", "GITHUB_", "GH_", "TRACEPARENT"))}
    environment = {
        **kept,
        "XDG_CACHE_HOME": str(tmp_path / "home" / "cache"),
        "XDG_STATE_HOME": str(tmp_path / "home" / "state"),
        "HEPHAESTUS_RELEASE_BACKOFF": "0.01",
        "VIRTUAL_ENV": str(empty_environment),
    }
    context = None
    if request.param == "https":
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        environment["SSL_CERT_FILE"] = str(tmp_path / "ca.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
    with LocalGitHub(tls=context) as github:
        yield Site(tmp_path / "home", github, environment, empty_environment / "bin" / "python")


def loopback(site: Site) -> tuple[str, ...]:
    return ("--loopback-http",) if site.github.tls is None else ()


@pytest.mark.slow
def test_a_signed_release_is_installed_and_every_event_tells_the_truth(
    site: Site, tmp_path: Path, sigstore: LocalSigstore
) -> None:
    build, out = tmp_path / "build", tmp_path / "home" / "out"
    wheels = [
        build_wheel(build, "alpha-tool"),
        build_wheel(build, "beta", "2.0", requires=["alpha-tool>=1"]),
        build_wheel(build, "gamma", "3.1", requires=["beta"]),
    ]
    own = f"{site.github.api_url}/octo/widgets"
    published = publish_wheelhouse(
        site.github, build, wheels=wheels, name="../wheelhouse.tar.gz", manifest_name="SHA256SUMS", inside="dist",
        sigstore=sigstore, profile=SignerProfile(source_repository=own),
    )  # fmt: skip
    root = sigstore.write_trusted_root(build / "root.json")
    site.github.break_next("/releases/latest", Fault(status=503))
    site.github.break_next("/1000?", Fault(status=502))
    result = site.run(
        "install", "--destination", str(out), "--trusted-root", str(root), "--sigstore-identity", IDENTITY,
        "--sigstore-issuer", GITHUB_ACTIONS, "--require-sigstore", "--require", "sigstore+identity",
        "--max-retries", "4", "--timeout", "20", "--remove-archive", "--json", *loopback(site),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr

    seen = events(result.stderr)
    pauses = [payload.pop("backoff_seconds") for _, payload in seen if "backoff_seconds" in payload]
    assert all(0.01 <= pause <= 0.0125 for pause in pauses)
    command = next(payload["command"] for name, payload in seen if name == "release.install.invoke")
    octo = {"repository": "octo/widgets"}
    asset, saved = "../wheelhouse.tar.gz", str(out / "wheelhouse.tar.gz")
    patterns = {
        "manifest": "*.sha256,SHA256SUMS,SHA256SUMS.txt,sha256sums.txt,*checksums.txt",
        "sigstore": "*.sigstore.json,*.sigstore",
    }
    bundle = f"{asset}.sigstore.json"
    renamed = {"original_name": asset, "sanitised_name": "wheelhouse.tar.gz"}
    renamed_bundle = {"original_name": bundle, "sanitised_name": "wheelhouse.tar.gz.sigstore.json"}
    retry = {"attempt": 1, "max_retries": 4}
    python = str(site.python)
    assert seen == [
        ("cli.release.install.start", {
            **octo, "tag": "latest", "destination": str(out), "allow_unsigned": False, "require_sigstore": True,
            "asset_pattern": "*wheelhouse*", "manifest_pattern": patterns["manifest"],
            "sigstore_pattern": patterns["sigstore"], "timeout": 20.0, "max_retries": 4, "sigstore_identity": IDENTITY,
        }),
        ("release.metadata.fetch", octo),
        ("release.network.retry", {
            **octo, **retry, "url": f"{site.github.api_url}/repos/octo/widgets/releases/latest", "reason": "HTTP 503",
        }),
        ("release.asset.selected", {**octo, "asset": asset, "size": len(published.archive)}),
        ("release.asset.sanitised", {**octo, **renamed}),
        ("release.download.start", {**octo, "asset": asset, "destination": saved, "overwrite": False}),
        ("release.http.retry", {
            **octo, **retry, "url": f"{site.github.api_url}/repos/octo/widgets/releases/assets/1000",
            "http_status": 502, "description": "HTTP 502",
        }),
        ("release.download.complete", {**octo, "asset": asset, "destination": saved}),
        ("release.manifest.locate", {**octo, "pattern": patterns["manifest"]}),
        ("release.manifest.download", {**octo, "manifest": "SHA256SUMS", "destination": str(out / "SHA256SUMS")}),
        ("release.manifest.verified", {**octo, "asset": asset, "digest": published.sha256}),
        ("release.sigstore.locate", {**octo, "pattern": patterns["sigstore"]}),
        ("release.asset.sanitised", {**octo, **renamed_bundle}),
        ("release.sigstore.download", {**octo, "bundle": bundle, "destination": f"{saved}.sigstore.json"}),
        ("release.sigstore.verified", {
            **octo, "subject": IDENTITY, "issuer": GITHUB_ACTIONS, "identities": [IDENTITY, own],
        }),
        ("release.extract.start", {**octo, "destination": str(out / "wheelhouse"), "overwrite": False}),
        ("release.extract.complete", {**octo, "destination": str(out / "wheelhouse")}),
        ("release.install.start", {
            "wheels": 3, "directory": str(out / "wheelhouse"), "upgrade": True, "python_executable": python,
        }),
        ("release.install.invoke", {"command": command}),
        ("release.install.complete", {"wheels": 3, "directory": str(out / "wheelhouse")}),
        ("cli.release.install.archive-removed", {"archive": saved}),
        ("cli.release.install.complete", {**octo, "tag": "v1.0.0", "asset": asset, "allow_unsigned": False}),
    ]  # fmt: skip
    assert command[:5] == [python, "-I", "-m", "pip", "--isolated"]
    assert {"--no-index", "--no-deps", "--require-hashes", "--only-binary"} <= set(command)
    assert (
        site.imports("import alpha_tool, beta, gamma; print(alpha_tool.VERSION, beta.VERSION, gamma.VERSION)")
        == "1.0 2.0 3.1"
    )
    assert sorted(path.name for path in out.iterdir()) == [
        "SHA256SUMS",
        "wheelhouse",
        "wheelhouse.tar.gz.sigstore.json",
    ]
    receipt = json.loads(result.stdout)
    assert receipt["level"] == "sigstore+identity"
    assert receipt["installation"]["installed"] == ["alpha-tool==1.0", "beta==2.0", "gamma==3.1"]
    assert "one-time-secret" not in result.stdout + result.stderr


@pytest.mark.slow
def test_an_unsigned_release_is_installed_only_on_request_and_the_events_say_so(site: Site, tmp_path: Path) -> None:
    published = publish_wheelhouse(site.github, tmp_path / "build", manifest=None)
    refused = site.run("install", *loopback(site))
    assert refused.returncode == 1
    told = events(refused.stderr)
    assert [name for name, _ in told] == [
        "cli.release.install.start",
        "release.metadata.fetch",
        "release.asset.selected",
        "release.manifest.locate",
        "cli.release.install.failed",
    ]
    reason = told[-1][1].pop("reason")
    assert told[-1][1] == {"repository": "octo/widgets", "tag": "latest"}
    assert str(reason).startswith("no checksum manifest")
    assert "hephaestus: error: no checksum manifest" in refused.stderr
    assert list(site.home.iterdir()) == []

    result = site.run("install", "--allow-unsigned", "--tag", "v1.0.0", *loopback(site))
    assert result.returncode == 0, result.stderr
    seen = events(result.stderr)
    octo = {"repository": "octo/widgets"}
    assert [name for name, _ in seen] == [
        "cli.release.install.start",
        "release.metadata.fetch",
        "release.asset.selected",
        "release.download.start",
        "release.download.complete",
        "release.manifest.locate",
        "release.manifest.skipped",
        "release.sigstore.locate",
        "release.sigstore.missing",
        "release.extract.start",
        "release.extract.complete",
        "release.install.start",
        "release.install.invoke",
        "release.install.complete",
        "cli.release.install.complete",
    ]
    by_name = dict(seen)
    assert by_name["release.manifest.skipped"] == {**octo, "asset": "wheelhouse.tar.gz"}
    assert by_name["release.sigstore.missing"] == {**octo, "pattern": "*.sigstore.json,*.sigstore"}
    assert by_name["cli.release.install.start"]["tag"] == "v1.0.0"
    assert by_name["cli.release.install.complete"] == {
        **octo, "tag": "v1.0.0", "asset": "wheelhouse.tar.gz", "allow_unsigned": True,
    }  # fmt: skip
    folder = site.home / "cache" / "hephaestus" / "release" / "releases" / "github" / "octo" / "widgets" / "v1.0.0"
    assert (folder / "wheelhouse.tar.gz").read_bytes() == published.archive
    assert result.stdout.splitlines()[0] == "octo/widgets v1.0.0: wheelhouse.tar.gz, level digest"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_download_ends_it_and_leaves_nothing(
    site: Site, tmp_path: Path, number: signal.Signals
) -> None:
    publish_wheelhouse(site.github, tmp_path / "build", archive=bytes(1 << 20))
    site.github.break_next("/1000?", Fault(pace=(5000, 0.02)))
    with subprocess.Popen(
        site.command("install", *loopback(site)), env=site.environment, cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        while not list(site.home.rglob("*.part")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else 143), stderr
    assert stdout == ""
    assert "Traceback" not in stderr
    assert list(site.home.iterdir()) == []
    assert "cli.release.install.complete" not in [name for name, _ in events(stderr)]


@pytest.mark.slow
def test_two_runs_at_once_share_cache_and_destination(site: Site, tmp_path: Path) -> None:
    published = publish_wheelhouse(site.github, tmp_path / "build")
    arguments = site.command("download", "--destination", str(site.home / "out"), *loopback(site))
    both = [
        subprocess.Popen(arguments, env=site.environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in both:
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr.decode()
    assert (site.home / "out" / "wheelhouse.tar.gz").read_bytes() == published.archive
    assert not [path for path in site.home.rglob(".hephaestus-*") if path.is_dir()]

"""Receipts: the whole chain can be followed again later, from files alone, and nothing false in it passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from hephaestus.testing import Result, run_cli
from hephaestus_release.testing.github import LocalGitHub
from hephaestus_release.testing.published import Published, publish_wheelhouse
from hephaestus_release.testing.sigstore import GITHUB_ACTIONS, LocalSigstore

WORKFLOW = "https://github.com/octo/widgets/.github/workflows/release.yml@refs/tags/*"


@frozen
class Kept:
    """What a download left: its receipt, its files, and the trusted root that fits."""

    receipt: Path
    archive: Path
    root: Path
    published: Published

    def verify(self, *arguments: str) -> Result:
        return run_cli(
            "release", "verify", "--receipt", str(self.receipt), "--trusted-root", str(self.root), *arguments
        )

    def change(self, change: Callable[[dict[str, Any]], object]) -> None:
        receipt = json.loads(self.receipt.read_text())
        change(receipt)
        self.receipt.write_text(json.dumps(receipt))


@pytest.fixture
def kept(tmp_path: Path, sigstore: LocalSigstore, monkeypatch: pytest.MonkeyPatch) -> Kept:
    (tmp_path / "build").mkdir()
    root = sigstore.write_trusted_root(tmp_path / "root.json")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    with LocalGitHub() as github:
        published = publish_wheelhouse(github, tmp_path / "build", sigstore=sigstore)
        result = run_cli(
            "release", "download", "octo/widgets", "--api-url", github.api_url, "--loopback-http",
            "--destination", "out", "--cache-dir", "cache", "--trusted-root", str(root),
            "--sigstore-identity", WORKFLOW, "--sigstore-issuer", GITHUB_ACTIONS,
        )  # fmt: skip
        assert result.exit_code == 0, result.stderr
    (receipt,) = (tmp_path / "cache" / "receipts").rglob("*.json")
    assert f"receipt: {Path('cache') / receipt.relative_to(tmp_path / 'cache')}" in result.stdout
    return Kept(receipt, tmp_path / "out" / "wheelhouse.tar.gz", root, published)


def test_a_receipt_is_verified_without_a_network(kept: Kept) -> None:
    result = kept.verify()
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"archive: sha256:{kept.published.sha256}",
        "forge: the same digest",
        "manifest: SHA256SUMS lists it",
        "signature: holds, level sigstore+identity",
        "files: 2 of 2 are there and unchanged",
    ]


def test_a_receipt_names_its_evidence(kept: Kept) -> None:
    receipt = json.loads(kept.receipt.read_text())
    (evidence,) = receipt["evidence"]
    details = evidence["details"]
    assert details["issuer"] == GITHUB_ACTIONS
    assert details["log_index"] > 0
    assert details["times"]
    assert receipt["asset"]["size"] == len(kept.published.archive)
    assert "?" not in receipt["asset"]["url"]
    assert {wheel["name"] for wheel in receipt["wheels"]} == {"alpha", "beta"}


def test_the_archive_may_be_given_as_file_or_digest(kept: Kept, tmp_path: Path) -> None:
    moved = kept.archive.rename(tmp_path / "moved")
    assert kept.verify().exit_code == 2
    assert kept.verify(str(moved)).exit_code == 0
    assert kept.verify(f"sha256:{kept.published.sha256}").exit_code == 0
    assert kept.verify(f"sha256:{'0' * 64}").exit_code == 1


def test_a_changed_archive_or_wheel_is_noticed(kept: Kept) -> None:
    (wheel, *_) = (kept.archive.parent / "wheelhouse").glob("*.whl")
    wheel.write_bytes(b"evil")
    assert kept.verify().exit_code == 1
    wheel.unlink()
    assert "files: 1 of 2" in kept.verify().stdout
    kept.archive.write_bytes(b"evil")
    assert kept.verify().exit_code == 1


FALSE: dict[str, Callable[[dict[str, Any]], object]] = {
    "digest": lambda r: r["asset"].update(sha256="0" * 64),
    "forge's digest": lambda r: r["asset"].update(forge_sha256="0" * 64),
    "manifest": lambda r: r["manifest"].update(text=f"{'0' * 64}  wheelhouse.tar.gz\n"),
    "manifest of nothing": lambda r: r["manifest"].update(text=""),
    "manifest gone wrong": lambda r: r["manifest"].update(text="garbage"),
    "bundle": lambda r: r.update(bundle="{}"),
    "bundle dropped": lambda r: r.update(bundle=None),
    "policy dropped": lambda r: r["evidence"][0]["details"].update(policy=None),
    "signer": lambda r: r["evidence"][0]["details"]["policy"].update(identities=["https://github.com/evil/x/y@*"]),
    "wheel": lambda r: r["wheels"][0].update(sha256="0" * 64),
    "no asset": lambda r: r.pop("asset"),
    "no evidence": lambda r: r.update(evidence=[]),
    "level": lambda r: r.update(level="extreme"),
    "files": lambda r: r.update(files=7),
    "manifest's type": lambda r: r.update(manifest=[]),
}


@pytest.mark.parametrize("case", FALSE)
def test_a_false_receipt_is_refused_in_one_line(kept: Kept, case: str) -> None:
    kept.change(FALSE[case])
    result = kept.verify()
    assert result.exit_code in {1, 2}, result.stdout
    assert result.exit_code == 1 or case in {"level", "signer"}
    assert result.stdout == ""
    assert result.stderr.count("error:") == 1
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_receipt_is_a_usage_error(kept: Kept, raw: bytes) -> None:
    kept.receipt.write_bytes(raw)
    assert kept.verify().exit_code == 2


def test_the_caller_may_name_another_signer_than_the_receipt(kept: Kept) -> None:
    right = ("--cert-identity", WORKFLOW, "--cert-oidc-issuer", GITHUB_ACTIONS)
    wrong = ("--cert-identity", WORKFLOW.replace("octo", "evil"), "--cert-oidc-issuer", GITHUB_ACTIONS)
    assert kept.verify(*right).exit_code == 0
    assert kept.verify(*wrong).exit_code == 1


def test_verify_takes_a_bundle_and_an_artifact(kept: Kept) -> None:
    bundle = f"{kept.archive}.sigstore.json"
    signer = ("--cert-identity", WORKFLOW, "--cert-oidc-issuer", GITHUB_ACTIONS, "--trusted-root", str(kept.root))
    for artifact in (str(kept.archive), f"sha256:{kept.published.sha256}"):
        result = run_cli("release", "verify", "--bundle", bundle, *signer, artifact)
        assert result.exit_code == 0, result.stderr
        assert "verified: https://github.com/octo/widgets" in result.stdout
    assert run_cli("release", "verify", "--bundle", bundle, *signer, f"sha256:{'0' * 64}").exit_code == 1
    assert json.loads(run_cli("release", "verify", "--json", "--bundle", bundle, *signer, str(kept.archive)).stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("artifact",),
        ("--bundle", "b", "--receipt", "r"),
        ("--bundle", "b"),
        ("--bundle", "b", "artifact"),
        ("--bundle", "b", "--cert-identity", WORKFLOW, "artifact"),
        ("--bundle", "b", "--cert-identity", WORKFLOW, "--cert-oidc-issuer", GITHUB_ACTIONS, "artifact"),
        ("--bundle", "b", "--cert-identity", WORKFLOW, "--cert-oidc-issuer", GITHUB_ACTIONS, "sha256:zz"),
        ("--receipt", "nowhere"),
    ],
)
def test_wrong_usage_of_verify_is_exit_code_2(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run_cli("release", "verify", *arguments)
    assert result.exit_code == 2, result.stderr
    assert "Traceback" not in result.stderr

"""Failures seen in the field: each is refused with one clear line and exit code 1, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from hephaestus.errors import Interrupted
from hephaestus.testing import Result, run_cli
from hephaestus_release.testing.github import Fault, LocalGitHub
from hephaestus_release.testing.published import publish_wheelhouse
from hephaestus_release.testing.sigstore import GITHUB_ACTIONS, SIGNED_AT, LocalSigstore, SignerProfile
from hephaestus_release.testing.wheels import build_wheel, record_of

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
WORKFLOW = "https://github.com/octo/widgets/.github/workflows/release.yml@refs/tags/*"
SIGNER = ("--sigstore-identity", WORKFLOW, "--sigstore-issuer", GITHUB_ACTIONS)


@frozen
class Stage:
    """A local GitHub, a home of its own, and the command under test."""

    github: LocalGitHub
    home: Path
    build: Path

    @property
    def out(self) -> Path:
        return self.home / "out"

    def download(self, *arguments: str, repository: str = "octo/widgets") -> Result:
        return run_cli(
            "release", "download", repository, "--api-url", self.github.api_url, "--loopback-http",
            "--destination", str(self.out), "--trusted-root", str(self.build / "root.json"), *arguments,
        )  # fmt: skip

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.home)) for path in self.home.rglob("*") if path.is_file())

    def refused(self, result: Result, reason: str) -> None:
        assert reason in result.stderr
        assert result.exit_code == 1, result.stderr
        assert result.stderr.count("error:") == 1
        assert "Traceback" not in result.stderr
        assert result.stdout == ""
        assert list(self.home.iterdir()) == []


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sigstore: LocalSigstore) -> Iterator[Stage]:
    home, build, work = tmp_path / "home", tmp_path / "build", tmp_path / "work"
    for folder in (home, build, work):
        folder.mkdir()
    sigstore.write_trusted_root(build / "root.json")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("HEPHAESTUS_RELEASE_BACKOFF", "0.01")
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(work)
    with LocalGitHub() as github:
        yield Stage(github, home, build)


# ---- digests and manifests ------------------------------------------------------------------------------------------


def test_a_release_without_a_manifest_is_refused_before_the_download(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build, manifest=None)
    stage.refused(stage.download(), "no checksum manifest for 'wheelhouse.tar.gz'")
    assert [seen.role for seen in stage.github.seen] == ["api"]


def test_a_manifest_with_another_digest_is_refused_even_when_unsigned_is_allowed(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build, manifest=f"{'0' * 64}  wheelhouse.tar.gz\n".encode())
    for extra in ((), ("--allow-unsigned",)):
        stage.refused(stage.download(*extra), "SHA256SUMS' lists sha256:0000")


def test_a_manifest_that_does_not_list_the_archive_is_refused(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build, manifest=f"{'0' * 64}  other.tar.gz\n".encode())
    stage.refused(stage.download("--allow-unsigned"), "does not list 'wheelhouse.tar.gz'")


@pytest.mark.parametrize("manifest", [b"\xff\xfe broken", b"<html>\n", b"x" * (5 << 20)])
def test_a_manifest_that_cannot_be_read_is_refused(stage: Stage, manifest: bytes) -> None:
    publish_wheelhouse(stage.github, stage.build, manifest=manifest)
    stage.refused(stage.download(), "SHA256SUMS" if len(manifest) > 100 else "manifest")


def test_a_digest_of_the_forge_that_differs_is_refused(stage: Stage) -> None:
    def forge(answer: dict[str, Any]) -> None:
        answer["assets"][0]["digest"] = f"sha256:{'1' * 64}"

    publish_wheelhouse(stage.github, stage.build, amend=forge)
    stage.refused(stage.download(), "the forge announces sha256:1111")


def test_a_truncated_archive_is_refused(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build, digests=False)
    stage.github.break_next("/1000?", *[Fault(cut=50, hide_length=True, headers={"ETag": None})] * 5)
    stage.refused(stage.download(), "the body ended after 50 of")


def test_an_archive_that_was_refused_is_not_in_the_cache_afterwards(stage: Stage) -> None:
    published = publish_wheelhouse(stage.github, stage.build, manifest=f"{'0' * 64}  wheelhouse.tar.gz\n".encode())
    stage.refused(stage.download(), "lists sha256:0000")
    stage.github.publish("octo/widgets", "v1.0.1", {**published.assets, "SHA256SUMS": b"" + published.sha256.encode()
                                                    + b"  wheelhouse.tar.gz\n"})  # fmt: skip
    before = len(stage.github.seen)
    assert stage.download("--tag", "v1.0.1").exit_code == 0
    assert any("/2000?" in seen.path for seen in stage.github.seen[before:])


def test_a_level_that_is_not_reached_is_refused(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build, manifest=None, digests=False)
    stage.refused(stage.download("--allow-unsigned", "--require", "digest"), "level 'none', but 'digest' is required")


# ---- metadata -------------------------------------------------------------------------------------------------------


def _set(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda answer: answer.update({key: value})


def _set_asset(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda answer: answer["assets"][0].update({key: value})


@pytest.mark.parametrize(
    ("amend", "reason"),
    [
        (_set("assets", None), "not a release"),
        (_set("assets", {}), "not a release"),
        (_set("assets", []), "no asset of octo/widgets v1.0.0 matches"),
        (_set("assets", [None, 7, "x"]), "no asset of octo/widgets v1.0.0 matches"),
        (_set("tag_name", None), "not a release"),
        (_set_asset("name", None), "no asset of octo/widgets v1.0.0 matches"),
        (_set_asset("size", None), "its size is not a number"),
        (_set_asset("size", -1), "its size is not a number"),
        (_set_asset("size", True), "its size is not a number"),
        (_set_asset("size", 1e400), "its size is not a number"),
        (_set_asset("size", 10**15), "more than the"),
        (_set_asset("id", "../../evil"), "its id is not a number"),
        (_set_asset("digest", "sha256:xyz"), "its digest is malformed"),
        (_set_asset("digest", 5), "its digest is malformed"),
        (_set_asset("state", "starter"), "its upload is not finished"),
        (lambda answer: [answer], "not a JSON object"),
        (lambda answer: b"[" * 200_000, "not a JSON object"),
        (lambda answer: b"\xff\xfe", "not a JSON object"),
    ],
)
def test_an_odd_answer_of_the_api_is_refused(stage: Stage, amend: Callable[[Any], Any], reason: str) -> None:
    publish_wheelhouse(stage.github, stage.build, amend=amend)
    stage.refused(stage.download(), reason)


def test_an_odd_asset_that_is_not_wanted_does_no_harm(stage: Stage) -> None:
    odd = [{"name": None}, None, {"name": "x.exe", "id": None, "size": None, "digest": "md5:1"}, {"name": "\ud800\0"}]

    def amend(answer: dict[str, Any]) -> None:
        answer["assets"] += odd

    publish_wheelhouse(
        stage.github, stage.build, amend=amend, extra={"other.exe": b"x", "other.exe.sha256": b"not a manifest"}
    )
    result = stage.download()
    assert result.exit_code == 0, result.stderr


def test_several_matching_assets_are_listed_and_refused(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build, extra={"wheelhouse-arm64.tar.gz": b"x"})
    result = stage.download()
    stage.refused(result, "2 assets match")
    assert "'wheelhouse.tar.gz', 'wheelhouse-arm64.tar.gz'" in result.stderr


@pytest.mark.parametrize(
    ("name", "saved"),
    [("wheelhouse\0.tar.gz", "wheelhouse.tar.gz"), ("wheelhouse-" + "x" * 300 + ".tar.gz", None),
     ("../../wheelhouse.tar.gz", "wheelhouse.tar.gz")],
)  # fmt: skip
def test_a_hostile_name_is_saved_under_a_safe_one(stage: Stage, name: str, saved: str | None) -> None:
    published = publish_wheelhouse(stage.github, stage.build, name=name, manifest=None)
    result = stage.download("--allow-unsigned")
    assert result.exit_code == 0, result.stderr
    (archive,) = [path for path in stage.out.iterdir() if path.is_file()]
    assert archive.read_bytes() == published.archive
    assert archive.name == saved or (saved is None and len(archive.name) < 256)
    assert [e.payload["original_name"] for e in result.events if e.event.name == "release.asset.sanitised"] == [name]


def test_tag_and_repository_are_quoted(stage: Stage) -> None:
    tag = "release/1.0 #1?x=../%2e"
    publish_wheelhouse(stage.github, stage.build, tag=tag)
    assert stage.download("--tag", tag).exit_code == 0
    assert stage.github.seen[0].path == "/repos/octo/widgets/releases/tags/release%2F1.0%20%231%3Fx%3D..%2F%252e"


@pytest.mark.parametrize(
    "repository", ["../x", "a/b/c", "a/..", "a", "a/b?c", "a/b#c", "-a/b", "a b/c", "https://x/y", ""]
)
def test_a_malformed_repository_is_a_usage_error(stage: Stage, repository: str) -> None:
    result = stage.download(repository=repository)
    assert result.exit_code == 2
    assert stage.github.seen == []
    assert list(stage.home.iterdir()) == []


def test_the_release_of_another_tag_is_refused(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build, amend=_set("tag_name", "v0.9"))
    stage.refused(stage.download("--tag", "v1.0.0"), "asked for the release 'v1.0.0', got 'v0.9'")


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_release_that_cannot_be_looked_up_is_one_clear_line(stage: Stage, status: int) -> None:
    stage.github.break_next("/releases/latest", *[Fault(status=status)] * 5)
    stage.refused(stage.download(), f"HTTP {status}")


# ---- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["api-url", "token", "python", "token-file"])
def test_a_file_in_the_working_directory_cannot_say_where_the_token_goes(
    stage: Stage, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("hephaestus.toml").write_text(f'[release]\n{key} = "{stage.github.storage_url}"\n')
    monkeypatch.setenv("GITHUB_TOKEN", SECRET)
    result = stage.download()
    assert result.exit_code == 2
    assert f"key '{key}': unknown key" in result.stderr
    assert stage.github.seen == []


def test_the_token_reaches_no_output(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", SECRET)
    stage.github.token = SECRET
    publish_wheelhouse(stage.github, stage.build)
    stage.github.break_next("?sig", *[Fault(status=500)] * 5)
    result = run_cli("--debug", "--log-level", "debug", "release", "download", "octo/widgets", "--api-url",
                     stage.github.api_url, "--loopback-http", "--destination", str(stage.out))  # fmt: skip
    assert result.exit_code == 1
    assert stage.github.seen[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in result.stderr + result.stdout + repr(list(result.events))
    assert "one-time-secret" not in result.stderr + repr(list(result.events))


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ümlaut"])
def test_a_malformed_token_is_a_usage_error_that_does_not_show_it(
    stage: Stage, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", token)
    result = stage.download()
    assert result.exit_code == 2
    assert "GITHUB_TOKEN" in result.stderr
    assert token not in result.stderr
    assert stage.github.seen == []


# ---- signatures -----------------------------------------------------------------------------------------------------


def test_a_missing_bundle_is_refused_when_one_is_required(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build)
    for extra in (("--require-sigstore",), ("--require", "sigstore"), ("--require", "sigstore+identity")):
        stage.refused(stage.download(*extra), "no Sigstore bundle for 'wheelhouse.tar.gz', but one is required")


def _bundle(stage: Stage, sigstore: LocalSigstore, change: Callable[[dict[str, Any]], Any] | None = None,
            of: bytes | None = None, profile: SignerProfile | None = None,
            logged_at: datetime | None = None) -> None:  # fmt: skip
    """Publish a release whose bundle is of other bytes, by somebody else, or changed."""
    wheels = [build_wheel(stage.build, "alpha")]
    signed = publish_wheelhouse(stage.github, stage.build, wheels=wheels, sigstore=sigstore, profile=profile)
    bundle = json.loads(signed.assets["wheelhouse.tar.gz.sigstore.json"])
    if of is not None or logged_at is not None:
        path = stage.build / "other.json"
        sigstore.sign(of or signed.archive, logged_at=logged_at).write(path)
        bundle = json.loads(path.read_bytes())
    if change is not None:
        change(bundle)
    assets = {**signed.assets, "wheelhouse.tar.gz.sigstore.json": json.dumps(bundle).encode()}
    stage.github.publish("octo/widgets", "v1.0.0", assets)


def _without_signature(bundle: dict[str, Any]) -> None:
    bundle["messageSignature"]["signature"] = ""


def _without_log_entry(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"] = []


FORGED: dict[str, dict[str, Any]] = {
    "another artifact": {"of": b"another artifact"},
    "no signature": {"change": _without_signature},
    "no log entry": {"change": _without_log_entry},
    "another issuer": {"profile": SignerProfile(issuer="https://accounts.example.com")},
    "another identity": {
        "profile": SignerProfile(identities=("https://github.com/evil/x/.github/w.yml@refs/tags/v1",))
    },
    "expired when logged": {"logged_at": SIGNED_AT + timedelta(hours=1)},
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_bundle_is_refused(stage: Stage, sigstore: LocalSigstore, case: str) -> None:
    _bundle(stage, sigstore, **FORGED[case])
    result = stage.download(*SIGNER)
    assert result.exit_code == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert "release.sigstore.verified" not in result.events.names
    assert list(stage.home.iterdir()) == []


def test_a_bundle_of_another_sigstore_is_refused(stage: Stage) -> None:
    _bundle(stage, LocalSigstore())
    stage.refused(stage.download(*SIGNER), "is not in the trusted root")


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b"[" * 100_000, b"x" * (5 << 20)])
def test_a_garbage_bundle_is_refused(stage: Stage, raw: bytes) -> None:
    publish_wheelhouse(stage.github, stage.build, extra={"wheelhouse.tar.gz.sigstore.json": raw})
    result = stage.download(*SIGNER)
    stage.refused(result, "wheelhouse.tar.gz.sigstore.json" if len(raw) > 1 << 20 else "undle")


def test_a_bundle_must_verify_also_when_it_is_not_required(stage: Stage, sigstore: LocalSigstore) -> None:
    _bundle(stage, sigstore, change=_without_signature)
    assert stage.download(*SIGNER, "--allow-unsigned").exit_code == 1


def test_without_a_named_signer_only_the_repository_itself_will_do(stage: Stage, sigstore: LocalSigstore) -> None:
    publish_wheelhouse(stage.github, stage.build, sigstore=sigstore)
    stage.refused(
        stage.download("--sigstore-issuer", GITHUB_ACTIONS),
        f"is 'https://github.com/octo/widgets', not '{stage.github.api_url}/octo/widgets'",
    )
    own = SignerProfile(source_repository=f"{stage.github.api_url}/octo/widgets")
    publish_wheelhouse(stage.github, stage.build, sigstore=sigstore, profile=own)
    result = stage.download("--sigstore-issuer", GITHUB_ACTIONS, "--require", "sigstore+identity")
    assert result.exit_code == 0, result.stderr


def test_the_signers_repository_must_have_signed_on_the_tag(stage: Stage, sigstore: LocalSigstore) -> None:
    own = SignerProfile(source_repository=f"{stage.github.api_url}/octo/widgets", source_ref="refs/heads/main")
    publish_wheelhouse(stage.github, stage.build, sigstore=sigstore, profile=own)
    named = ("--signer-repo", "octo/widgets", "--sigstore-issuer", GITHUB_ACTIONS)
    stage.refused(stage.download(*named), "source ref is 'refs/heads/main', not 'refs/tags/v1.0.0'")
    publish_wheelhouse(stage.github, stage.build, sigstore=sigstore, profile=evolve(own, source_ref="refs/tags/v1.0.0"))
    assert stage.download(*named).exit_code == 0


def test_any_signer_is_worth_the_lower_level(stage: Stage, sigstore: LocalSigstore) -> None:
    publish_wheelhouse(stage.github, stage.build, sigstore=sigstore)
    asked = ("--any-signer", "--require", "sigstore+identity")
    stage.refused(stage.download(*asked), "level 'sigstore', but 'sigstore+identity' is required")
    result = stage.download("--any-signer", "--json")
    assert json.loads(result.stdout)["level"] == "sigstore"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--sigstore-identity", "no-at-sign*"),
        ("--sigstore-identity", WORKFLOW),
        ("--signer-repo", "not a repo"),
        ("--any-signer", *SIGNER),
        ("--timeout", "nan"),
        ("--timeout", "0"),
        ("--max-retries", "0"),
        ("--token-file", "/nonexistent/token"),
    ],
)
def test_options_that_cannot_work_are_refused_before_anything_is_fetched(
    stage: Stage, arguments: tuple[str, ...]
) -> None:
    result = stage.download(*arguments)
    assert result.exit_code == 2, result.stderr
    assert stage.github.seen == []
    assert list(stage.home.iterdir()) == []


# ---- archives and wheels --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [b"not an archive", b"PK\x03\x04 broken", b"\x1f\x8b broken"])
def test_an_archive_that_cannot_be_unpacked_leaves_nothing(stage: Stage, raw: bytes) -> None:
    publish_wheelhouse(stage.github, stage.build, archive=raw)
    stage.refused(stage.download(), "archive")


def test_an_archive_without_wheels_leaves_nothing(stage: Stage) -> None:
    note = stage.build / "note.txt"
    note.write_text("no wheel")
    publish_wheelhouse(stage.github, stage.build, wheels=[note])
    stage.refused(stage.download(), "holds no wheels")


def test_a_wheel_with_a_false_record_leaves_nothing(stage: Stage) -> None:
    files = {"alpha/__init__.py": b"evil = True\n"}
    lie = record_of({"alpha/__init__.py": b"good = True\n"}, "alpha-1.0.dist-info")
    publish_wheelhouse(stage.github, stage.build, wheels=[build_wheel(stage.build, "alpha", files=files, record=lie)])
    stage.refused(stage.download(), "alpha-1.0-py3-none-any.whl")


def test_two_versions_of_one_project_leave_nothing(stage: Stage) -> None:
    wheels = [build_wheel(stage.build, "alpha", "1.0"), build_wheel(stage.build, "alpha", "2.0")]
    publish_wheelhouse(stage.github, stage.build, wheels=wheels)
    stage.refused(stage.download(), "several versions of alpha: 1.0, 2.0")


@pytest.mark.parametrize("compression", ["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"])
def test_wheels_in_a_sub_folder_are_found(stage: Stage, compression: Any) -> None:
    publish_wheelhouse(stage.github, stage.build, inside="dist/wheels", compression=compression)
    result = stage.download("--json")
    assert result.exit_code == 0, result.stderr
    assert [wheel["name"] for wheel in json.loads(result.stdout)["wheels"]] == ["alpha", "beta"]


# ---- runs after runs ------------------------------------------------------------------------------------------------


def test_a_second_run_needs_no_overwrite_and_takes_the_archive_from_the_cache(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build)
    assert stage.download().exit_code == 0
    first, before = stage.files(), len(stage.github.seen)
    result = stage.download("--json")
    assert result.exit_code == 0, result.stderr
    assert stage.files() == first
    assert json.loads(result.stdout)["asset"]["from_cache"] is True
    assert not any("/1000?" in seen.path for seen in stage.github.seen[before:])


def test_a_damaged_cache_entry_is_dropped_and_fetched_again(stage: Stage) -> None:
    published = publish_wheelhouse(stage.github, stage.build)
    assert stage.download().exit_code == 0
    (entry,) = list((stage.home / "cache").rglob(published.sha256))
    entry.write_bytes(b"evil")
    result = stage.download("--json")
    assert json.loads(result.stdout)["asset"]["from_cache"] is False
    assert entry.read_bytes() == published.archive


def test_a_file_of_other_content_is_kept_unless_overwriting_is_allowed(stage: Stage) -> None:
    published = publish_wheelhouse(stage.github, stage.build)
    stage.out.mkdir()
    for name in ("wheelhouse.tar.gz", "SHA256SUMS"):
        (stage.out / name).write_bytes(b"mine")
        result = stage.download()
        assert result.exit_code == 1
        assert "is there already, with other content" in result.stderr
        assert (stage.out / name).read_bytes() == b"mine"
    assert stage.download("--overwrite").exit_code == 0
    assert (stage.out / "wheelhouse.tar.gz").read_bytes() == published.archive


def test_a_folder_that_it_did_not_make_is_never_replaced(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build)
    mine = stage.out / "wheelhouse" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")
    for extra in ((), ("--overwrite",)):
        assert stage.download(*extra).exit_code == 1
        assert mine.read_text() == "precious"
        assert sorted(path.name for path in stage.out.iterdir()) == ["wheelhouse"]


def test_a_folder_that_it_made_is_replaced_only_on_request_and_if_unchanged(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build)
    assert stage.download().exit_code == 0
    newer = [build_wheel(stage.build, "gamma")]
    publish_wheelhouse(stage.github, stage.build, wheels=newer, tag="v2.0.0")
    assert "other content" in stage.download().stderr
    assert stage.download("--overwrite").exit_code == 0
    assert [path.name for path in (stage.out / "wheelhouse").glob("*.whl")] == ["gamma-1.0-py3-none-any.whl"]
    (stage.out / "wheelhouse" / "added.txt").write_text("precious")
    publish_wheelhouse(stage.github, stage.build, tag="v3.0.0")
    assert stage.download("--overwrite").exit_code == 1
    assert (stage.out / "wheelhouse" / "added.txt").read_text() == "precious"


def test_a_link_in_place_of_the_archive_is_not_followed(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build)
    victim = stage.build / "victim"
    victim.write_text("untouched")
    stage.out.mkdir()
    (stage.out / "wheelhouse.tar.gz").symlink_to(victim)
    for extra in ((), ("--overwrite",)):
        assert stage.download(*extra).exit_code == 1
        assert victim.read_text() == "untouched"


def test_a_moved_tag_a_lower_level_and_another_signer_are_refused(stage: Stage, sigstore: LocalSigstore) -> None:
    publish_wheelhouse(stage.github, stage.build, sigstore=sigstore)
    assert stage.download(*SIGNER).exit_code == 0
    wheels = [build_wheel(stage.build, "gamma")]
    publish_wheelhouse(stage.github, stage.build, wheels=wheels)
    unsigned = stage.download("--overwrite")
    assert "verified to level 'checksum', but 'sigstore+identity' was reached before" in unsigned.stderr
    publish_wheelhouse(stage.github, stage.build, wheels=wheels, sigstore=sigstore)
    moved = stage.download(*SIGNER, "--overwrite")
    assert "is not the archive seen before" in moved.stderr
    other = SignerProfile(source_repository="https://github.com/evil/widgets")
    publish_wheelhouse(stage.github, stage.build, wheels=wheels, sigstore=sigstore, profile=other, tag="v2")
    stranger = stage.download(*SIGNER, "--overwrite")
    assert "the signer is 'https://github.com/evil/widgets'" in stranger.stderr
    assert {unsigned.exit_code, moved.exit_code, stranger.exit_code} == {1}
    assert stage.download(*SIGNER, "--overwrite", "--accept-change").exit_code == 0


def test_an_older_release_is_not_accepted_as_the_newest(stage: Stage) -> None:
    publish_wheelhouse(stage.github, stage.build, tag="v2.0.0")
    assert stage.download().exit_code == 0
    publish_wheelhouse(stage.github, stage.build, tag="v1.9.0")
    result = stage.download()
    assert result.exit_code == 1
    assert "older than one seen" in result.stderr
    assert stage.download("--tag", "v1.9.0").exit_code == 0


@pytest.mark.parametrize("content", [b"{}", b"\xff", b'{"schema": 1, "repositories": {"x": 5}}', b"[]"])
def test_a_lock_file_that_cannot_be_read_is_refused_and_kept(stage: Stage, content: bytes) -> None:
    publish_wheelhouse(stage.github, stage.build)
    lock = stage.build / "lock.json"
    lock.write_bytes(content)
    stage.refused(stage.download("--lock-file", str(lock)), "cannot be read")
    assert lock.read_bytes() == content


def test_two_assets_that_would_share_a_name_are_refused(stage: Stage) -> None:
    raw = hashlib.sha256(b"").hexdigest().encode() + b"  x\n"
    publish_wheelhouse(
        stage.github, stage.build, name="SHA256SUMS.tar.gz", manifest_name="x/SHA256SUMS.tar.gz", manifest=raw
    )
    result = stage.download("--asset-pattern", "SHA256SUMS.tar.gz", "--manifest-pattern", "x/*")
    stage.refused(result, "two assets would be saved as")


@pytest.mark.parametrize(("answer", "code"), [(KeyboardInterrupt(), 130), (Interrupted(15), 143)])
def test_an_interrupted_download_leaves_nothing(
    stage: Stage, answer: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_wheelhouse(stage.github, stage.build)

    def interrupt(*_: object) -> None:
        raise answer

    monkeypatch.setattr("hephaestus_release._pipeline.parse", interrupt)
    assert stage.download().exit_code == code
    assert list(stage.home.iterdir()) == []

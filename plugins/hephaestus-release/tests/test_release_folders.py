"""Cache, lock file and staging: shared by processes, and never left half done."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import evolve

from hephaestus.errors import UsageError
from hephaestus_release._cache import ArchiveCache
from hephaestus_release._levels import Level
from hephaestus_release._lock import Sighting, check_sighting, record_sighting
from hephaestus_release._staging import Staging, publish_file
from hephaestus_release.errors import AssetError, CacheError, LockError

CONTENT = b"archive" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SEEN = Sighting("https://api.test octo/widgets", "v1.0", True, "w.tar.gz", SHA256, Level.CHECKSUM)

_PUT = """
import sys
from contextlib import suppress
from pathlib import Path
from hephaestus_release._cache import ArchiveCache
cache, content, sha256 = ArchiveCache(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
for turn in range(50):
    cache.put(sha256, content)
    out = Path(sys.argv[2] + sys.argv[4] + str(turn))
    assert cache.take(sha256, out) in (None, 7000)
    assert not out.exists() or out.read_bytes() == content.read_bytes()
    (cache.folder / sha256[:2] / sha256).unlink(missing_ok=True)
"""

_RECORD = """
import sys
from contextlib import suppress
from pathlib import Path
from attrs import evolve
from hephaestus_release._levels import Level
from hephaestus_release._lock import Sighting, record_sighting
for turn in range(15):
    record_sighting(Path(sys.argv[1]), Sighting(sys.argv[2] + str(turn), "v1", True, "a", "0" * 64, Level.DIGEST))
"""


def both(script: str, *arguments: list[str]) -> None:
    """Run the script twice at once."""
    running = [subprocess.Popen([sys.executable, "-c", script, *given], stderr=subprocess.PIPE) for given in arguments]
    for process in running:
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr.decode()


# ---- cache ----------------------------------------------------------------------------------------------------------


def test_what_was_put_is_taken_and_hashed(tmp_path: Path) -> None:
    (tmp_path / "verified").write_bytes(CONTENT)
    cache = ArchiveCache(tmp_path / "cache")
    assert cache.take(SHA256, tmp_path / "out") is None
    cache.put(SHA256, tmp_path / "verified")
    assert cache.take(SHA256, tmp_path / "out") == len(CONTENT)
    assert (tmp_path / "out").read_bytes() == CONTENT


@pytest.mark.parametrize("damage", [b"", b"evil", CONTENT + b"x"])
def test_a_damaged_entry_is_dropped_and_gives_nothing(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "verified").write_bytes(CONTENT)
    cache = ArchiveCache(tmp_path / "cache")
    cache.put(SHA256, tmp_path / "verified")
    (entry,) = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    entry.write_bytes(damage)
    assert cache.take(SHA256, tmp_path / "out") is None
    assert not (tmp_path / "out").exists()
    assert not entry.exists()


def test_an_entry_is_no_link_to_the_users_file(tmp_path: Path) -> None:
    (tmp_path / "verified").write_bytes(CONTENT)
    cache = ArchiveCache(tmp_path / "cache")
    cache.put(SHA256, tmp_path / "verified")
    (tmp_path / "verified").write_bytes(b"changed later")
    assert cache.take(SHA256, tmp_path / "out") == len(CONTENT)


def test_a_link_in_place_of_an_entry_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(CONTENT)
    folder = tmp_path / "cache" / "sha256" / SHA256[:2]
    folder.mkdir(parents=True)
    (folder / SHA256).symlink_to(tmp_path / "elsewhere")
    assert ArchiveCache(tmp_path / "cache").take(SHA256, tmp_path / "out") is None


def test_a_cache_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "verified").write_bytes(CONTENT)
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(CacheError, match="cannot write to the cache") as caught:
        ArchiveCache(tmp_path / "cache").put(SHA256, tmp_path / "verified")
    assert "--no-cache" in (caught.value.hint or "")


def test_two_processes_may_share_the_cache(tmp_path: Path) -> None:
    (tmp_path / "verified").write_bytes(CONTENT)
    common = [str(tmp_path / "cache"), str(tmp_path / "verified"), SHA256]
    both(_PUT, [*common, "a"], [*common, "b"])
    assert not list((tmp_path / "cache").rglob(".new-*"))


# ---- lock file ------------------------------------------------------------------------------------------------------


def test_a_repository_that_was_never_seen_is_accepted(tmp_path: Path) -> None:
    check_sighting(tmp_path / "lock", SEEN)
    record_sighting(tmp_path / "lock", SEEN)
    check_sighting(tmp_path / "lock", SEEN)


@pytest.mark.parametrize(
    ("later", "reason"),
    [
        (evolve(SEEN, level=Level.DIGEST), "level 'digest', but 'checksum' was reached before"),
        (evolve(SEEN, sha256="0" * 64), "is not the archive seen before"),
        (evolve(SEEN, tag="v0.9"), "older than one seen"),
    ],
)
def test_less_than_was_seen_before_is_refused_and_the_hint_says_how_to_accept_it(
    tmp_path: Path, later: Sighting, reason: str
) -> None:
    record_sighting(tmp_path / "lock", SEEN)
    before = (tmp_path / "lock").read_bytes()
    with pytest.raises(LockError, match=reason) as caught:
        check_sighting(tmp_path / "lock", later)
    assert "--accept-change" in (caught.value.hint or "")
    assert (tmp_path / "lock").read_bytes() == before
    record_sighting(tmp_path / "lock", later)
    check_sighting(tmp_path / "lock", later)


@pytest.mark.parametrize("change", [{"issuer": "https://evil"}, {"signer": "evil/x"}, {"issuer": None, "signer": None}])
def test_another_signer_is_refused(tmp_path: Path, change: dict[str, str | None]) -> None:
    signed = evolve(SEEN, issuer="https://issuer", signer="octo/widgets", level=Level.SIGSTORE)
    record_sighting(tmp_path / "lock", signed)
    with pytest.raises(LockError, match=r"issuer|signer"):
        check_sighting(tmp_path / "lock", evolve(signed, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "later",
    [
        evolve(SEEN, level=Level.SIGSTORE, issuer="i", signer="s"),
        evolve(SEEN, tag="v1.1", sha256="0" * 64),
        evolve(SEEN, tag="v0.9", newest=False, sha256="0" * 64),
        evolve(SEEN, asset="other", sha256="0" * 64),
        evolve(SEEN, tag="nightly", sha256="0" * 64),
        evolve(SEEN, key="https://api.test octo/other", level=Level.NONE, sha256="0" * 64),
    ],
)
def test_more_or_other_than_was_seen_before_is_accepted(tmp_path: Path, later: Sighting) -> None:
    record_sighting(tmp_path / "lock", SEEN)
    check_sighting(tmp_path / "lock", later)


def test_two_processes_lose_none_of_their_entries(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / "lock.json"
    both(_RECORD, [str(lock), "a"], [str(lock), "b"])
    assert len(json.loads(lock.read_text())["repositories"]) == 30


def test_a_lock_file_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LockError, match="cannot write the lock file"):
        record_sighting(tmp_path / "file" / "lock", SEEN)


# ---- staging --------------------------------------------------------------------------------------------------------


def test_a_destination_that_stays_empty_is_removed_with_the_folders_made_for_it(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), Staging(tmp_path / "a" / "b" / "c") as staging:
        staging.part("x").write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_destination_that_was_there_before_stays(tmp_path: Path) -> None:
    with Staging(tmp_path / "a") as staging:
        staging.part("x").write_text("half")
        publish_file(staging.part("x"), staging.destination / "x", overwrite=False)
    (tmp_path / "b").mkdir()
    with Staging(tmp_path / "b"):
        pass
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["a", "a/x", "b"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_never_replaces_a_folder_or_a_link(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with Staging(tmp_path) as staging:
        for name in ("folder", "link", "dangling"):
            staging.part("x").write_text("new")
            with pytest.raises(AssetError, match="is there already"):
                publish_file(staging.part("x"), tmp_path / name, overwrite=overwrite)
    assert sorted(os.listdir(tmp_path)) == ["dangling", "folder", "link"]


def test_a_destination_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write to"), Staging(tmp_path / "file" / "out"):
        pass
    assert (tmp_path / "file").is_file()

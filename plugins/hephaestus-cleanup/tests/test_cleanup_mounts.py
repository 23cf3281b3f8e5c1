"""Mounts are never entered, whenever they appear: told in mount namespaces, skipped loudly without the right to one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]

PRELUDE = """
import os, subprocess
from hephaestus_cleanup import _beneath, _erase
from hephaestus_cleanup._builtin_rules import BUILTIN_RULES
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._engine import Engine
from hephaestus_cleanup._options import effective_options
from hephaestus_cleanup._roots import search_roots

def engine(root, **keywords):
    options = effective_options(CleanupConfig(), {"deep_clean": True}, yes=True)
    return Engine(search_roots(root, options), options, BUILTIN_RULES, consent=Consent(True), **keywords)

def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)
"""


@pytest.fixture
def victim(tmp_path: Path, fill: Fill) -> Path:
    folder = tmp_path / "victim"
    fill(folder, "precious.pyc", "deep/precious")
    return folder


@pytest.fixture
def mounted(workspace: Path, victim: Path) -> Callable[[str], None]:
    """Run Python in a mount namespace of its own, or skip loudly."""

    def run(script: str) -> None:
        if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
            pytest.skip("no right to make a mount namespace: mounts are not tested here")
        places = f"root, victim = {str(workspace)!r}, {str(victim)!r}\n"
        program = [sys.executable, "-c", PRELUDE + places + script]
        done = subprocess.run(["unshare", "-m", *program], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    return run


@pytest.mark.parametrize("opener", ["open_by_kernel", "open_by_components"])
@pytest.mark.parametrize("kind", ["--bind {victim}", "-t tmpfs tmpfs"])
def test_a_mount_is_never_entered_and_what_holds_one_stays(
    workspace: Path, victim: Path, fill: Fill, left: Left, mounted: Callable[[str], None], opener: str, kind: str
) -> None:
    fill(workspace, "package.json", "node_modules/m/", "node_modules/a", "src/__pycache__/x.pyc", "mnt/")
    before = left(victim)

    mounted(f"""
for place in ("node_modules/m", "mnt"):
    mount(*{kind!r}.format(victim=victim).split(), root + "/" + place)
outcome = engine(root, run_id="{opener}-{kind[2:4]}", open_folder=_beneath.{opener}).run()
skips = [(os.path.basename(n.path), n.reason) for n in outcome.skipped]
assert skips == [("mnt", "mount point"), ("node_modules", "mount point")], outcome
assert [r.item.relative for r in outcome.removed] == ["src/__pycache__"], outcome
handle = os.open(root, os.O_RDONLY)
for place in ("mnt", "node_modules/m"):
    try:
        _beneath.{opener}(handle, place)
    except OSError as error:
        assert error.errno == 18, error
    else:
        raise AssertionError("entered " + place)
""")

    assert left(victim) == before


@pytest.mark.parametrize("opener", ["open_by_kernel", "open_by_components"])
@pytest.mark.parametrize("place", ["node_modules", "node_modules/m", "node_modules/f"])
def test_a_mount_made_after_the_plan_is_not_entered(
    workspace: Path, victim: Path, fill: Fill, left: Left, mounted: Callable[[str], None], opener: str, place: str
) -> None:
    fill(workspace, "package.json", "node_modules/m/", "node_modules/f", "node_modules/a")
    before = left(victim)

    mounted(f"""
source = victim + "/precious.pyc" if {place!r}.endswith("f") else victim
before = lambda plan: mount("--bind", source, root + "/" + {place!r})
outcome = engine(root, before_execution=before, open_folder=_beneath.{opener}).run()
assert not outcome.removed, outcome
assert len(outcome.errors) + len(outcome.skipped) == 1, outcome
""")

    assert left(victim) == before
    assert (victim / "precious.pyc").read_text() == "x"


@pytest.mark.parametrize("opener", ["open_by_kernel", "open_by_components"])
@pytest.mark.parametrize("kind", ["--bind {victim}", "-t tmpfs tmpfs"])
def test_a_mount_made_while_its_leftover_is_erased_is_not_entered(
    workspace: Path, victim: Path, fill: Fill, left: Left, mounted: Callable[[str], None], opener: str, kind: str
) -> None:
    fill(workspace, "package.json", "node_modules/m/n/x", "node_modules/a")
    before = left(victim)

    mounted(f"""
listed = _erase.list_entries
def late(handle):
    entries = listed(handle)
    if os.readlink(f"/proc/self/fd/{{handle}}") == root + "/node_modules/m":
        mount(*{kind!r}.format(victim=victim).split(), root + "/node_modules/m/n")
    return entries
_erase.list_entries = late
outcome = engine(root, open_folder=_beneath.{opener}).run()
assert os.listdir(root + "/node_modules/m/n") != ["x"]
assert [(e.path, e.reason) for e in outcome.errors] == [
    (root + "/node_modules/m/n", "Invalid cross-device link")], outcome
assert not outcome.removed
""")

    assert left(victim) == before


def test_types_that_a_listing_does_not_tell_are_asked_for(
    workspace: Path, fill: Fill, mounted: Callable[[str], None]
) -> None:
    """An ext2 without its `filetype` feature answers DT_UNKNOWN for every entry."""
    if shutil.which("mkfs.ext2") is None:
        pytest.skip("no mkfs.ext2: a file system without types in its listings is not tested here")
    image = workspace / "image"
    with image.open("wb") as file:
        file.truncate(1 << 22)
    subprocess.run(["mkfs.ext2", "-q", "-O", "^filetype", str(image)], check=True)
    fill(workspace, "place/")

    mounted("""
if subprocess.run(["mount", "-o", "loop", root + "/image", root + "/place"]).returncode:
    print("no loop device")
    raise SystemExit(0)
ws = root + "/place/ws"
os.makedirs(ws + "/src/__pycache__/sub")
os.makedirs(ws + "/deep/er")
os.makedirs(ws + "/folder.pyc")
for file in ("src/__pycache__/x.pyc", "src/__pycache__/sub/y.pyc", "deep/er/z.pyc", "folder.pyc/kept"):
    open(ws + "/" + file, "w").close()
os.symlink(victim, ws + "/src/__pycache__/out")
os.symlink(victim, ws + "/__pycache__")
os.symlink(victim, ws + "/link")
outcome = engine(ws).run()
assert [r.item.relative for r in outcome.removed] == ["deep/er/z.pyc", "src/__pycache__"], outcome
assert not outcome.errors
assert sorted(os.listdir(ws)) == ["__pycache__", "deep", "folder.pyc", "link", "src"]
assert sorted(os.listdir(victim)) == ["deep", "precious.pyc"]
""")

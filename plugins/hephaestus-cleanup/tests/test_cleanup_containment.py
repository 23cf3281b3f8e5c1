"""The removal never leaves its root and takes nothing but what was planned, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hephaestus_cleanup import _erase
from hephaestus_cleanup._beneath import OpenFolder, open_by_components, open_by_kernel, pick_opener
from hephaestus_cleanup._erase import Changed, Eraser, Tally
from hephaestus_cleanup.errors import CleanupRefused

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]
Build = Callable[..., Any]

OPENERS = [
    pytest.param(
        open_by_kernel,
        id="openat2",
        marks=pytest.mark.skipif(pick_opener() is not open_by_kernel, reason="this kernel has no openat2"),
    ),
    pytest.param(open_by_components, id="by components"),
]
each_opener = pytest.mark.parametrize("opener", OPENERS)


@pytest.fixture
def victim(tmp_path: Path, fill: Fill) -> Path:
    folder = tmp_path / "victim"
    fill(folder, "__pycache__/precious.pyc", "precious.pyc", "deep/precious")
    return folder


@pytest.fixture
def handle(workspace: Path) -> Iterator[int]:
    opened = os.open(workspace, os.O_RDONLY)
    yield opened
    os.close(opened)


# ---- opening ---------------------------------------------------------------------------------------------------


@each_opener
def test_an_opener_opens_what_lies_beneath(opener: OpenFolder, handle: int, workspace: Path, fill: Fill) -> None:
    fill(workspace, "a/b/c/")

    opened = opener(handle, "a/b/c")

    assert os.fstat(opened).st_ino == (workspace / "a/b/c").stat().st_ino
    assert not os.get_inheritable(opened)
    os.close(opened)


@each_opener
@pytest.mark.parametrize(
    "path", ["..", "a/../..", "a/../../victim", "link", "link/deep", "a/link", "absolute", "file", "inner/sub"]
)
def test_an_opener_refuses_every_way_out(
    opener: OpenFolder, handle: int, workspace: Path, victim: Path, fill: Fill, path: str
) -> None:
    fill(workspace, "a/sub/", "file")
    (workspace / "inner").symlink_to("a")
    (workspace / "link").symlink_to("../victim")
    (workspace / "a/link").symlink_to("../../victim")
    (workspace / "absolute").symlink_to(victim)

    with pytest.raises(OSError, match=r"\w") as caught:
        opener(handle, path)

    assert caught.value.errno in (errno.EXDEV, errno.ELOOP, errno.ENOTDIR)


@each_opener
def test_an_opener_does_not_hang_on_a_fifo(opener: OpenFolder, handle: int, workspace: Path) -> None:
    os.mkfifo(workspace / "fifo")

    with pytest.raises(NotADirectoryError):
        opener(handle, "fifo")


@each_opener
def test_an_opener_takes_paths_longer_than_the_kernels_limit(opener: OpenFolder, handle: int, workspace: Path) -> None:
    names = ["d" * 200] * 40
    opened = os.dup(handle)
    for name in names:
        os.mkdir(name, dir_fd=opened)
        above, opened = opened, os.open(name, os.O_RDONLY, dir_fd=opened)
        os.close(above)
    wanted = os.fstat(opened).st_ino
    os.close(opened)

    found = opener(handle, "/".join(names))

    assert os.fstat(found).st_ino == wanted
    os.close(found)


@pytest.mark.slow
@pytest.mark.skipif(pick_opener() is not open_by_kernel, reason="this kernel has no openat2")
def test_the_kernel_is_told_to_stay_within_each_time(
    workspace: Path, fill: Fill, strace: Callable[..., Any], tmp_path: Path
) -> None:
    fill(workspace, "a/__pycache__/sub/x.pyc")

    done = strace("inject=openat2:delay_enter=0", sys.executable, "-m", "hephaestus", "cleanup", "--python-cache", ".")

    assert done.returncode == 0, done.stderr
    calls = [line for line in (tmp_path / "trace").read_text().splitlines() if "openat2(" in line]
    assert len(calls) > 3
    for line in calls:
        for flag in ("NO_XDEV", "NO_MAGICLINKS", "NO_SYMLINKS", "BENEATH"):
            assert f"RESOLVE_{flag}" in line
        for flag in ("O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC", "O_NONBLOCK"):
            assert flag in line
        assert "AT_FDCWD" not in line


# ---- links -----------------------------------------------------------------------------------------------------


@each_opener
def test_links_are_removed_as_links_and_never_followed(
    engine: Build, workspace: Path, victim: Path, fill: Fill, left: Left, opener: OpenFolder
) -> None:
    before = left(victim)
    fill(workspace, "package.json", "node_modules/real/x")
    (workspace / "node_modules/out").symlink_to(victim)
    (workspace / "node_modules/real/loop").symlink_to("..")
    (workspace / "node_modules/broken").symlink_to("nowhere")
    (workspace / "a.pyc").symlink_to(victim / "precious.pyc")
    (workspace / "__pycache__").symlink_to(victim)
    (workspace / "linked").symlink_to(victim)
    (workspace / "loop").symlink_to(".")

    outcome = engine(open_folder=opener).run()

    assert [each.item.relative for each in outcome.removed] == ["a.pyc", "node_modules"]
    assert outcome.errors == []
    assert left(workspace) == {"package.json", "__pycache__", "linked", "loop"}
    assert left(victim) == before


def test_a_root_given_through_a_link_is_the_folder_behind_it(engine: Build, workspace: Path, fill: Fill) -> None:
    fill(workspace, "a.pyc")
    (workspace.parent / "alias").symlink_to(workspace)

    outcome = engine(workspace.parent / "alias").run()

    assert [each.item.path for each in outcome.removed] == [str(workspace / "a.pyc")]


def test_a_root_replaced_before_the_run_begins_is_refused(
    engine: Build, workspace: Path, fill: Fill, left: Left
) -> None:
    built = engine()
    workspace.rename(workspace.parent / "aside")
    fill(workspace, "a.pyc")

    with pytest.raises(CleanupRefused, match="was replaced"):
        built.run()

    assert left(workspace) == {"a.pyc"}


@each_opener
@pytest.mark.parametrize("what", ["match", "parent", "file"])
def test_what_is_swapped_between_plan_and_execution_is_left_alone(
    engine: Build, workspace: Path, victim: Path, fill: Fill, left: Left, opener: OpenFolder, what: str
) -> None:
    fill(workspace, "src/__pycache__/x.pyc", "src/y.pyc")
    before = left(victim)

    def swap(plan: Any) -> None:
        if what == "match":
            (workspace / "src/__pycache__").rename(workspace / "aside")
            (workspace / "src/__pycache__").symlink_to(victim / "__pycache__")
        elif what == "parent":
            (workspace / "src").rename(workspace / "aside")
            (workspace / "src").symlink_to(victim)
        else:
            (workspace / "src/y.pyc").rename(workspace / "aside")
            (workspace / "src/y.pyc").write_text("somebody's work")

    outcome = engine(open_folder=opener, before_execution=swap).run()

    assert left(victim) == before
    assert (workspace / "aside").exists()
    assert (workspace / "src/y.pyc").exists() or what != "file"
    assert outcome.skipped or outcome.errors


@pytest.mark.slow
@pytest.mark.skipif(
    pick_opener() is not open_by_kernel, reason="this kernel has no openat2, nor renameat2 to race with"
)
def test_a_racing_swapper_never_gets_anything_outside_removed(
    tmp_path: Path, unmeasured_environment: dict[str, str]
) -> None:
    """Each opener against folders and files that a process exchanges meanwhile; CLEANUP_RACES=10000 runs as many."""
    races = os.environ.get("CLEANUP_RACES", "96")
    script = Path(__file__).parent / "sweeps" / "races.py"
    timeout = 60 + int(races)

    command = [sys.executable, str(script), str(tmp_path), "--races", races]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=unmeasured_environment)

    assert done.returncode == 0, done.stdout + done.stderr
    raced, swaps, met, escapes = (int(word) for word in done.stdout.splitlines()[-1].split() if word.isdigit())
    assert escapes == 0
    assert raced >= int(races)
    assert swaps > 100 * raced
    assert met > raced // 8


# ---- leaves and depths -----------------------------------------------------------------------------------------


def test_fifos_sockets_and_devices_are_unlinked_and_never_opened(
    engine: Build, workspace: Path, fill: Fill, left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace, "package.json", "node_modules/")
    os.mkfifo(workspace / "node_modules/fifo")
    os.mkfifo(workspace / "._fifo")
    monkeypatch.chdir(workspace / "node_modules")  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
    monkeypatch.chdir(workspace)
    if os.geteuid() == 0:
        os.mknod(workspace / "node_modules/device", 0o020600, os.makedev(1, 7))

    outcome = engine().run()

    assert outcome.errors == []
    assert left(workspace) == {"package.json"}


def dig(handle: int, depth: int) -> None:
    opened = os.dup(handle)
    for number in range(depth):
        os.close(os.open(f"file{number % 3}", os.O_CREAT | os.O_WRONLY, dir_fd=opened))
        os.mkdir("d", dir_fd=opened)
        above, opened = opened, os.open("d", os.O_RDONLY, dir_fd=opened)
        os.close(above)
    os.close(opened)


@pytest.mark.slow
@each_opener
def test_a_tree_3000_folders_deep_is_removed(
    engine: Build, workspace: Path, fill: Fill, left: Left, opener: OpenFolder
) -> None:
    fill(workspace, "__pycache__/")
    handle = os.open(workspace / "__pycache__", os.O_RDONLY)
    dig(handle, 3000)
    os.close(handle)

    outcome = engine(open_folder=opener).run()

    assert outcome.errors == []
    assert outcome.removed[0].tally.entries == 6001
    assert left(workspace) == set()


@pytest.mark.slow
def test_a_leftover_3000_folders_deep_is_found_and_removed(engine: Build, workspace: Path) -> None:
    handle = os.open(workspace, os.O_RDONLY)
    dig(handle, 3000)
    deepest = pick_opener()(handle, "/".join(["d"] * 3000))
    os.mkdir("__pycache__", dir_fd=deepest)
    os.close(os.open("__pycache__/x.pyc", os.O_CREAT, dir_fd=deepest))

    outcome = engine().run()

    assert [each.item.relative for each in outcome.removed] == ["/".join(["d"] * 3000) + "/__pycache__"]
    assert "__pycache__" not in os.listdir(deepest)
    os.close(deepest)
    tally = Tally()
    assert Eraser(pick_opener()).folder(handle, "d", "d", tally)
    os.close(handle)


def test_names_of_any_bytes_are_removed_exactly(engine: Build, workspace: Path, left: Left) -> None:
    names = [b"\xff\xfe.pyc", b"new\nline.pyc", b"\x1b[31m.pyc", b"-rf.pyc", b" .pyc", "\u202egpj.pyc".encode()]
    for name in names:
        (workspace / os.fsdecode(name)).touch()

    outcome = engine().run()

    assert {os.fsencode(each.item.relative) for each in outcome.removed} == set(names)
    assert left(workspace) == set()


@pytest.mark.slow
@pytest.mark.parametrize("folders", [1, 20])
def test_what_changes_deep_within_a_leftover_is_an_error_and_ends_the_run_in_order(
    engine: Build, workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, folders: int
) -> None:
    """A folder whose descriptor was given up on the way down is another one on the way back."""
    fill(workspace, *(f"__pycache__/{number}/x" for number in range(folders)), "z.pyc")
    handle = os.open(workspace / "__pycache__/0", os.O_RDONLY)
    dig(handle, 120)
    listed = _erase.list_entries
    swapped: list[int] = []

    def swap_at_the_bottom(opened: int) -> Any:
        entries = listed(opened)
        if not any(entries) and not swapped:
            swapped.append(1)
            middle = pick_opener()(handle, "/".join(["d"] * 40))
            os.rename("d", "moved", src_dir_fd=middle, dst_dir_fd=middle)
            os.mkdir("d", dir_fd=middle)
            os.close(middle)
        return entries

    monkeypatch.setattr(_erase, "list_entries", swap_at_the_bottom)

    outcome = engine().run()
    os.close(handle)

    assert swapped
    assert [each.item.relative for each in outcome.removed] == ["z.pyc"]
    assert [each.path.split("/")[-1] or each.path for each in outcome.errors] == [
        "__pycache__" if folders == 1 else "0"
    ]
    assert "changed while it was erased" in outcome.errors[0].reason


def test_a_part_that_breaks_down_in_an_unforeseen_way_ends_the_run_all_the_same(
    engine: Build, workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace, *(f"__pycache__/{number}/x" for number in range(20)), "z.pyc")

    erase = Eraser.folder
    called: list[int] = []

    def broken(self: Eraser, *arguments: Any, **keywords: Any) -> bool:
        called.append(1)
        if len(called) == 1:
            raise RuntimeError("unforeseen")
        return erase(self, *arguments, **keywords)

    monkeypatch.setattr(Eraser, "folder", broken)

    with pytest.raises(RuntimeError, match="unforeseen"):
        engine().run()


def test_an_eraser_takes_only_the_folder_that_it_was_told_of(workspace: Path, handle: int, fill: Fill) -> None:
    fill(workspace, "d/x")
    inode = (workspace / "d").stat().st_ino

    with pytest.raises(Changed):
        Eraser(pick_opener()).folder(handle, "d", "d", Tally(), (os.fstat(handle).st_dev, inode + 1))

    assert (workspace / "d/x").exists()


def test_sizes_are_exact_below_the_sampling_limit_and_close_above_it(workspace: Path, handle: int, fill: Fill) -> None:
    count = _erase._MEASURED * 3
    for name in ("small", "large", "exact"):
        fill(workspace, *(f"{name}/{number}" for number in range(10 if name == "small" else count)), text="12345")
    (workspace / "kept").write_text("hard-linked")
    os.link(workspace / "kept", workspace / "small/linked")
    tallies = {}
    for name in ("small", "large", "exact"):
        tallies[name] = Tally()
        Eraser(pick_opener(), exact=name == "exact").folder(handle, name, name, tallies[name])

    assert (tallies["small"].size, tallies["small"].approximate) == (50, False)
    assert (tallies["exact"].size, tallies["exact"].approximate) == (count * 5, False)
    assert tallies["large"].approximate
    assert abs(tallies["large"].size - count * 5) <= 5 * _erase._SAMPLE
    assert tallies["large"].entries == count + 1

"""Folders that permissions close: our own within a leftover are opened up; nobody else's, and no file, is changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]

CLEAN = """
import os
from hephaestus.testing import capture_events
from hephaestus_cleanup._builtin_rules import BUILTIN_RULES
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._engine import Engine
from hephaestus_cleanup._options import effective_options
from hephaestus_cleanup._roots import search_roots
from hephaestus_cleanup.errors import CleanupRefused

def clean(root, **config):
    flags = {"python_cache": True, "build_artifacts": True, "node_modules": True, **config}
    options = effective_options(CleanupConfig(), flags, yes=True)
    return Engine(search_roots(root, options), options, BUILTIN_RULES, consent=Consent(True)).run()
"""
NOBODY = 65534


@pytest.fixture
def powerless(workspace: Path) -> Callable[[str], None]:
    """Run Python as the same user without the rights that go beyond permissions; skips loudly where that can't be."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root, and no setpriv to do without its rights: permissions are not tested here")
        prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

    def run(script: str) -> None:
        program = [sys.executable, "-c", f"{CLEAN}\nroot = {str(workspace)!r}\n{script}"]
        done = subprocess.run([*prefix, *program], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    return run


def give_away(path: Path) -> None:
    """Let another user own a path; skips loudly without the right to."""
    if os.geteuid() != 0:
        pytest.skip("not root: other users' folders are not tested")
    os.chown(path, NOBODY, NOBODY)


@pytest.fixture
def tree(workspace: Path, fill: Fill) -> Path:
    """A workspace as the tests below want it."""
    fill(workspace, "package.json", "node_modules/unreadable/x", "node_modules/readonly/y", "node_modules/readonly/s/z")
    fill(workspace, *(f"many/__pycache__/{number}/x.pyc" for number in range(20)), "many/__pycache__/y.pyc", "outside")
    fill(workspace, "closed/__pycache__/x.pyc", "theirs/__pycache__/x.pyc", "theirs/__pycache__/sub/y.pyc")
    os.link(workspace / "outside", workspace / "node_modules/readonly/linked")
    (workspace / "outside").chmod(0o400)
    return workspace


@pytest.mark.parametrize("workers", [1, 2])
def test_closed_folders_of_our_own_go_and_no_file_is_changed(
    tree: Path, powerless: Callable[[str], None], left: Left, workers: int
) -> None:
    (tree / "node_modules/unreadable").chmod(0)
    (tree / "node_modules/readonly").chmod(0o555)
    (tree / "many/__pycache__").chmod(0o555)
    (tree / "closed/__pycache__").chmod(0)

    powerless(f"""
outcome = clean(root, workers={workers})
assert not outcome.errors, outcome.errors
assert len(outcome.removed) == 4, outcome.removed
""")

    assert left(tree) == {"outside", "package.json", "many/", "closed/", "theirs/"}
    assert (tree / "outside").stat().st_mode & 0o777 == 0o400


def test_the_folder_that_a_leftover_lies_in_keeps_its_permissions(
    tree: Path, powerless: Callable[[str], None], left: Left
) -> None:
    (tree / "closed").chmod(0o555)

    powerless("""
outcome = clean(root)
assert [(os.path.relpath(e.path, root), e.reason) for e in outcome.errors] == [
    ("closed/__pycache__", "Permission denied")
], outcome.errors
""")

    assert (tree / "closed").stat().st_mode & 0o777 == 0o555
    assert (tree / "closed/__pycache__").exists()


def test_a_folder_of_somebody_else_is_an_error_and_is_not_changed(
    tree: Path, powerless: Callable[[str], None], left: Left
) -> None:
    give_away(tree / "theirs/__pycache__/sub")
    (tree / "theirs/__pycache__/sub").chmod(0o755)

    powerless("""
outcome = clean(root)
assert [os.path.relpath(e.path, root) for e in outcome.errors] == ["theirs/__pycache__/sub/y.pyc"], outcome.errors
assert len(outcome.removed) == 3
""")

    assert left(tree / "theirs") == {"__pycache__/sub/y.pyc"}
    assert (tree / "theirs/__pycache__/sub").stat().st_mode & 0o777 == 0o755


def test_a_root_that_cannot_be_opened_is_one_error_and_the_run_ends_in_order(
    tree: Path, powerless: Callable[[str], None]
) -> None:
    give_away(tree)
    tree.chmod(0o711)

    powerless("""
with capture_events() as captured:
    outcome = clean(root)
assert [(e.path, e.reason) for e in outcome.errors] == [(root, "Permission denied")], outcome.errors
assert captured.names == ["cleanup.run.start", "cleanup.path.error", "cleanup.run.complete"], captured.names
""")


def test_another_users_quarantine_is_refused_and_nothing_is_moved_into_it(
    tree: Path, powerless: Callable[[str], None], left: Left
) -> None:
    (tree / ".hephaestus-quarantine").mkdir()
    (tree / ".hephaestus-quarantine").chmod(0o777)
    give_away(tree / ".hephaestus-quarantine")
    before = left(tree)

    powerless("""
try:
    clean(root, quarantine=True)
except CleanupRefused as error:
    assert "belongs to another user" in str(error), error
else:
    raise AssertionError("moved into somebody else's folder")
""")

    assert left(tree) == before

"""Break each guard of the cleanup engine in turn and show that a test fails.

Run it with the interpreter that the tests run with; it works on a copy and changes nothing in the checkout::

    python plugins/hephaestus-cleanup/tests/mutation/check_guards.py [NAME ...]

Exits 0 when every mutation is killed. A mutation whose text is no longer found is an error, not a success.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

PLUGIN = Path(__file__).resolve().parents[2]
REPOSITORY = PLUGIN.parents[1]
PACKAGE = "hephaestus_cleanup"


class Mutation(NamedTuple):
    """One guard, broken.

    Attributes:
        name: what is broken.
        module: the file, below the package.
        before, after: the text that is replaced, once.
        tests: which test file is to notice, by the end of its name.
        only: pytest's `-k`.
    """

    name: str
    module: str
    before: str
    after: str
    tests: str
    only: str = ""


MUTATIONS = (
    Mutation("openat2-follows-links", "_beneath.py", "_RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH", "_RESOLVE_BENEATH", "containment", "opener or links or swapped"),
    Mutation("openat2-leaves-the-root", "_beneath.py", "| _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH\n", "| _RESOLVE_NO_SYMLINKS\n", "containment", "opener_refuses"),
    Mutation("openat2-crosses-mounts", "_beneath.py", "_RESOLVE = _RESOLVE_NO_XDEV | ", "_RESOLVE = ", "containment", "mount"),
    Mutation("components-take-dots", "_beneath.py", 'if name in ("", ".", ".."):', "if False:", "containment", "opener_refuses"),
    Mutation("components-cross-mounts", "_beneath.py", "if _mount_of(opened) != mount:", "if False:", "containment", "mount"),
    Mutation("components-follow-links", "_beneath.py", "_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW |", "_FLAGS = os.O_RDONLY | os.O_DIRECTORY |", "containment", "opener_refuses or links"),
    Mutation("eraser-takes-any-folder", "_erase.py", "if identity is not None and (status.st_dev, status.st_ino) != identity:\n            os.close", "if False:\n            os.close", "containment", "told_of"),
    Mutation("crew-takes-whatever-is-there", "_crew.py", "if not same or stat.S_ISDIR(status.st_mode) != item.is_folder:", "if False:", "containment", "swapped"),
    Mutation("eraser-takes-repositories", "_erase.py", 'if ".git" in files or ".git" in folders:', "if False:", "protections", "deep_in_a_cache"),
    Mutation("eraser-gives-up-at-the-first-error", "_erase.py", "                frame.whole = False\n                tally.problems.append((f\"{shown}/{name}\", reason_of(error)))", "                raise", "containment", "refusal or somebody_else"),
    Mutation("eraser-opens-up-others-folders", "_erase.py", "if status.st_uid != os.geteuid() or mode & 0o700 == 0o700:\n        return False\n    os.fchmod", "if True:\n        return False\n    os.fchmod", "containment", "opened_up"),
    Mutation("eraser-never-opens-up", "_erase.py", "if error.errno not in _REFUSED or not _open_up(parent, name, identity):", "if True:", "containment", "opened_up"),
    Mutation("samples-weigh-nothing", "_erase.py", "weight=_SAMPLE", "weight=1", "containment", "sampling"),
    Mutation("hard-links-count", "_erase.py", "if status.st_nlink == 1:", "if True:", "containment", "sampling"),
    Mutation("guard-forgets-prefixes", "_nullisting.py", " or self._has(beneath, beneath)", "", "protections", "tracked or slash"),
    Mutation("guard-looks-for-what-is-beneath-too-early", "_nullisting.py", "self._has(beneath, beneath)", "self._has(path, beneath)", "oracle", "listing"),
    Mutation("guard-forgets-exact-names", "_nullisting.py", 'self._has(path, path + b"\\0") or ', "", "protections", "tracked or worktree"),
    Mutation("guard-forgets-where-blocks-begin", "_nullisting.py", "            or data.startswith(beginning, high)\n", "", "oracle", "listing"),
    Mutation("guard-runs-fsmonitor", "_git.py", '*("-c", "core.fsmonitor=false", ', '*("-c", f"core.x=y", ', "protections", "program"),
    Mutation("guard-believes-core-worktree", "_git.py", 'f"--work-tree={place.top}"', '"--no-replace-objects"', "protections", "point_the_guard or worktree"),
    Mutation("guard-never-folds", "_git.py", "self._folded = self._folds_names()", "self._folded = False", "protections", "folding"),
    Mutation("guard-fails-open", "_git.py", "if self._process.returncode != 0:", "if False:", "protections", "cannot_read"),
    Mutation("guard-misses-index-changes", "_git.py", "return self._index_state() != self._seen", "return False", "protections", "index_that_changes"),
    Mutation("ignored-by-the-folder-above-counts", "_git.py", "if each in found and parent not in found", "if each in found", "protections", "ignored"),
    Mutation("planner-skips-tracked-check", "_planner.py", "if guard.covers(path) and guard.tracks(path):", "if False:", "protections", "tracked"),
    Mutation("planner-skips-in-use-check", "_planner.py", "reason = self.in_use.reason(path)", "reason = None", "protections", "holds"),
    Mutation("planner-needs-no-evidence", "_planner.py", "if reason is None and not has_evidence:", "if False:", "protections", "evidence"),
    Mutation("planner-asks-no-plugin", "_planner.py", "reason = self.protect(path, root.path)", "reason = None", "protections", "plugins_reason"),
    Mutation("planner-looks-through-nothing", "_planner.py", "reason = reason_within(path, keep, tool_owned=candidate.rule.tool_owned)", "reason = None", "protections", "stays_whole or keep"),
    Mutation("planner-enters-kept-node-modules", "_scan.py", "REPOSITORY_NAMES | INSTALLED_NAMES | {QUARANTINE_NAME}", "REPOSITORY_NAMES | {QUARANTINE_NAME}", "protections", "installed"),
    Mutation("scan-enters-repositories", "_scan.py", 'if repository and place.scope != "git":', "if False:", "protections", "nested_repositories"),
    Mutation("scan-enters-environments", "_scan.py", "if special & ENVIRONMENT_NAMES:", "if False:", "protections", "environments"),
    Mutation("scan-sweeps-refs", "_scan.py", 'return None if name in _GIT_CLOSED else "git"', 'return "git"', "protections", "branch"),
    Mutation("scan-takes-forged-tags", "_evidence.py", "== _SIGNATURE", "!= b''", "protections", "forged"),
    Mutation("scan-ignores-ignore-files", "_scan.py", "if IGNORE_FILE in special:", "if False:", "protections", "ignore_file"),
    Mutation("scan-exceeds-max-depth", "_scan.py", "place.depth >= self.max_depth", "False", "flags", "max_depth"),
    Mutation("keep-forgets-what-lies-beneath", "_keep.py", "return len(self.parts) > len(above)", "return False", "protections", "keep"),
    Mutation("negation-is-taken", "_keep.py", 'if text.startswith("!"):', "if False:", "plugin", "keep_pattern"),
    Mutation("homes-are-fine", "_dangerous.py", 'if path in homes or os.path.dirname(path) in ("/home", "/Users"):', "if False:", "plugin", "root or danger"),
    Mutation("parents-of-homes-are-fine", "_dangerous.py", "if _beneath(home, path):", "if False:", "plugin", "above_a_home"),
    Mutation("system-folders-are-fine", "_dangerous.py", "if path == folder or _beneath(path, folder):", "if False:", "plugin", "ever_a_root"),
    Mutation("root-of-files-is-fine", "_dangerous.py", 'if path == "/":', "if False:", "plugin", "ever_a_root"),
    Mutation("configuration-leaves-the-workspace", "_roots.py", "if given in options.configured_paths and not", "if False and not", "terminals", "reaches_no_further"),
    Mutation("current-folders-parents-are-fine", "_roots.py", "or _holds_current_folder(path) or", "or", "terminals", "dangerous_extra"),
    Mutation("outside-needs-no-consent", "_engine.py", "if root.outside and not may_leave:", "if False:", "terminals", "outside"),
    Mutation("outside-is-not-asked-for", "_engine.py", "if plan.outside:", "if False:", "terminals", "typed_word"),
    Mutation("any-answer-is-consent", "_consent.py", "!= CONFIRMATION:", "== 'never':", "terminals", "typed_word"),
    Mutation("budget-is-not-asked-for", "_engine.py", "if excess:", "if False:", "terminals", "budget"),
    Mutation("no-lock", "_rootlock.py", "fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass", "terminals", "second_run"),
    Mutation("manifest-is-overwritten", "_journal.py", "os.O_CREAT | os.O_EXCL | os.O_APPEND", "os.O_CREAT | os.O_APPEND", "terminals", "existing_manifest"),
    Mutation("plan-is-not-synced", "_journal.py", '{"planned": len(plan.items)}))\n        self.sync()', '{"planned": len(plan.items)}))', "manifest", "full_disk"),
    Mutation("removal-before-begin", "_crew.py", "        self.journal.begin(item.index)\n", "", "manifest", "sigkill"),
    Mutation("torn-lines-are-read", "_record.py", 'if line.endswith(b"\\n"):', "if True:", "manifest", "cut_at"),
    Mutation("no-terminal-event-on-failure", "_invocation.py", "            _failed(len(engine.outcome.errors) if engine is not None else 0, str(error) or type(error).__name__)\n", "", "terminals", "signal or refused"),
    Mutation("undo-overwrites", "_quarantine.py", "_RENAME_NOREPLACE = 1", "_RENAME_NOREPLACE = 0", "quarantine", "overwrites or overwrit"),
    Mutation("late-swaps-stay-in-quarantine", "_crew.py", "            move_without_overwriting(target, new_name, parent, name)\n", "", "quarantine", "last_moment"),
    Mutation("quarantine-is-swept", "_scan.py", "| INSTALLED_NAMES | {QUARANTINE_NAME}", "| INSTALLED_NAMES", "quarantine", "neither_swept"),
    Mutation("quarantine-never-expires", "_quarantine.py", "if each.when < horizon or", "if False or", "quarantine", "expire_by_age"),
    Mutation("a-raising-protection-lets-go", "_invocation.py", "if len(answers) < guards:", "if False:", "plugin", "raises_protects"),
    Mutation("names-reach-the-terminal", "_render.py", "if unicodedata.category(character) in _HIDDEN:", "if False:", "terminals", "escaped"),
)  # fmt: skip


def killed(mutation: Mutation, copy: Path) -> bool:
    """Apply one mutation to a fresh copy of the package and run its tests; True when one of them fails."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(PLUGIN / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / PACKAGE / mutation.module
    text = file.read_text()
    if text.count(mutation.before) != 1:
        raise SystemExit(f"{mutation.name}: its text is found {text.count(mutation.before)} times in {mutation.module}")
    file.write_text(text.replace(mutation.before, mutation.after))
    tests = PLUGIN / "tests" / f"test_cleanup_{mutation.tests}.py"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", str(tests)]
    if mutation.only:
        command += ["-k", mutation.only]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{mutation.name}: pytest could not run\n{done.stdout}\n{done.stderr}")
    return done.returncode == 1


def main(names: list[str]) -> int:
    """Check the named mutations, or all; prints one line each."""
    chosen = [each for each in MUTATIONS if not names or each.name in names]
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        for mutation in chosen:
            dead = killed(mutation, Path(folder) / "src")
            sys.stdout.write(f"{'killed' if dead else 'SURVIVED'}  {mutation.name}\n")
            sys.stdout.flush()
            if not dead:
                survivors.append(mutation.name)
    sys.stdout.write(f"{len(chosen) - len(survivors)} of {len(chosen)} killed\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

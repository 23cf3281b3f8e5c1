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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

PLUGIN = Path(__file__).resolve().parents[2]
REPOSITORY = PLUGIN.parents[1]
PACKAGE = "hephaestus_cleanup"
_SECONDS = 120


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
    Mutation("openat2-crosses-mounts", "_beneath.py", "_RESOLVE = _RESOLVE_NO_XDEV | ", "_RESOLVE = ", "mounts", "never_entered"),
    Mutation("openat2-takes-magic-links", "_beneath.py", "_RESOLVE_NO_XDEV | _RESOLVE_NO_MAGICLINKS | ", "_RESOLVE_NO_XDEV | ", "containment", "told_to_stay"),
    Mutation("components-look-at-devices-only", "_beneath.py", 'return device, found[1] if found else b""', 'return device, b""', "mounts", "never_entered"),
    Mutation("components-take-dots", "_beneath.py", 'if name in ("", ".", ".."):', "if False:", "containment", "opener_refuses"),
    Mutation("components-cross-mounts", "_beneath.py", "if _mount_of(opened) != mount:", "if False:", "mounts", "never_entered"),
    Mutation("components-follow-links", "_beneath.py", "_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW |", "_FLAGS = os.O_RDONLY | os.O_DIRECTORY |", "containment", "opener_refuses or links"),
    Mutation("eraser-takes-any-folder", "_erase.py", "if identity is not None and (status.st_dev, status.st_ino) != identity:\n            os.close", "if False:\n            os.close", "containment", "told_of"),
    Mutation("crew-takes-whatever-is-there", "_crew.py", "if not same or stat.S_ISDIR(status.st_mode) != item.is_folder:", "if False:", "containment", "swapped"),
    Mutation("eraser-takes-repositories", "_erase.py", "if _KEPT.isdisjoint(files) and _KEPT.isdisjoint(folders):", "if True:", "protections", "deep_in_a_cache"),
    Mutation("eraser-takes-other-checkouts", "_erase.py", "_KEPT = REPOSITORY_NAMES | {IGNORE_FILE}", '_KEPT = {".git", IGNORE_FILE}', "protections", "deep_in_a_cache"),
    Mutation("eraser-takes-ignore-files", "_erase.py", "_KEPT = REPOSITORY_NAMES | {IGNORE_FILE}", "_KEPT = REPOSITORY_NAMES", "protections", "ignore_file_within"),
    Mutation("eraser-opens-up-the-folder-above", "_erase.py", "if not within or not _open_up_handle(above):", "if not _open_up_handle(above):", "permissions", "keeps_its_permissions"),
    Mutation("eraser-takes-what-took-a-place-deep-down", "_erase.py", "frames[number].name, (frames[number].device, frames[number].inode))", "frames[number].name)", "containment", "changes_deep"),
    Mutation("crew-gives-up-closed-folders", "_crew.py", "            return False  # the eraser may open it up", "            raise", "permissions", "closed_folders_of_our_own"),
    Mutation("crew-splits-closed-folders", "_crew.py", "closed = status.st_mode & 0o700 != 0o700", "closed = False", "permissions", "closed_folders_of_our_own"),
    Mutation("crew-splits-repositories", "_crew.py", "or closed or kept_reason(files, folders) is not None", "or closed", "protections", "many_folders"),
    Mutation("crew-waits-for-ever", "_crew.py", "        finally:\n            eraser.seen = tally.seen", "        if True:\n            eraser.seen = tally.seen", "containment", "breaks_down"),
    Mutation("eraser-gives-up-at-the-first-error", "_erase.py", "                frame.whole = False\n                tally.problems.append((f\"{shown}/{name}\", reason_of(error)))", "                raise", "refusals", "refusal"),
    Mutation("eraser-opens-up-others-folders", "_erase.py", "if status.st_uid != os.geteuid() or mode & 0o700 == 0o700:\n        return False\n    os.fchmod", "if True:\n        return False\n    os.fchmod", "permissions", "closed_folders_of_our_own"),
    Mutation("eraser-never-opens-up", "_erase.py", "if error.errno not in _REFUSED or not _open_up(parent, name, identity):", "if True:", "permissions", "closed_folders_of_our_own"),
    Mutation("samples-weigh-nothing", "_erase.py", "weight=_SAMPLE", "weight=1", "containment", "sampling"),
    Mutation("hard-links-count", "_erase.py", "if status.st_nlink == 1:", "if True:", "containment", "sampling"),
    Mutation("guard-forgets-prefixes", "_nullisting.py", " or self._has(beneath, beneath)", "", "git", "tracked or slash"),
    Mutation("guard-looks-for-what-is-beneath-too-early", "_nullisting.py", "self._has(beneath, beneath)", "self._has(path, beneath)", "oracle", "listing"),
    Mutation("guard-forgets-where-blocks-begin", "_nullisting.py", "            or data.startswith(beginning, high)\n", "", "oracle", "listing"),
    Mutation("guard-forgets-exact-names", "_nullisting.py", 'self._has(path, path + b"\\0") or ', "", "git", "tracked or worktree"),
    Mutation("guard-runs-fsmonitor", "_git.py", '*("-c", "core.fsmonitor=false", ', '*("-c", f"core.x=y", ', "git", "program"),
    Mutation("guard-believes-core-worktree", "_git.py", 'f"--work-tree={place.top}"', '"--no-replace-objects"', "git", "point_the_guard or worktree"),
    Mutation("guard-never-folds", "_git.py", "self._folded = b\" true\" in self._finish(asked)[0]", "self._folded = False", "git", "folding"),
    Mutation("guard-fails-open", "_git.py", "if self._process.returncode != 0:", "if False:", "git", "cannot_read"),
    Mutation("guard-runs-hooks", "_git.py", '"-c", "core.hooksPath=/dev/null", ', "", "git", "command_line"),
    Mutation("guard-minds-the-owner", "_git.py", '"-c", "safe.directory=*"', '"-c", "core.x=y"', "git", "command_line"),
    Mutation("guard-writes-an-untracked-cache", "_git.py", '"-c", "core.untrackedCache=false"', '"-c", "core.x=y"', "git", "command_line"),
    Mutation("guard-runs-a-pager", "_git.py", '"-c", "core.pager=cat"', '"-c", "core.x=y"', "git", "command_line"),
    Mutation("guard-lets-a-pager", "_git.py", '    "--no-pager",\n', "", "git", "command_line"),
    Mutation("guard-takes-locks", "_git.py", '    "--no-optional-locks",\n', "", "git", "command_line"),
    Mutation("guard-runs-an-editor", "_git.py", '"-c", "core.editor=false"', '"-c", "core.x=y"', "git", "command_line"),
    Mutation("guard-asks-for-passwords", "_git.py", '"GIT_TERMINAL_PROMPT": "0", ', "", "git", "command_line"),
    Mutation("guard-fetches", "_git.py", ', "GIT_NO_LAZY_FETCH": "1"', "", "git", "command_line"),
    Mutation("guard-takes-the-callers-variables", "_git.py", 'if not key.startswith("GIT_")', "if True", "git", "callers_git_variables"),
    Mutation("guard-asks-the-nearest-repository-only", "_git.py", "found.append(Repository(folder, _git_dir(entry)))", "return [Repository(folder, _git_dir(entry))]", "git", "outer_repository"),
    Mutation("guard-hangs-on-a-fifo", "_git.py", "os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC", "os.O_RDONLY | os.O_CLOEXEC", "git", "fifo"),
    Mutation("guard-leaves-git-running", "_git.py", "            if process.poll() is None:\n                process.kill()\n        if self._reader", "            pass\n        if self._reader", "git", "ended_with_the_run"),
    Mutation("guard-leaves-a-late-git-running", "_git.py", "            if process.poll() is None:\n                process.kill()\n                process.communicate()\n", "            pass\n", "git", "fails_or_hangs"),
    Mutation("guard-starts-the-workspaces-git", "_git.py", "if os.path.isabs(folder) and os.access", "if os.access", "git", "workspace_itself"),
    Mutation("guard-waits-for-ever", "_git.py", "process.communicate(text, timeout=_SECONDS)", "process.communicate(text)", "git", "fails_or_hangs"),
    Mutation("guard-misses-new-repositories", "_planner.py", "next(iter(tops - set(self.guards)), None) or ", "", "git", "appears_after"),
    Mutation("index-changes-are-ignored", "_engine.py", "        if changed:\n            raise", "        if False:\n            raise", "git", "index_that_changes"),
    Mutation("named-folders-go-unguarded", "_planner.py", "self._start_guards((root.path, *named))", "self._start_guards((root.path,))", "git", "named_folder"),
    Mutation("kept-caches-are-judged-for-ever", "_scan.py", "CACHE_TAG in special and not place.judged and", "CACHE_TAG in special and", "git", "looked_through_once"),
    Mutation("guard-misses-index-changes", "_git.py", "return self._index_state() != self._seen", "return False", "git", "index_that_changes"),
    Mutation("ignored-by-the-folder-above-counts", "_git.py", "if each in found and parent not in found", "if each in found", "protections", "ignored"),
    Mutation("planner-skips-tracked-check", "_planner.py", "if guard.covers(path) and guard.tracks(path):", "if False:", "git", "tracked"),
    Mutation("planner-skips-in-use-check", "_planner.py", "return self.in_use.reason(path)", "return None", "protections", "holds"),
    Mutation("current-folder-goes", "_inuse.py", 'yield os.path.realpath(os.getcwd()), "holds the current folder"', "pass", "protections", "holds_the_current"),
    Mutation("open-files-go", "_inuse.py", "*sys.path, *_open_files()", "*sys.path", "protections", "open_file"),
    Mutation("imports-go", "_inuse.py", "(*places, *sys.path, ", "(*places, ", "protections", "holds_the_current or lives_on"),
    Mutation("programs-go", "_inuse.py", "sys.executable, sys.argv[0], __file__", "__file__", "protections", "lives_on"),
    Mutation("environments-in-use-go", "_inuse.py", "__file__, environment]", "__file__]", "protections", "lives_on"),
    Mutation("prefixes-go", "_inuse.py", "places = [sys.prefix, ", "places = [", "protections", "lives_on"),
    Mutation("folders-of-others-go", "_inuse.py", "(*_own(), *(_others() if self.processes else ()))", "_own()", "protections", "another_process"),
    Mutation("state-goes", "_engine.py", "(self.options.audit_manifest or runs_folder(), runs_folder())", "(self.options.audit_manifest or runs_folder(),)[:0]", "protections", "state_folder"),
    Mutation("ignore-files-within-go-unseen", "_lookthrough.py", "    if IGNORE_FILE in names:", "    if False:", "protections", "ignore_file_within"),
    Mutation("deep-caches-go-unseen", "_lookthrough.py", " and len(path) < _LONGEST:", ":", "protections", "deeper_than_a_path"),
    Mutation("planner-enters-mounts", "_planner.py", "if self._mounts and any(", "if False and any(", "mounts", "what_holds_one"),
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
    Mutation("bare-repositories-are-fine", "_dangerous.py", 'for name in ("HEAD", "objects", "refs")):', "for name in ('never',)):", "plugin", "bare"),
    Mutation("folders-in-bare-repositories-are-fine", "_dangerous.py", "        folder = os.path.dirname(folder)\n    return None", "        break\n    return None", "plugin", "bare"),
    Mutation("git-folders-are-fine", "_dangerous.py", 'if any(part.casefold() == ".git" for part in path.split("/")):', "if False:", "plugin", "ever_a_root"),
    Mutation("personal-folders-are-fine", "_dangerous.py", "if os.path.dirname(path) == home and os.path.basename(path) in _PERSONAL:", "if False:", "plugin", "ever_a_root"),
    Mutation("shared-folders-are-fine", "_dangerous.py", "if path == folder or os.path.dirname(path) == folder:", "if False:", "plugin", "ever_a_root"),
    Mutation("configuration-leaves-the-workspace", "_roots.py", "if given in options.configured_paths and not", "if False and not", "terminals", "reaches_no_further"),
    Mutation("current-folders-parents-are-fine", "_roots.py", "or _holds_current_folder(path) or", "or", "terminals", "dangerous_extra"),
    Mutation("outside-needs-no-consent", "_engine.py", "if root.outside and not may_leave:", "if False:", "terminals", "outside"),
    Mutation("outside-is-not-asked-for", "_engine.py", "if plan.outside:", "if False:", "terminals", "typed_word"),
    Mutation("any-answer-is-consent", "_consent.py", "!= CONFIRMATION:", "== 'never':", "terminals", "typed_word"),
    Mutation("budget-is-not-asked-for", "_engine.py", "if excess:", "if False:", "terminals", "budget"),
    Mutation("entries-are-no-budget", "_consent.py", "config.max_entries is not None and entries > config.max_entries", "False", "terminals", "over_the_budget"),
    Mutation("bytes-are-no-budget", "_consent.py", "config.max_bytes is not None and size > config.max_bytes", "False", "terminals", "over_the_budget"),
    Mutation("shares-are-no-budget", "_consent.py", "config.max_share is not None and share > config.max_share", "False", "terminals", "over_the_budget"),
    Mutation("unmeasured-is-within-the-budget", "_consent.py", "if unknown is not None and", "if False and", "terminals", "cannot_be_measured"),
    Mutation("nobody-asked-is-consent", "_consent.py", "        if self.ask is None:\n            raise", "        if self.ask is None:\n            return\n            raise", "terminals", "over_the_budget"),
    Mutation("replaced-roots-are-cleaned", "_rootlock.py", "if (status.st_dev, status.st_ino) != (root.device, root.inode) or not _lies_at(handle, root.path):", "if False:", "containment", "replaced_before"),
    Mutation("signals-come-anywhere", "_signals.py", "        if self._is_open:\n", "        if not self._is_spent:\n", "terminals", "any_line"),
    Mutation("second-signals-cut-short", "_signals.py", "self._is_open, self._is_spent = False, True", "self._is_open, self._is_spent = True, False", "terminals", "any_line"),
    Mutation("signals-are-never-let-through", "_signals.py", "        while self._pending and not self._is_spent:\n", "        while False:\n", "terminals", "signal_at_any_point"),
    Mutation("last-signals-come-first", "_signals.py", "number = self._pending.pop(0)", "number = self._pending.pop()", "signal_gate", "first_of_two"),
    Mutation("a-returning-handler-shuts-the-gate", "_signals.py", "self._is_open, self._is_spent = was_open, False", "pass", "signal_gate", "returns"),
    Mutation("dry-runs-remove", "_engine.py", "                self._preview(plan)\n                return\n", "                self._preview(plan)\n", "flags", "dry_run"),
    Mutation("no-lock", "_rootlock.py", "fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass", "terminals", "second_run"),
    Mutation("manifest-is-overwritten", "_journal.py", "os.O_CREAT | os.O_EXCL | os.O_APPEND", "os.O_CREAT | os.O_APPEND", "terminals", "existing_manifest"),
    Mutation("plan-is-not-synced", "_journal.py", '{"planned": len(plan.items)}))\n        self.sync()', '{"planned": len(plan.items)}))', "manifest", "full_disk"),
    Mutation("removal-before-begin", "_crew.py", "        self.journal.begin(item.index)\n", "", "sigkill", "before_any_change"),
    Mutation("torn-lines-stay", "_journal.py", "                self._tear_off()\n", "", "manifest", "written_in_part"),
    Mutation("manifests-entry-is-not-synced", "_journal.py", '        sync_folder(os.path.dirname(path) or ".")\n', "        pass\n", "manifest", "on_disk_before"),
    Mutation("new-folders-are-not-synced", "_state.py", "        os.mkdir(folder, 0o700)\n    sync_folder(above)", "        os.mkdir(folder, 0o700)", "manifest", "on_disk_before"),
    Mutation("failed-manifests-stay", "_engine.py", "                journal.discard()\n", "                pass\n", "manifest", "leaves_nothing_behind"),
    Mutation("run-ids-leave-the-folder", "_state.py", 'name = run.replace("/", "%2F")', "name = run", "quarantine", "any_id"),
    Mutation("run-ids-hide-or-climb", "_state.py", 'return f"%2E{name[1:]}" if name.startswith(".") else name', "return name", "quarantine", "any_id"),
    Mutation("undoable-manifests-are-pruned", "_retention.py", " and not _can_be_undone(path, now - when)", "", "retention", "can_be_undone"),
    Mutation("todays-manifests-are-pruned", "_retention.py", "if not kept and now - when >= _DAY and", "if not kept and", "retention", "last_day"),
    Mutation("workspaces-shorten-retention", "_retention.py", "else max(value, default)", "else value", "retention", "lengthen"),
    Mutation("torn-lines-are-read", "_record.py", 'if line.endswith(b"\\n"):', "if True:", "manifest", "cut_at"),
    Mutation("no-terminal-event-on-failure", "_invocation.py", "            _failed(len(engine.outcome.errors) if engine is not None else 0, str(error) or type(error).__name__)\n", "", "terminals", "signal or refused"),
    Mutation("undo-overwrites", "_quarantine.py", "_RENAME_NOREPLACE = 1", "_RENAME_NOREPLACE = 0", "quarantine", "overwrites or overwrit"),
    Mutation("undo-climbs-out-of-the-quarantine", "_runs.py", 'item["index"])).rpartition("/")[2]', 'item["index"]))', "quarantine", "forged"),
    Mutation("undo-takes-no-lock", "_runs.py", "status.st_ino), lock=True)", "status.st_ino), lock=False)", "quarantine", "held"),
    Mutation("undo-follows-links", "_runs.py", "            try:\n                handle = open_folder(above, name)", "            try:\n                handle = os.open(name, os.O_RDONLY, dir_fd=above)", "quarantine", "does_not_follow"),
    Mutation("quarantine-may-be-anybodys", "_quarantine.py", "if status.st_uid not in (os.geteuid(), os.fstat(root).st_uid):", "if False:", "permissions", "another_users"),
    Mutation("quarantine-stays-open-to-others", "_quarantine.py", "if status.st_mode & 0o077:", "if False:", "quarantine", "made_private"),
    Mutation("quarantined-runs-are-open-to-others", "_quarantine.py", "os.mkdir(name, 0o700, dir_fd=handle)", "os.mkdir(name, 0o755, dir_fd=handle)", "quarantine", "made_private"),
    Mutation("quarantines-behind-links-expire", "_quarantine.py", "os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC", "os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC", "quarantine", "no_folder"),
    Mutation("expired-quarantines-are-not-protected", "_planner.py", "            reason = self._closed(path)\n", "            reason = None\n", "quarantine", "protected_like_any"),
    Mutation("quarantine-has-no-size", "_quarantine.py", "held > max_bytes)", "False)", "quarantine", "expire_by_size"),
    Mutation("late-swaps-stay-in-quarantine", "_crew.py", "                move_without_overwriting(target, new_name, parent, name)\n            except", "                pass\n            except", "quarantine", "last_moment"),
    Mutation("quarantine-is-swept", "_scan.py", "| INSTALLED_NAMES | {QUARANTINE_NAME}", "| INSTALLED_NAMES", "quarantine", "neither_swept"),
    Mutation("quarantine-never-expires", "_quarantine.py", "if when < horizon or", "if False or", "quarantine", "expire_by_age"),
    Mutation("a-raising-protection-lets-go", "_invocation.py", "if len(answers) < guards:", "if False:", "plugin", "raises_protects"),
    Mutation("quarantined-bytes-are-freed", "_removals.py", "in zip(self._sizes, self._quarantined, strict=True) if not moved)", "in zip(self._sizes, self._quarantined, strict=True))", "quarantine", "frees_nothing"),
    Mutation("names-reach-the-terminal", "_render.py", "if unicodedata.category(character) in _HIDDEN:", "if False:", "terminals", "escaped"),
)  # fmt: skip


def mutated(mutation: Mutation, source: str) -> str:
    """The module's text with the guard broken; an error where the guard isn't found exactly once."""
    if source.count(mutation.before) != 1:
        raise SystemExit(
            f"{mutation.name}: its text is found {source.count(mutation.before)} times in {mutation.module}"
        )
    return source.replace(mutation.before, mutation.after)


def killed(mutation: Mutation) -> bool:
    """Apply one mutation to a fresh copy of the package and run its tests; True when one of them fails or hangs."""
    tests = PLUGIN / "tests" / f"test_cleanup_{mutation.tests}.py"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", str(tests)]
    if mutation.only:
        command += ["-k", mutation.only]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "src"
        shutil.copytree(PLUGIN / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        file = copy / PACKAGE / mutation.module
        file.write_text(mutated(mutation, file.read_text()))
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        command += ["--basetemp", str(Path(folder) / "tmp")]
        try:
            done = subprocess.run(
                command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            return True
    if done.returncode not in (0, 1):
        raise SystemExit(f"{mutation.name}: pytest could not run\n{done.stdout}\n{done.stderr}")
    if done.returncode == 0 and " passed" not in done.stdout:
        raise SystemExit(f"{mutation.name}: its tests are skipped here\n{done.stdout}")
    return done.returncode == 1


def main(names: list[str]) -> int:
    """Check the named mutations, or all, as many at a time as there are processors; prints one line each."""
    chosen = [each for each in MUTATIONS if not names or each.name in names]
    survivors = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutation, dead in zip(chosen, pool.map(killed, chosen), strict=True):
            sys.stdout.write(f"{'killed' if dead else 'SURVIVED'}  {mutation.name}\n")
            sys.stdout.flush()
            if not dead:
                survivors.append(mutation.name)
    sys.stdout.write(f"{len(chosen) - len(survivors)} of {len(chosen)} killed\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Cleanup beside its peers on one realistic tree: ratios of one run, interleaved, by the minimum.

    python benchmarks/cleanup_tree.py [--files 200000] [--rounds 3] [--folder DIR]

Floors are a C program (pruned getdents, and unlinkat of a list) compiled with the system's compiler; peers that are not
installed are left out. Only ratios of one run mean anything: machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

QUICK = ("--files", "2000", "--rounds", "1")

FLOOR = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry { unsigned long ino; long off; unsigned short len; unsigned char type; char name[]; };
static const char *pruned[] = {"__pycache__", "node_modules", "build", "dist", ".mypy_cache", ".git", 0};

static int is_pruned(const char *name) {
    for (int i = 0; pruned[i]; i++)
        if (!strcmp(name, pruned[i])) return 1;
    return 0;
}

/* Lists a tree without entering what a cleanup would remove; with removal, empties and removes the tree. */
static long walk(int at, const char *name, int removing) {
    int handle = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (handle < 0) return 0;
    char *buffer = malloc(65536);
    long count = 0, got;
    while ((got = syscall(SYS_getdents64, handle, buffer, 65536)) > 0)
        for (long place = 0; place < got;) {
            struct entry *each = (struct entry *)(buffer + place);
            place += each->len;
            if (!strcmp(each->name, ".") || !strcmp(each->name, "..")) continue;
            count++;
            if (each->type == DT_DIR) {
                if (removing || !is_pruned(each->name)) count += walk(handle, each->name, removing);
            } else if (removing) unlinkat(handle, each->name, 0);
        }
    free(buffer);
    close(handle);
    if (removing) unlinkat(at, name, AT_REMOVEDIR);
    return count;
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "scan")) { printf("%ld\n", walk(AT_FDCWD, argv[2], 0)); return 0; }
    static char line[65536];
    size_t length = 0;
    int c;
    while ((c = getchar()) != EOF) {
        line[length++] = (char)c;
        if (c == 0) {
            if (unlinkat(AT_FDCWD, line, 0)) walk(AT_FDCWD, line, 1);
            length = 0;
        }
    }
    return 0;
}
"""

# Ours in a process of its own, timed from inside, so that the start of the interpreter is not counted.
OURS = """
import json, os, resource, sys, time
from hephaestus_cleanup._builtin_rules import BUILTIN_RULES
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._engine import Engine
from hephaestus_cleanup._options import effective_options
from hephaestus_cleanup._planner import Planner
from hephaestus_cleanup._inuse import InUse
from hephaestus_cleanup._beneath import pick_opener
from hephaestus_cleanup._roots import search_roots
from hephaestus.logging import configure_logging
root, mode, workers, log = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
configure_logging(level="info", log_format="json", log_file=log or None, console=False)
pick_opener()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
flags = {"deep_clean": True, "include_poetry_env": False, "workers": workers, "quarantine": mode == "quarantine"}
options = effective_options(CleanupConfig(), flags, yes=True, audit_manifest=root + "-audit.json")
roots = search_roots(root, options)
started, cpu = time.perf_counter(), time.process_time()
if mode == "scan":
    plan = Planner(roots, options, BUILTIN_RULES, lambda path, root: None, InUse()).plan(roots.roots)
    count = len(plan.items)
else:
    marks = {}
    def mark(plan):
        marks["wall"], marks["cpu"] = time.perf_counter(), time.process_time()
    engine = Engine(roots, options, BUILTIN_RULES, consent=Consent(True), before_execution=mark)
    outcome = engine.run()
    assert not outcome.errors, outcome.errors[:3]
    count = len(outcome.removed)
    started, cpu = marks["wall"], marks["cpu"]
wall, used = time.perf_counter() - started, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"wall": wall, "cpu": used, "count": count, "memory": peak, "grown": peak - before}))
"""


class Sample(NamedTuple):
    """One measurement: seconds of wall clock, seconds of processor, KiB that memory grew by (ours only)."""

    wall: float
    cpu: float
    memory: int = 0


def build_tree(root: Path, files: int, *, tracked: bool) -> None:
    """A workspace with sources, caches, builds and one large node_modules; four of five files are leftovers."""
    root.mkdir(parents=True)
    for name in ("pyproject.toml", "package.json"):
        (root / name).write_text("{}\n" if name.endswith("json") else "")
    sources, caches, modules = files * 20 // 100, files * 18 // 100, files * 52 // 100
    for number in range(max(1, sources // 15)):
        package = root / f"src/area{number % 40}/package{number}"
        _fill(package, 15, ".py")
    packages = sorted((root / "src").glob("*/*"))
    for number in range(max(1, caches // 15)):
        _fill(
            packages[number % len(packages)] / (f"part{number}" if number >= len(packages) else "") / "__pycache__",
            15,
            ".pyc",
        )
    for number in range(max(1, modules // 40)):
        module = root / f"node_modules/module{number}"
        _fill(module, 10, ".js")
        _fill(module / "lib/inner", 30, ".js")
    for name in ("build", "dist"):
        for number in range(max(1, files * 5 // 100 // 50)):
            _fill(root / name / f"out{number}", 50, ".o")
    git = ["git", "-C", str(root), "-c", "core.autocrlf=false"]
    if tracked:
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "-f", "src/**/*.py", "*.toml", "*.json"], check=True, capture_output=True)
    (root / ".gitignore").write_text("__pycache__/\nnode_modules/\nbuild/\ndist/\n")


def _fill(folder: Path, count: int, suffix: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        handle = os.open(folder / f"file{number}{suffix}", os.O_CREAT | os.O_WRONLY, 0o644)
        os.write(handle, b"x" * 100)
        os.close(handle)


def timed(command: list[str], stdin: bytes | None = None, cwd: Path | None = None) -> Sample:
    """Run a program and measure it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, input=stdin, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Sample(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def ours(root: Path, mode: str, workers: int = 1, log: str = "") -> Sample:
    """Measure our own scan or execution, without the interpreter's start."""
    command = [sys.executable, "-c", OURS, str(root), mode, str(workers), log]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    Path(f"{root}-audit.json").unlink(missing_ok=True)
    result = json.loads(done.stdout)
    return Sample(result["wall"], result["cpu"], result["grown"])


def leftovers(root: Path) -> bytes:
    """The same set of paths that ours plans, NUL-terminated, for `rm -rf` and the floor."""
    found = []
    for base, folders, _ in os.walk(root):
        matched = [name for name in folders if name in ("__pycache__", "node_modules", "build", "dist")]
        found += [os.path.join(base, name) for name in matched]
        folders[:] = [name for name in folders if name not in matched and name != ".git"]
    return b"".join(os.fsencode(path) + b"\0" for path in found)


def scans(floor: str, tracked: Path, plain: Path) -> dict[str, Callable[[], Sample]]:
    """Dry runs; they change nothing, so that they share a tree."""
    pruned = ["-name", "__pycache__", "-o", "-name", "node_modules", "-o", "-name", "build", "-o", "-name", "dist"]
    return {
        "C getdents, pruned": lambda: timed([floor, "scan", str(plain)]),
        "ours, no repository": lambda: ours(plain, "scan"),
        "ours, with the git guard": lambda: ours(tracked, "scan"),
        "find -prune": lambda: timed(["find", str(plain), "(", *pruned, ")", "-prune", "-print0"]),
        "git clean -fdXn": lambda: timed(["git", "-C", str(tracked), "clean", "-fdXn"]),
    }


def removals(floor: str, log: str) -> dict[str, Callable[[Path], Sample]]:
    """Removals; each gets a fresh copy of the tree."""
    names = ["-name", "__pycache__", "-o", "-name", "node_modules", "-o", "-name", "build", "-o", "-name", "dist"]
    found = {
        "rm -rf of the same set": lambda root: timed(["xargs", "-0", "rm", "-rf"], leftovers(root)),
        "C unlinkat of the same set": lambda root: timed([floor], leftovers(root)),
        "ours, 1 worker": lambda root: ours(root, "delete", 1),
        "ours, 2 workers": lambda root: ours(root, "delete", 2),
        "ours, 2 workers, JSON log": lambda root: ours(root, "delete", 2, log),
        "ours, quarantine": lambda root: ours(root, "quarantine", 1),
        "git clean -fdX": lambda root: timed(["git", "-C", str(root), "clean", "-qfdX"]),
        "find -exec rm": lambda root: timed(
            ["find", str(root), "(", *names, ")", "-prune", "-exec", "rm", "-rf", "{}", "+"]
        ),
    }
    pyclean = shutil.which("pyclean")
    if pyclean:
        found["pyclean (bytecode only)"] = lambda root: timed([pyclean, "-q", str(root)])
    return found


def table(title: str, samples: dict[str, list[Sample]], base: str) -> None:
    """Print minima and ratios to one row."""
    floor = samples[base]
    wall, cpu = min(each.wall for each in floor), min(each.cpu for each in floor)
    print(f"\n| {title} | wall s | × | cpu s | × | memory grown MiB |\n| --- | --- | --- | --- | --- | --- |")
    for name, rows in samples.items():
        best_wall, best_cpu = min(each.wall for each in rows), min(each.cpu for each in rows)
        memory = max(each.memory for each in rows)
        shown = f"{memory / 1024:.1f}" if memory else ""
        print(
            f"| {name} | {best_wall:.3f} | {best_wall / wall:.2f} | {best_cpu:.3f} | {best_cpu / cpu:.2f} | {shown} |"
        )


def main() -> None:
    """Build the trees, run everything interleaved, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to build; a temporary folder by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(os.path.realpath(name))
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        floor = str(folder / "floor")
        (folder / "floor.c").write_text(FLOOR)
        subprocess.run(["cc", "-O2", "-o", floor, str(folder / "floor.c")], check=True)
        tracked, plain = folder / "tracked", folder / "plain"
        build_tree(tracked, arguments.files, tracked=True)
        build_tree(plain, arguments.files, tracked=False)
        dry = scans(floor, tracked, plain)
        found: dict[str, list[Sample]] = {key: [] for key in dry}
        for _ in range(arguments.rounds * 3):
            for key, run in dry.items():
                found[key].append(run())
        table("dry scan", found, "C getdents, pruned")
        shutil.rmtree(plain)
        wet = removals(floor, str(folder / "log.jsonl"))
        gone: dict[str, list[Sample]] = {key: [] for key in wet}
        for _ in range(arguments.rounds):
            for key, remove in wet.items():
                copy = folder / "copy"
                subprocess.run(["cp", "-a", str(tracked), str(copy)], check=True)
                os.sync()
                gone[key].append(remove(copy))
                subprocess.run(["rm", "-rf", str(copy)], check=True)
        table("removal", gone, "rm -rf of the same set")


if __name__ == "__main__":
    main()

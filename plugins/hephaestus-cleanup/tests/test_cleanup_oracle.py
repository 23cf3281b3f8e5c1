"""Generated trees against an oracle that states, independently of the engine, what may go; nothing else ever goes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hephaestus_cleanup import _nullisting, _plan, _scan
from hephaestus_cleanup._builtin_rules import BUILTIN_RULES
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._engine import Engine
from hephaestus_cleanup._keep import KeepPattern
from hephaestus_cleanup._listing import list_folder
from hephaestus_cleanup._nullisting import Listing
from hephaestus_cleanup._options import effective_options
from hephaestus_cleanup._plan import PlanItem, ordered
from hephaestus_cleanup._roots import SearchRoot, search_roots
from hephaestus_cleanup._rulebook import SPECIAL_NAMES, RuleBook
from hephaestus_cleanup.rules import Rule


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    """A monkeypatch that hypothesis may use for all examples of a test."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(autouse=True, scope="module")
def small_batches(monkeypatch_module: pytest.MonkeyPatch) -> None:
    """Generated trees are small: let them be judged and ordered in several pieces all the same."""
    monkeypatch_module.setattr(_scan, "_BATCH", 2)
    monkeypatch_module.setattr(_plan, "_RUN", 3)


Tree = dict[str, Any]  # name → a tree (a folder), a str (a link to it) or None (a file)

NAMES = st.sampled_from(
    [
        *("src", "a.py", "notes", "Icons", "deep", "__pycache__", "x.pyc", ".mypy_cache", "build", "dist", "target"),
        *(
            "node_modules",
            "package.json",
            "pyproject.toml",
            "Cargo.toml",
            ".DS_Store",
            "._a",
            "lib.egg-info",
            "PKG-INFO",
        ),
        *(
            "pyvenv.cfg",
            "conda-meta",
            ".git",
            ".hg",
            "CMakeCache.txt",
            "htmlcov",
            ".coverage",
            "site-packages",
            "buildx",
        ),
        *("my.pyc.txt", "CACHEDIR.TAG", ".hephaestusignore"),
    ]
)
LINKS = st.sampled_from(["..", ".", "../..", "nowhere", "a.py", "/etc"])
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.dictionaries(NAMES, st.one_of(st.none(), LINKS), max_size=5),
    lambda below: st.dictionaries(NAMES, st.one_of(st.none(), LINKS, below), max_size=6),
    max_leaves=40,
)
# Patterns of `keep`, of a .gitignore and of a .hephaestusignore, in three forms: a name, a folder's name, a path.
PROTECTIONS = st.lists(
    st.sampled_from(
        ["x.pyc", "dist", "build/", "deep/", "/src/x.pyc", "/src/__pycache__", "/dist/", "a.py", ".coverage"]
    ),
    max_size=2,
)

TAG = "Signature: 8a477f597d28d172789f06886806bc55"
STRONG = {"__pycache__", ".mypy_cache"}
PYTHON, NODE = {"pyproject.toml"}, {"package.json"}
WEAK = {
    "build": (PYTHON | NODE, {"CMakeCache.txt"}),
    "dist": (PYTHON | NODE, set()),
    "target": ({"Cargo.toml"}, set()),
    "htmlcov": (PYTHON, set()),
    "lib.egg-info": (set(), {"PKG-INFO"}),
    "node_modules": (NODE, set()),
}
FILES = (".DS_Store", "._a", "x.pyc", ".coverage")
REPOSITORIES = {".git", ".hg"}
ENVIRONMENTS = {"pyvenv.cfg", "conda-meta"}
CLOSED = {*REPOSITORIES, "node_modules", "site-packages"}
# What keeps a leftover as a whole when it lies in it, and what the removal itself stops at deeper in a cache.
PRECIOUS = REPOSITORIES | ENVIRONMENTS | {".hephaestusignore"}
STOPPED_AT = REPOSITORIES | {".hephaestusignore"}


def create(folder: Path, tree: Tree, ignored: list[str]) -> None:
    folder.mkdir()
    for name, value in tree.items():
        if value is None:
            texts = {"CACHEDIR.TAG": TAG, ".hephaestusignore": "\n".join(ignored)}
            (folder / name).write_text(texts.get(name, ""))
        elif isinstance(value, str):
            (folder / name).symlink_to(value)
        else:
            create(folder / name, value, ignored)


def usable(tree: Tree) -> Tree:
    """The tree without what makes a run fail as a whole, which other tests state: odd ignore files."""
    return {
        name: usable(value) if isinstance(value, dict) else value
        for name, value in tree.items()
        if name != ".hephaestusignore" or value is None
    }


def holds(tree: Tree, names: set[str]) -> bool:
    return any(name in names or (isinstance(value, dict) and holds(value, names)) for name, value in tree.items())


def files_of(tree: Tree, above: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from files_of(value, f"{above}{name}/")
        else:
            yield f"{above}{name}"


@define
class World:
    """What an oracle has to know besides the tree: tracked files; patterns that keep, and where they hold; ignored."""

    tracked: frozenset[str]
    keep: list[str]
    ignore_file: list[str]
    gitignore: list[str]

    def is_tracked(self, path: str) -> bool:
        return any(f"{each}/".startswith(f"{path}/") for each in self.tracked)

    def is_kept(self, path: str, bases: tuple[str, ...], *, is_folder: bool) -> bool:
        return any(fits(each, path, is_folder=is_folder) for each in self.keep) or any(
            fits(each, path[len(base) :], is_folder=is_folder) for base in bases for each in self.ignore_file
        )

    def keeps_within(self, path: str, tree: Tree, bases: tuple[str, ...]) -> bool:
        return any(
            self.is_kept(f"{path}/{name}", bases, is_folder=isinstance(value, dict))
            or (isinstance(value, dict) and self.keeps_within(f"{path}/{name}", value, bases))
            for name, value in tree.items()
        )

    def is_ignored(self, path: str) -> bool:
        """By a pattern of its own, and no folder above by one."""
        parts = path.split("/")
        above = ("/".join(parts[:length]) for length in range(1, len(parts)))
        own = any(fits(each, path, is_folder=True) for each in self.gitignore)
        return own and not any(fits(each, folder, is_folder=True) for folder in above for each in self.gitignore)


def fits(pattern: str, path: str, *, is_folder: bool) -> bool:
    if pattern.endswith("/") and not is_folder:
        return False
    wanted = pattern.rstrip("/")
    return path == wanted[1:] if wanted.startswith("/") else path.rpartition("/")[2] == wanted


def may_go(world: World, tree: Tree, above: str = "", bases: tuple[str, ...] = (), judged: bool = True) -> set[str]:
    """The oracle: the paths that a deep clean may remove from a tree (`judged`: the tree itself is no leftover)."""
    if above and (REPOSITORIES | ENVIRONMENTS) & set(tree):
        return set()
    if ".hephaestusignore" in tree:
        bases = (*bases, above)
    own = above.rstrip("/")
    tagged = tree.get("CACHEDIR.TAG", "") is None
    if tagged and not judged and may_go_whole(world, own, tree, bases, tool_owned=True):
        return {own}
    if tagged and not judged and not world.is_tracked(own):
        return set()
    found: set[str] = set()
    for name, value in tree.items():
        path = f"{above}{name}"
        is_folder = isinstance(value, dict)
        # Of what rules name, what git tracks is told so first, and looked through.
        looked_through = is_folder and name in (*STRONG, *WEAK) and world.is_tracked(path) and name != "node_modules"
        if world.is_kept(path, bases, is_folder=is_folder) and not looked_through:
            continue
        if not is_folder:
            if name in FILES and not world.is_tracked(path):
                found.add(path)
            continue
        proven = name in STRONG or (name in WEAK and is_proven(world, name, path, value, tree))
        if proven and not world.is_tracked(path):
            if may_go_whole(world, path, value, bases, tool_owned=name in STRONG or name == "node_modules"):
                found.add(path)
        elif name not in CLOSED:
            found |= may_go(world, value, f"{path}/", bases, judged=proven or name in WEAK)
    return found


def is_proven(world: World, name: str, path: str, tree: Tree, around: Tree) -> bool:
    beside, inside = WEAK[name]
    return bool(
        beside & set(around) or inside & set(tree) or tree.get("CACHEDIR.TAG", "") is None or world.is_ignored(path)
    )


def may_go_whole(world: World, path: str, tree: Tree, bases: tuple[str, ...], *, tool_owned: bool) -> bool:
    if world.is_tracked(path) or world.is_kept(path, bases, is_folder=True) or world.keeps_within(path, tree, bases):
        return False
    at_top = {".git", "pyvenv.cfg", ".hephaestusignore"}
    # Where a protection could reach into it, a cache is looked through like anything else.
    return not at_top & set(tree) if tool_owned and not reaches(world, path, bases) else not holds(tree, PRECIOUS)


def reaches(world: World, path: str, bases: tuple[str, ...]) -> bool:
    places = [("", each) for each in world.keep] + [(base, each) for base in bases for each in world.ignore_file]
    return any(
        not each.startswith("/") or f"{base}{each[1:]}".startswith(f"{path}/") or base.startswith(f"{path}/")
        for base, each in places
    )


def everything(folder: Path) -> set[str]:
    found = set()
    for base, folders, files in os.walk(folder):
        found |= {os.path.relpath(os.path.join(base, name), folder) for name in (*folders, *files)}
    return found


def stopped_within(tree: Tree, path: str) -> bool:
    value: Any = tree
    for name in path.split("/"):
        value = value[name]
    return isinstance(value, dict) and holds(value, STOPPED_AT)


@pytest.fixture(scope="module")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh `.git`, which is copied for each example."""
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", "--template="], cwd=folder, check=True, capture_output=True)
    return folder / ".git"


def track(root: Path, empty_repository: Path, tracked: frozenset[str]) -> None:
    shutil.copytree(empty_repository, root / ".git")
    if not tracked:
        return
    blob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    lines = "".join(f"100644 {blob}\t{each}\0" for each in sorted(tracked))
    command = ["git", "update-index", "-z", "--index-info"]
    subprocess.run(command, cwd=root, input=lines, text=True, check=True, capture_output=True)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    tree=TREES.map(usable),
    repository=st.booleans(),
    keep=PROTECTIONS,
    ignore_file=PROTECTIONS,
    gitignore=PROTECTIONS,
    data=st.data(),
)
def test_exactly_what_the_oracle_allows_goes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    empty_repository: Path,
    tree: Tree,
    repository: bool,
    keep: list[str],
    ignore_file: list[str],
    gitignore: list[str],
    data: st.DataObject,
) -> None:
    tree.pop(".git", None)  # a broken repository at the root keeps everything, which another test states
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    shutil.rmtree(tmp_path / "state", ignore_errors=True)
    root = Path(os.path.realpath(tmp_path)) / "tree"
    shutil.rmtree(root, ignore_errors=True)
    create(root, tree, ignore_file)
    files = sorted(each for each in files_of(tree) if ".git" not in each.split("/"))
    tracked = data.draw(st.sets(st.sampled_from(files), max_size=3)) if repository and files else set()
    world = World(frozenset(tracked), keep, ignore_file, gitignore if repository else [])
    if repository:
        track(root, empty_repository, world.tracked)
        (root / ".git/info").mkdir()
        (root / ".git/info/exclude").write_text("\n".join(gitignore))
    before = everything(root)
    allowed = may_go(world, tree)
    flags = {"deep_clean": True, "include_poetry_env": False, "keep": keep}
    options = effective_options(CleanupConfig(), flags, yes=True)

    engine = Engine(search_roots(str(root), options), options, BUILTIN_RULES, consent=Consent(yes=True))
    outcome = engine.run()

    # What is precious deep in a tool's own folder is found while that folder is erased, which then goes in part.
    partly = {each for each in allowed if stopped_within(tree, each)}
    assert {each.item.relative for each in outcome.removed} == allowed - partly
    gone = before - everything(root)
    assert all(any(f"{each}/".startswith(f"{path}/") for path in allowed) for each in gone)
    assert not gone & world.tracked
    assert not any("/.git/" in f"/{each}/" for each in gone)
    assert len(outcome.errors) == len(partly)
    assert not {each.path for each in outcome.skipped} & {each.item.path for each in outcome.removed}

    again = Engine(search_roots(str(root), options), options, BUILTIN_RULES, consent=Consent(yes=True), run_id="again")
    assert not again.run().removed


PATTERNS = ("build", "*.pyc", "._*", "*~~", "*.tar.gz", "a*c", "[xy]z")
FITTING = st.sampled_from(
    ["build", "a.pyc", ".pyc", "._a", "a~~", "a.tar.gz", "._a.pyc", "abc", "xz", "src", "a.py", ".git", "HEAD"]
)


@given(
    entries=st.dictionaries(FITTING, st.sampled_from(["file", "folder", "link"]), max_size=12),
    kinds=st.lists(st.sampled_from(["file", "folder"]), min_size=len(PATTERNS), max_size=len(PATTERNS)),
)
def test_the_compiled_rules_sort_a_folder_out_as_one_look_at_each_name_would(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[str, str], kinds: list[str]
) -> None:
    rules = [
        Rule(pattern, names=(pattern,), kind=kind, category="litter")
        for pattern, kind in zip(PATTERNS, kinds, strict=True)
    ]
    folder = tmp_path_factory.mktemp("sorted")
    for name, kind in entries.items():
        if kind == "folder":
            (folder / name).mkdir()
        elif kind == "link":
            (folder / name).symlink_to(folder)
        else:
            (folder / name).touch()

    book = RuleBook(rules)
    below, hits = book.sort_out(list_folder(str(folder)))

    fitting = {name: {each for each in PATTERNS if fnmatchcase(name, each)} for name in entries}
    assert {each.name for each in hits} == {name for name in entries if fitting[name] or name in SPECIAL_NAMES}
    assert set(below) == {name for name, kind in entries.items() if kind == "folder"} - {each.name for each in hits}
    for name in entries:
        for is_folder in (False, True):
            asked = {rule.name for rule in rules if (rule.kind == "folder") == is_folder}
            assert {rule.name for rule in book.match(name, is_folder=is_folder)} == fitting[name] & asked


# Names that sort around a slash.
LISTED = st.lists(st.sampled_from(["a", "a-", "a.b", "b", "a0"]), min_size=1, max_size=3).map("/".join).map(str.encode)


@given(records=st.lists(LISTED, max_size=20), key=LISTED, stride=st.integers(1, 40))
def test_the_listing_is_searched_as_if_it_were_split(
    monkeypatch_module: pytest.MonkeyPatch, records: list[bytes], key: bytes, stride: int
) -> None:
    monkeypatch_module.setattr(_nullisting, "_STRIDE", stride)
    listing = Listing(b"".join(each + b"\0" for each in sorted(records)))

    assert listing.holds(key) == any(each == key or each.startswith(key + b"/") for each in records)


ROOTS = (SearchRoot("/w/one", 1, 1), SearchRoot("/w/two", 1, 2))


@given(
    st.lists(st.tuples(st.sampled_from(ROOTS), st.lists(st.sampled_from("ab-c"), min_size=1, max_size=4)), max_size=25)
)
def test_a_plan_is_ordered_without_repeats_and_nothing_lies_within_another(
    places: list[tuple[SearchRoot, list[str]]],
) -> None:
    items = [PlanItem(-1, root, "/".join(parts), True, 1, 1, "r", "e") for root, parts in places]

    plan = ordered(items, ROOTS)

    paths = [item.path for item in plan]
    assert [item.index for item in plan] == list(range(len(plan)))
    assert len(set(paths)) == len(paths)
    assert not any(one != other and f"{one}/".startswith(f"{other}/") for one in paths for other in paths)
    covered = {item.path for item in items}
    assert set(paths) <= covered
    assert all(any(f"{each}/".startswith(f"{path}/") for path in paths) for each in covered)


PATTERN_TEXT = st.text("ab*?/[]-x.", min_size=1, max_size=8)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=PATTERN_TEXT, paths=st.lists(st.text("abx./", min_size=1, max_size=7), min_size=1, max_size=8))
def test_a_keep_pattern_protects_whatever_git_would_ignore(
    tmp_path_factory: pytest.TempPathFactory, git: Any, pattern: str, paths: list[str]
) -> None:
    """git is the oracle: what its pattern ignores, ours keeps; no pattern protects less than its writer meant."""
    from hephaestus.errors import ConfigError

    clean = {path.strip("/") for path in paths if all(part.strip(".") for part in path.strip("/").split("/"))}
    clean = {path for path in clean if not any(other != path and other.startswith(f"{path}/") for other in clean)}
    try:
        keep = KeepPattern(pattern, "/base")
    except ConfigError:
        return
    folder = tmp_path_factory.mktemp("ignore")
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text(pattern + "\n")
    for path in clean:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    shown = git(folder, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", *sorted(clean) or ["."])
    ignored = set(shown.split("\0")) & clean

    for path in ignored:
        parts = path.split("/")
        above = ["/base/" + "/".join(parts[:length]) for length in range(1, len(parts))]
        assert keep.fits(f"/base/{path}", is_folder=False) or any(keep.fits(each, is_folder=True) for each in above)
        # … and what holds it is not taken for free of protections.
        assert all(
            keep.may_fit_beneath(each) or keep.fits(each, is_folder=True) or _kept_above(keep, each) for each in above
        )


def _kept_above(keep: KeepPattern, path: str) -> bool:
    parent = os.path.dirname(path)
    return len(parent) > len("/base") and (keep.fits(parent, is_folder=True) or _kept_above(keep, parent))

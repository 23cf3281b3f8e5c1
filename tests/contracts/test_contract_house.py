"""Promises of the whole repository that neither ruff, mypy nor import-linter can hold file by file.

Those three hold the others (sorted `__all__`, docstrings, no print, no exit in library code); `make check` runs them.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
LIGHT_MODULES = ("events.py", "hookspecs.py", "plugin.py")
HEAVY_IMPORTS = {"attrs", "cattrs", "click", "dataclasses", "httpx", "rich", "sigstore", "subprocess", "tomllib"}
# Spelt as patterns that don't match themselves.
INDEX_HOSTS = re.compile(r"py[p]i\.o[r]g|python[h]osted\.|registry\.n[p]mjs|deb\.d[e]bian\.|files\.pythonh[o]sted")
MARKDOWN_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
NAMED_PATH = re.compile(r"`(?P<path>(?:\.ci|benchmarks|changelog\.d|docs|plugins|requirements|src|tests)/[\w./-]+)`")


def repository_files() -> list[Path]:
    """Every file that is tracked, or would be after `git add --all`."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


FILES = repository_files()
PAGES = [path for path in FILES if path.suffix == ".md" and not {"changelog.d", "tests"} & set(path.parts)]
SOURCES = [path for path in FILES if path.suffix == ".py" and "src" in path.relative_to(ROOT).parts]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def without_code_blocks(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as hosts of Markdown derive them."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#{1,6} (.+)$", without_code_blocks(page), flags=re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def dead_links(page: Path) -> list[str]:
    dead = []
    for match in MARKDOWN_LINK.finditer(without_code_blocks(page)):
        target, _, anchor = match["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = page if not target else (page.parent / target).resolve()
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(f"{relative(page)}: {match['target']}")
    return dead


def pins(lock: str) -> dict[str, str]:
    """Names and versions in one of the lock files."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, flags=re.MULTILINE))


def project(distribution: Path) -> dict[str, object]:
    table: dict[str, object] = tomllib.loads((distribution / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def declared_dependencies(distribution: Path) -> list[Requirement]:
    dependencies = project(distribution)["dependencies"]
    assert isinstance(dependencies, list)
    return [Requirement(dependency) for dependency in dependencies]


def top_level_imports(module: Path) -> set[str]:
    """Roots of the packages that importing the module imports, `if TYPE_CHECKING:` left out."""
    found = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_no_file_names_a_package_index() -> None:
    naming = [relative(path) for path in FILES if INDEX_HOSTS.search(path.read_text("utf-8", errors="replace"))]

    assert naming == []


def test_import_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    "module", [path for path in SOURCES if path.name in LIGHT_MODULES and path.parent.name != "plugins"], ids=relative
)
def test_modules_that_every_start_imports_import_nothing_heavy(module: Path) -> None:
    assert top_level_imports(module) & HEAVY_IMPORTS == set()


def test_modules_are_named_after_what_they_hold() -> None:
    vague = {"common", "core", "helpers", "manager", "misc", "utils"}

    assert [relative(path) for path in SOURCES if path.stem.strip("_") in vague] == []


def test_every_test_file_has_a_name_of_its_own() -> None:
    names = Counter(path.name for path in FILES if path.name.startswith("test_") and path.suffix == ".py")

    assert [name for name, count in names.items() if count > 1] == []


def test_no_tests_folder_is_a_package() -> None:
    assert [relative(path) for path in FILES if path.name == "__init__.py" and path.parent.name == "tests"] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    assert dead_links(page) == []


# A tutorial names the files of the project that its reader builds.
@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name != "tutorials"], ids=relative)
def test_pages_name_only_files_that_exist(page: Path) -> None:
    named = [match["path"] for match in NAMED_PATH.finditer(without_code_blocks(page))]

    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_index_of_the_docs_lists_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / match["target"]).resolve() for match in MARKDOWN_LINK.finditer(index.read_text("utf-8"))}

    assert [relative(page) for page in PAGES if index.parent in page.parents and page not in {*linked, index}] == []


@pytest.mark.parametrize("lock", ["dev.txt", "bench.txt"])
def test_every_pin_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]

    assert len(entries) == len(pins(lock))
    assert [entry.partition(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


@pytest.mark.parametrize("lock", ["dev.txt", "bench.txt"])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda path: path.name)
def test_pins_satisfy_what_the_distribution_declares(distribution: Path, lock: str) -> None:
    own = {str(project(each)["name"]) for each in DISTRIBUTIONS}
    pinned = pins(lock)

    for dependency in declared_dependencies(distribution):
        if dependency.name not in own:
            version = pinned.get(canonicalize_name(dependency.name))
            assert version is not None, f"{dependency}: run `make lock`"
            assert dependency.specifier.contains(version), f"{dependency}: run `make lock`"


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda path: path.name)
def test_every_distribution_ships_licence_readme_and_types(distribution: Path) -> None:
    assert (distribution / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert (distribution / "README.md").stat().st_size > 0
    assert list(distribution.glob("src/*/py.typed"))


def test_make_lists_every_target_that_it_offers() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)[0].split()
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert [line.split()[0] for line in listed.splitlines()] == phony


def test_tests_see_an_empty_home_and_no_configuration_of_git(home: Path) -> None:
    settings = subprocess.run(
        ["git", "config", "--list", "--show-scope"], cwd=home, capture_output=True, text=True, check=False
    )

    assert Path.home() == home
    assert list(home.iterdir()) == []
    assert not re.search(r"^(global|system)\t", settings.stdout, flags=re.MULTILINE)

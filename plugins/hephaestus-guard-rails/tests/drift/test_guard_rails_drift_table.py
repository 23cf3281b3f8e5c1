"""The truth table of drift: for each form of each source, what is found and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from hephaestus_guard_rails.drift import DriftReport


class Row(NamedTuple):
    """Files and installed versions, and the lines that the findings read as: tool kind expected @ file:line."""

    promise: str
    files: dict[str, str]
    installed: dict[str, str]
    findings: list[str]


UV_LOCK = """
version = 1
revision = 3
requires-python = ">=3.9"

[[package]]
name = "ruff"
version = "0.6.9"
source = { registry = "https://example.invalid/simple" }
"""
FORKED_LOCK = """
version = 1

[[package]]
name = "mypy"
version = "1.11.2"
source = { registry = "https://example.invalid/simple" }
resolution-markers = [
    "python_full_version < '3.10'",
]

[[package]]
name = "mypy"
version = "1.14.1"
source = { registry = "https://example.invalid/simple" }
resolution-markers = [
    "python_full_version >= '3.12'",
    "python_full_version >= '3.10' and python_full_version < '3.12'",
]
"""
SHA = "3b4a1c9f0e2d5b6a7c8d9e0f1a2b3c4d5e6f7a8b"


def group(*requirements: str) -> dict[str, str]:
    lines = "\n".join(f'    "{requirement}",' for requirement in requirements)
    return {"pyproject.toml": f"[dependency-groups]\nlint = [\n{lines}\n]\n"}


def pre_commit(repo: str, rev: str) -> dict[str, str]:
    text = f"repos:\n  - repo: https://example.invalid/{repo}\n    rev: {rev}\n    hooks:\n      - id: any\n"
    return {".pre-commit-config.yaml": text}


def poetry(value: str, name: str = "ruff") -> dict[str, str]:
    return {"pyproject.toml": f"[tool.poetry.group.lint.dependencies]\n{name} = {value}\n"}


def workflow(command: str) -> dict[str, str]:
    return {".github/workflows/ci.yml": f"jobs:\n  lint:\n    steps:\n      - run: {command}\n"}


SPECIFIERS = [
    Row("an exact version is met by itself", group("ruff==0.6.9"), {"ruff": "0.6.9"}, []),
    Row(
        "an exact version is broken by the next",
        group("ruff==0.6.9"),
        {"ruff": "0.6.10"},
        ["ruff violation ==0.6.9 @ pyproject.toml:3"],
    ),
    Row("a trailing zero changes nothing", group("ruff==0.6.0"), {"ruff": "0.6"}, []),
    Row("a local version meets the public one", group("ruff==0.6.9"), {"ruff": "0.6.9+local.1"}, []),
    Row("a lower bound is met above it", group("ruff>=0.5"), {"ruff": "0.6.9"}, []),
    Row(
        "a lower bound is broken below it",
        group("ruff>=0.7"),
        {"ruff": "0.6.9"},
        ["ruff violation >=0.7 @ pyproject.toml:3"],
    ),
    Row(
        "the end of a range is outside it",
        group("ruff>=0.5,<0.6"),
        {"ruff": "0.6"},
        ["ruff violation <0.6,>=0.5 @ pyproject.toml:3"],
    ),
    Row("a compatible release stays below the next", group("ruff~=0.6.1"), {"ruff": "0.6.9"}, []),
    Row(
        "a compatible release does not cover the next minor",
        group("ruff~=0.6.1"),
        {"ruff": "0.7.0"},
        ["ruff violation ~=0.6.1 @ pyproject.toml:3"],
    ),
    Row("a wildcard covers what it starts", group("ruff==0.6.*"), {"ruff": "0.6.9"}, []),
    Row(
        "a wildcard covers nothing else",
        group("ruff==0.6.*"),
        {"ruff": "0.7.0"},
        ["ruff violation ==0.6.* @ pyproject.toml:3"],
    ),
    Row(
        "an excluded version is a violation",
        group("ruff>=0.5,!=0.6.9"),
        {"ruff": "0.6.9"},
        ["ruff violation !=0.6.9,>=0.5 @ pyproject.toml:3"],
    ),
    Row("arbitrary equality compares", group("ruff===0.6.9"), {"ruff": "0.6.9"}, []),
    Row("an installed pre-release lies in its range", group("ruff>=0.5"), {"ruff": "0.7.0rc1"}, []),
    Row(
        "a pre-release comes before its release",
        group("ruff>=0.7"),
        {"ruff": "0.7.0rc1"},
        ["ruff violation >=0.7 @ pyproject.toml:3"],
    ),
    Row("extras of a tool change nothing", group("coverage[toml]>=7"), {"coverage": "7.6"}, []),
    Row("names are compared in normal form", group("Pip_Audit>=2"), {"pip_audit": "2.7.3"}, []),
    Row(
        "a bare name without any pin is a note",
        group("ruff"),
        {"ruff": "0.6.9"},
        ["ruff unpinned any version @ pyproject.toml:3"],
    ),
    Row(
        "a direct reference is a note",
        group("ruff @ git+https://example.invalid/ruff@v0.6.9"),
        {"ruff": "0.6.9"},
        ["ruff unpinned a direct reference @ pyproject.toml:3"],
    ),
    Row("a marker that does not hold asks for nothing", group("ruff==0.5 ; python_version < '3.9'"), {}, []),
    Row(
        "a marker that holds asks",
        group("ruff==0.5 ; python_version >= '3.9'"),
        {"ruff": "0.6.9"},
        ["ruff violation ==0.5 @ pyproject.toml:3"],
    ),
    Row("a declared tool that is absent is missing", group("ruff>=0.5"), {}, ["ruff missing >=0.5 @ pyproject.toml:3"]),
    Row("a bare name that is missing is told once", group("ruff"), {}, ["ruff missing any version @ pyproject.toml:3"]),
    Row("a tool declared nowhere is no drift", group("requests"), {"ruff": "0.1"}, []),
]

PYPROJECT = [
    Row(
        "project dependencies count",
        {"pyproject.toml": '[project]\nname = "forge"\ndependencies = ["ruff==0.6.9"]\n'},
        {"ruff": "0.5"},
        ["ruff violation ==0.6.9 @ pyproject.toml:3"],
    ),
    Row(
        "extras count",
        {"pyproject.toml": '[project.optional-dependencies]\ntest = ["pytest>=8"]\nlint = [\n  "ruff==0.6.9",\n]\n'},
        {"ruff": "0.5", "pytest": "8.1"},
        ["ruff violation ==0.6.9 @ pyproject.toml:4"],
    ),
    Row(
        "an included group counts once, where it is written",
        {"pyproject.toml": '[dependency-groups]\ndev = [{include-group = "Lint"}]\nlint = ["ruff==0.6.9"]\n'},
        {"ruff": "0.5"},
        ["ruff violation ==0.6.9 @ pyproject.toml:3"],
    ),
    Row(
        "the same requirement in two groups is one violation",
        {"pyproject.toml": '[dependency-groups]\na = ["ruff==0.6.9"]\nb = ["ruff==0.6.9"]\n'},
        {"ruff": "0.5"},
        ["ruff violation ==0.6.9 @ pyproject.toml:2"],
    ),
    Row(
        "two groups that differ diverge, whatever is installed",
        {"pyproject.toml": '[dependency-groups]\na = ["ruff==0.6.9"]\nb = ["ruff==0.6.8"]\n'},
        {"ruff": "0.6.9"},
        ["ruff divergence ==0.6.8 @ pyproject.toml:3"],
    ),
    Row(
        "uv's legacy table counts",
        {"pyproject.toml": '[tool.uv]\ndev-dependencies = ["ruff==0.6.9"]\n'},
        {"ruff": "0.5"},
        ["ruff violation ==0.6.9 @ pyproject.toml:2"],
    ),
    Row(
        "uv's constraints count for a declared tool",
        {
            "pyproject.toml": '[tool.uv]\nconstraint-dependencies = ["ruff<0.6", "mypy<1"]\n'
            '[dependency-groups]\nlint = ["ruff"]\n'
        },
        {"ruff": "0.6.9", "mypy": "1.11"},
        ["ruff violation <0.6 @ pyproject.toml:2"],
    ),
    Row(
        "pdm's groups count",
        {
            "pyproject.toml": """
                [tool.pdm.dev-dependencies]
                lint = [
                    "-e file:///${PROJECT_ROOT}/x",
                    "ruff==0.6.9",
                ]
            """
        },
        {"ruff": "0.5"},
        ["ruff violation ==0.6.9 @ pyproject.toml:4"],
    ),
    Row(
        "hatch's default environment counts",
        {"pyproject.toml": '[tool.hatch.envs.default]\ndependencies = ["ruff==0.6.9"]\n'},
        {},
        ["ruff missing ==0.6.9 @ pyproject.toml:2"],
    ),
    Row(
        "another hatch environment is its own, nothing is missing",
        {"pyproject.toml": '[tool.hatch.envs.lint]\nextra-dependencies = ["ruff==0.6.9"]\n'},
        {},
        [],
    ),
    Row(
        "hatch.toml counts",
        {"hatch.toml": '[envs.lint]\ndependencies = ["ruff==0.6.9"]\n'},
        {"ruff": "0.5"},
        ["ruff violation ==0.6.9 @ hatch.toml:2"],
    ),
    Row(
        "ruff's required-version counts",
        {"pyproject.toml": '[tool.ruff]\nline-length = 100\nrequired-version = ">=0.7"\n'},
        {"ruff": "0.6.9"},
        ["ruff violation >=0.7 @ pyproject.toml:3"],
    ),
    Row(
        "a bare required-version is exact",
        {"ruff.toml": 'required-version = "0.6.8"\n'},
        {"ruff": "0.6.9"},
        ["ruff violation ==0.6.8 @ ruff.toml:1"],
    ),
    Row("a required version asks for no installation", {"ruff.toml": 'required-version = "0.6.8"\n'}, {}, []),
    Row(
        "black's required-version may be a year",
        {"pyproject.toml": '[tool.black]\nrequired-version = "24"\n'},
        {"black": "24.10.0"},
        [],
    ),
    Row(
        "pytest's minversion counts",
        {"pyproject.toml": '[tool.pytest.ini_options]\nminversion = "8.0"\n'},
        {"pytest": "7.4"},
        ["pytest violation >=8.0 @ pyproject.toml:2"],
    ),
    Row(
        "the project's own package is no tool",
        {"pyproject.toml": '[project]\nname = "pytest"\n[project.optional-dependencies]\ndev = ["pytest==1"]\n'},
        {"pytest": "8.4.dev1"},
        [],
    ),
]

POETRY = [
    Row("a caret covers the next patch", poetry('"^0.6.1"'), {"ruff": "0.6.9"}, []),
    Row(
        "a caret below one ends at the next minor",
        poetry('"^0.6.1"'),
        {"ruff": "0.7.0"},
        ["ruff violation <0.7,>=0.6.1 @ pyproject.toml:2"],
    ),
    Row("a tilde covers the next patch", poetry('"~1.2"'), {"ruff": "1.2.9"}, []),
    Row("a bare number is exact", poetry('"0.6.9"'), {"ruff": "0.6.8"}, ["ruff violation ==0.6.9 @ pyproject.toml:2"]),
    Row("a star is a note", poetry('"*"'), {"ruff": "0.6.9"}, ["ruff unpinned any version @ pyproject.toml:2"]),
    Row("either alternative will do", poetry('"^0.4 || ^0.6"'), {"ruff": "0.6.9"}, []),
    Row(
        "between the alternatives is outside",
        poetry('"^0.4 || ^0.6"'),
        {"ruff": "0.5"},
        ["ruff violation <0.5,>=0.4 or <0.7,>=0.6 @ pyproject.toml:2"],
    ),
    Row(
        "of a list, the entry for this Python counts",
        poetry('[{version = "<1.12", python = "<3.10"}, {version = ">=1.14", python = ">=3.10"}]', "mypy"),
        {"mypy": "1.11.2"},
        ["mypy violation >=1.14 @ pyproject.toml:2"],
    ),
    Row(
        "a path dependency is a note",
        poetry('{path = "../ruff"}'),
        {"ruff": "1"},
        ["ruff unpinned a direct reference @ pyproject.toml:2"],
    ),
    Row(
        "the legacy dev table counts",
        {"pyproject.toml": '[tool.poetry.dev-dependencies]\nruff = {version = "0.6.9", extras = ["x"]}\n'},
        {"ruff": "0.5"},
        ["ruff violation ==0.6.9 @ pyproject.toml:2"],
    ),
]

LOCKS = [
    Row("what the lock holds is installed", {**group("ruff"), "uv.lock": UV_LOCK}, {"ruff": "0.6.9"}, []),
    Row(
        "inside the range but not as locked is a violation",
        {**group("ruff>=0.5"), "uv.lock": UV_LOCK},
        {"ruff": "0.6.8"},
        ["ruff violation ==0.6.9 @ uv.lock:5"],
    ),
    Row(
        "a missing tool is expected as locked",
        {**group("ruff>=0.5"), "uv.lock": UV_LOCK},
        {},
        ["ruff missing ==0.6.9 @ uv.lock:5"],
    ),
    Row("a transitive entry is no pin", {**group("other"), "uv.lock": UV_LOCK}, {"ruff": "0.5"}, []),
    Row(
        "a lock that the project has moved on from diverges",
        {**group("ruff>=0.7"), "uv.lock": UV_LOCK},
        {"ruff": "0.7.1"},
        ["ruff divergence ==0.6.9 @ uv.lock:5"],
    ),
    Row("a fork for another Python does not count", {**group("mypy"), "uv.lock": FORKED_LOCK}, {"mypy": "1.14.1"}, []),
    Row(
        "the fork for this Python does",
        {**group("mypy"), "uv.lock": FORKED_LOCK},
        {"mypy": "1.11.2"},
        ["mypy violation ==1.14.1 @ uv.lock:11"],
    ),
    Row(
        "poetry's lock counts, with markers by group",
        {
            **poetry('">=1"', "mypy"),
            "poetry.lock": """
                [[package]]
                name = "mypy"
                version = "1.11.2"
                optional = false
                python-versions = ">=3.8"
                markers = {main = "python_version < \\"3.10\\"", lint = "python_version < \\"3.10\\""}

                [[package]]
                name = "mypy"
                version = "1.14.1"
                optional = false
                python-versions = ">=3.8"
                markers = "python_version >= \\"3.10\\""
                files = [
                    {file = "mypy-1.14.1.tar.gz", hash = "sha256:00"},
                ]

                [package.extras]
                version = ["ruff (>=1)"]
            """,
        },
        {"mypy": "1.11.2"},
        ["mypy violation ==1.14.1 @ poetry.lock:8"],
    ),
    Row(
        "versions without markers are narrowed by what the project declares",
        {
            **poetry('">=1.12"', "mypy"),
            "poetry.lock": """
                [[package]]
                name = "mypy"
                version = "1.11.2"

                [[package]]
                name = "mypy"
                version = "1.14.1"
            """,
        },
        {"mypy": "1.13"},
        ["mypy violation ==1.14.1 @ poetry.lock:1"],
    ),
    Row(
        "pdm's lock counts, with its marker",
        {
            **group("pytest"),
            "pdm.lock": """
                [metadata]
                groups = ["default", "lint"]

                [[metadata.targets]]
                requires_python = ">=3.9"

                [[package]]
                name = "pytest"
                version = "8.3.3"
                requires_python = ">=3.8"
                marker = "python_version >= \\"3.9\\""
                dependencies = [
                    "colorama; sys_platform == \\"win32\\"",
                ]
            """,
        },
        {"pytest": "8.2"},
        ["pytest violation ==8.3.3 @ pdm.lock:7"],
    ),
    Row(
        "a standard lock counts, with groups in its markers",
        {
            **group("ruff"),
            "pylock.dev.toml": """
                lock-version = "1.0"
                created-by = "any"

                [[packages]]
                name = "ruff"
                version = "0.6.9"
                marker = "'dev' in dependency_groups"
                [[packages.wheels]]
                name = "ruff-0.6.9-py3-none-any.whl"
                version = "not the package's"
                [packages.wheels.hashes]
                sha256 = "00"
            """,
        },
        {"ruff": "0.6.8"},
        ["ruff violation ==0.6.9 @ pylock.dev.toml:4"],
    ),
    Row(
        "the project in its own lock is no tool",
        {
            "uv.lock": '[[package]]\nname = "ruff"\nversion = "9"\nsource = { editable = "." }\n',
            "requirements.txt": "ruff==1\n",
        },
        {"ruff": "9"},
        [],
    ),
]

REQUIREMENTS = [
    Row(
        "a requirement counts",
        {"requirements.txt": "# tools\n\nruff==0.6.9  # pinned\n"},
        {"ruff": "0.5"},
        ["ruff violation ==0.6.9 @ requirements.txt:3"],
    ),
    Row(
        "hashes, markers and continuations are read past",
        {
            "requirements-dev.txt": """
                ruff==0.6.9 ; python_version >= '3.9' \\
                    --hash=sha256:aa \\
                    --hash=sha256:bb
            """
        },
        {"ruff": "0.5"},
        ["ruff violation ==0.6.9 @ requirements-dev.txt:1"],
    ),
    Row(
        "an included file counts, wherever it lies",
        {"requirements.txt": "-r sub/tools.txt\n", "sub/tools.txt": "-r ../requirements.txt\nruff==0.6.9\n"},
        {"ruff": "0.5"},
        ["ruff violation ==0.6.9 @ sub/tools.txt:2"],
    ),
    Row(
        "a constraint binds a declared tool and declares none",
        {"requirements.txt": "-c limits.txt\nruff\n", "limits.txt": "ruff==0.6.9\nmypy==1\n"},
        {"ruff": "0.5", "mypy": "2"},
        ["ruff violation ==0.6.9 @ limits.txt:1"],
    ),
    Row(
        "a compiled line that only a package needs is no pin",
        {
            "requirements.txt": """
                coverage==7.6
                    # via pytest-cov
                ruff==0.6.9
                    # via
                    #   -r dev.in
                    #   other
            """
        },
        {"ruff": "0.5", "coverage": "7.5"},
        ["ruff violation ==0.6.9 @ requirements.txt:3"],
    ),
    Row(
        "a file in requirements/ counts",
        {"requirements/lint.in": "ruff>=0.7\n"},
        {"ruff": "0.6.9"},
        ["ruff violation >=0.7 @ requirements/lint.in:1"],
    ),
    Row(
        "a URL and an editable are no tools",
        {"requirements.txt": "-e .\n--index-url https://x.invalid\n./ruff.whl\n"},
        {},
        [],
    ),
]

SEPARATE = [
    Row(
        "a hook's revision counts against what is installed",
        pre_commit("astral-sh/ruff-pre-commit", "v0.6.8"),
        {"ruff": "0.6.9"},
        ["ruff violation ==0.6.8 @ .pre-commit-config.yaml:3"],
    ),
    Row("a hook's tool need not be installed", pre_commit("astral-sh/ruff-pre-commit", "v0.6.8"), {}, []),
    Row(
        "a revision and the lock diverge inside one range",
        {**group("ruff>=0.5"), "uv.lock": UV_LOCK, **pre_commit("astral-sh/ruff-pre-commit", "v0.6.8")},
        {"ruff": "0.6.9"},
        ["ruff divergence ==0.6.8 @ .pre-commit-config.yaml:3"],
    ),
    Row(
        "a mirror of another organisation is known by its name",
        pre_commit("pre-commit/mirrors-mypy", "'v1.11.2'"),
        {"mypy": "1.11.1"},
        ["mypy violation ==1.11.2 @ .pre-commit-config.yaml:3"],
    ),
    Row(
        "a frozen commit counts as its version",
        pre_commit("psf/black-pre-commit-mirror", f"{SHA}  # frozen: 24.10.0"),
        {"black": "24.8.0"},
        ["black violation ==24.10.0 @ .pre-commit-config.yaml:3"],
    ),
    Row(
        "a frozen commit agrees with the version installed",
        pre_commit("astral-sh/ruff-pre-commit", f'"{SHA}"  # frozen: v0.6.9'),
        {"ruff": "0.6.9"},
        [],
    ),
    Row(
        "a bare commit is a note",
        pre_commit("PyCQA/flake8", SHA),
        {"flake8": "7.1.1"},
        ["flake8 unpinned commit 3b4a1c9f without '# frozen: vX' @ .pre-commit-config.yaml:3"],
    ),
    Row(
        "a branch is a note",
        pre_commit("psf/black", "stable"),
        {"black": "24.8.0"},
        ["black unpinned moving revision 'stable' @ .pre-commit-config.yaml:3"],
    ),
    Row("a hook of no tool is passed over", pre_commit("pre-commit/pre-commit-hooks", "v4.6.0"), {}, []),
    Row(
        "what a local hook adds counts",
        {
            ".pre-commit-config.yaml": """
                repos:
                - repo: local
                  hooks:
                  - {id: lint, language: python, entry: ruff, additional_dependencies: [other, "ruff==0.6.8"]}
                  - id: types
                    language: node
                    additional_dependencies:
                    - pyright@1.1.380
            """
        },
        {"ruff": "0.6.9", "pyright": "1.1.381"},
        [
            "pyright violation ==1.1.380 @ .pre-commit-config.yaml:8",
            "ruff violation ==0.6.8 @ .pre-commit-config.yaml:4",
        ],
    ),
    Row(
        "prek.toml counts",
        {
            "prek.toml": """
                [[repos]]
                repo = "https://x.invalid/ruff-pre-commit"
                rev = "v0.6.8"
                hooks = [{id = "ruff"}]
            """
        },
        {"ruff": "0.6.9"},
        ["ruff violation ==0.6.8 @ prek.toml:3"],
    ),
    Row(
        ".tool-versions counts",
        {".tool-versions": "python 3.11.7\n# linters\nruff 0.6.8 # why\n"},
        {"ruff": "0.6.9"},
        ["ruff violation ==0.6.8 @ .tool-versions:3"],
    ),
    Row("any version on the line will do", {".tool-versions": "ruff 0.6.8 0.6.9\n"}, {"ruff": "0.6.9"}, []),
    Row(
        "mise counts, with a backend and a table",
        {"mise.toml": '[tools]\npython = "3.11"\n"pipx:psf/black" = "24.8.0"\nruff = {version = "0.6.8"}\n'},
        {"ruff": "0.6.9", "black": "24.10.0"},
        ["black violation ==24.8.0 @ mise.toml:3", "ruff violation ==0.6.8 @ mise.toml:4"],
    ),
    Row("two numbers are a prefix to mise", {".mise.toml": '[tools]\nruff = "0.6"\n'}, {"ruff": "0.6.9"}, []),
    Row(
        '"latest" is a note',
        {"mise.toml": '[tools]\nruff = "latest"\n'},
        {"ruff": "0.6.9"},
        ["ruff unpinned latest @ mise.toml:2"],
    ),
    Row(
        "a version in a CI command counts",
        workflow("pip install 'ruff==0.6.8' other"),
        {"ruff": "0.6.9"},
        ["ruff violation ==0.6.8 @ .github/workflows/ci.yml:4"],
    ),
    Row(
        "uvx tool@X counts",
        workflow("uvx ruff@0.6.8 check"),
        {"ruff": "0.6.9"},
        ["ruff violation ==0.6.8 @ .github/workflows/ci.yml:4"],
    ),
    Row(
        "pipx run tool==X counts, with extras",
        workflow("pipx run 'black[d]==24.8.0' ."),
        {"black": "24.10.0"},
        ["black violation ==24.8.0 @ .github/workflows/ci.yml:4"],
    ),
    Row(
        "uvx tool@latest is a note",
        workflow("uvx ruff@latest check"),
        {"ruff": "0.6.9"},
        ["ruff unpinned latest @ .github/workflows/ci.yml:4"],
    ),
    Row(
        "a version from a variable is a note",
        workflow("pip install ruff==${{ matrix.ruff }}"),
        {"ruff": "0.6.9"},
        ["ruff unpinned a variable, ${{ matrix.ruff }} @ .github/workflows/ci.yml:4"],
    ),
    Row(
        "an action with a revision is no tool",
        {".github/workflows/ci.yml": "- uses: astral-sh/ruff@v0.1\n"},
        {"ruff": "0.6.9"},
        [],
    ),
    Row("a comment asks for nothing", workflow("make  # was pip install ruff==0.1"), {"ruff": "0.6.9"}, []),
    Row(
        "a quoted range in a command counts",
        workflow('pip install "ruff>=0.7,<1"'),
        {"ruff": "0.6.9"},
        ["ruff violation <1,>=0.7 @ .github/workflows/ci.yml:4"],
    ),
]

ROWS = [*SPECIFIERS, *PYPROJECT, *POETRY, *LOCKS, *REQUIREMENTS, *SEPARATE]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.promise) for row in ROWS])
def test_each_form_of_each_source_gives_its_findings(row: Row, check_drift: Callable[..., DriftReport]) -> None:
    report = check_drift(row.files, row.installed)

    assert [_read(finding) for finding in report.to_json()["findings"]] == row.findings
    assert report.problems == ()


def _read(finding: dict[str, Any]) -> str:
    source = finding["source"]
    return f"{finding['tool']} {finding['kind']} {finding['expected']} @ {source['file']}:{source['line']}"

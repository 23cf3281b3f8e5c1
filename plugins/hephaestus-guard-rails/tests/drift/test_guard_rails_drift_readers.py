"""The small readers: poetry's constraints, tool versions, CI commands, hooks and the lines of TOML values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from hephaestus_guard_rails.drift import DriftReport
from hephaestus_guard_rails.drift._ci import CiPin, command_pins
from hephaestus_guard_rails.drift._poetry import to_specifiers
from hephaestus_guard_rails.drift._pre_commit import read_pre_commit
from hephaestus_guard_rails.drift._survey import Survey
from hephaestus_guard_rails.drift._target import Target
from hephaestus_guard_rails.drift._toml import TomlDocument
from hephaestus_guard_rails.drift._tool_versions import ToolLine, tool_lines
from hephaestus_guard_rails.drift._tools import hook_repository_tool, normal_name

RELEASES = st.lists(st.integers(0, 30), min_size=1, max_size=4)


def dotted(release: list[int]) -> str:
    return ".".join(map(str, release))


def poetry_allows(constraint: str, version: str) -> bool:
    return any(SpecifierSet(specifier).contains(Version(version)) for specifier in to_specifiers(constraint))


@pytest.mark.parametrize(
    ("constraint", "specifiers"),
    [
        ("^1.2.3", (">=1.2.3,<2",)),
        ("^1.2", (">=1.2,<2",)),
        ("^1", (">=1,<2",)),
        ("^0.2.3", (">=0.2.3,<0.3",)),
        ("^0.0.3", (">=0.0.3,<0.0.4",)),
        ("^0.0", (">=0.0,<0.1",)),
        ("^0", (">=0,<1",)),
        ("~1.2.3", (">=1.2.3,<1.3",)),
        ("~1.2", (">=1.2,<1.3",)),
        ("~1", (">=1,<2",)),
        ("1.2.*", ("==1.2.*",)),
        ("*", ("",)),
        ("1.2.3", ("==1.2.3",)),
        ("= 1.2.3", ("==1.2.3",)),
        (">= 1.2, < 2", (">=1.2,<2",)),
        (">=1.2 <2", (">=1.2,<2",)),
        ("!=1.2", ("!=1.2",)),
        ("~=1.2.3", ("~=1.2.3",)),
        ("^1.2 || ^3", (">=1.2,<2", ">=3,<4")),
        ("^2.0b1", (">=2.0b1,<3",)),
    ],
)
def test_poetrys_constraints_become_specifiers(constraint: str, specifiers: tuple[str, ...]) -> None:
    assert to_specifiers(constraint) == specifiers


@pytest.mark.parametrize("constraint", ["", "  ", "^", "^*", "^1.*", "1 ||", "> = 1", ">*", "~x"])
def test_what_is_no_constraint_of_poetry_is_refused(constraint: str) -> None:
    with pytest.raises(ValueError, match="not a version constraint"):
        to_specifiers(constraint)


@given(RELEASES, RELEASES)
def test_a_caret_allows_what_keeps_the_first_number_that_is_not_zero(base: list[int], other: list[int]) -> None:
    padded, candidate = base + [0] * (4 - len(base)), other + [0] * (4 - len(other))
    first = next((n for n, number in enumerate(base) if number), len(base) - 1)

    expected = candidate >= padded and candidate[: first + 1] == padded[: first + 1]

    assert poetry_allows(f"^{dotted(base)}", dotted(other)) is expected


@given(RELEASES, RELEASES)
def test_a_tilde_allows_what_keeps_the_first_two_numbers(base: list[int], other: list[int]) -> None:
    padded, candidate = base + [0] * (4 - len(base)), other + [0] * (4 - len(other))
    kept = min(len(base), 2)

    assert poetry_allows(f"~{dotted(base)}", dotted(other)) is (
        candidate >= padded and candidate[:kept] == padded[:kept]
    )


WORDS = st.from_regex(r"[a-z0-9][a-z0-9.:/_-]{0,8}", fullmatch=True)


@given(
    st.lists(st.tuples(WORDS, st.lists(WORDS, max_size=3), st.sampled_from(["", " # why", "  ", "\t#"])), max_size=8)
)
def test_tool_versions_are_read_back_with_their_lines(tools: list[tuple[str, list[str], str]]) -> None:
    text = "".join(f"{' '.join([name, *versions])}{end}\n\n" for name, versions, end in tools)

    expected = [ToolLine(name, tuple(versions), 2 * n + 1) for n, (name, versions, _) in enumerate(tools)]

    assert list(tool_lines(text)) == expected


@given(
    st.from_regex(r"[a-z][a-z0-9-]{0,6}[a-z0-9]", fullmatch=True),
    RELEASES.map(dotted),
    st.sampled_from(
        [
            "pip install {name}=={version}",
            "      - run: pip install other '{name} == {version}'",
            'args: ["{name}=={version}", "x"]',
            "pipx run {name}=={version} --check",
            "pipx run --spec {name}[extra]=={version} {name} .",
            "uvx {name}@{version} check",
            "uv tool run {name}@{version}; true",
            "uvx --from '{name}=={version}' {name}",
            "run: python -m pip install {name}=={version} && {name} .",
        ]
    ),
    st.integers(0, 5),
)
def test_a_version_in_a_command_is_found_once_on_its_line(name: str, version: str, form: str, before: int) -> None:
    text = "# a comment with x==1\n" * before + form.format(name=name, version=version)

    assert list(command_pins(text)) == [CiPin(name, f"=={version}", before + 1)]


@pytest.mark.parametrize(
    "line",
    [
        "uses: astral-sh/ruff@v0.1",
        "if: matrix.python == '3.11'",
        "if: github.event.ruff == 1.0",
        "echo ruff=0.6.9",
        "pip install ruff>=0.14",
        "pip install ./ruff==0.1",
        "image: registry.invalid/ruff@sha256:00",
        "  # ruff==0.1",
        "sh 'x' // ruff==0.1",
        "npm install pyright@1.1",
    ],
)
def test_what_is_no_pin_in_a_command_is_passed_over(line: str) -> None:
    assert [pin for pin in command_pins(line) if normal_name(pin.name) in ("ruff", "pyright")] == []


@given(st.text())
def test_any_text_can_be_searched_for_commands(text: str) -> None:
    for pin in command_pins(text):
        assert 1 <= pin.line <= len(text.splitlines())


@pytest.mark.parametrize(
    ("url", "tool"),
    [
        ("https://x.invalid/astral-sh/ruff-pre-commit", "ruff"),
        ("https://x.invalid/pre-commit/mirrors-mypy", "mypy"),
        ("https://x.invalid/psf/black-pre-commit-mirror.git", "black"),
        ("https://x.invalid/psf/black/", "black"),
        ("git@x.invalid:PyCQA/isort", "isort"),
        ("https://x.invalid/RobertCraigie/pyright-python", "pyright"),
        ("https://x.invalid/pypa/pip-audit", "pip-audit"),
        ("../flake8", "flake8"),
    ],
)
def test_a_repository_of_hooks_is_known_by_the_tool_it_carries(url: str, tool: str) -> None:
    assert hook_repository_tool(url) == tool


HOSTILE_HOOKS = {
    "anchors and merges": (
        """
        x-lint: &lint
          additional_dependencies: ["ruff==0.6.8"]
        repos:
        - repo: local
          hooks:
          - <<: *lint
            id: a
        """,
        [("ruff", "==0.6.8", 2)],
    ),
    "an alias for the list": (
        """
        repos:
        - repo: local
          hooks:
          - id: a
            additional_dependencies: &deps [ruff==0.6.8]
          - id: b
            additional_dependencies: *deps
        """,
        [("ruff", "==0.6.8", 5)],
    ),
    "flow style throughout": (
        '{repos: [{repo: "https://x.invalid/ruff-pre-commit", rev: "0.6.8", hooks: [{id: ruff}]}]}\n',
        [("ruff", "==0.6.8", 1)],
    ),
    "keys in another order": (
        """
        repos:
        - hooks: [{id: ruff}]
          rev: v0.6.8
          repo: https://x.invalid/ruff-pre-commit
        """,
        [("ruff", "==0.6.8", 3)],
    ),
    "a rev inside a block scalar is text": (
        """
        repos:
        - repo: local
          hooks:
          - id: a
            description: |
              - repo: https://x.invalid/ruff-pre-commit
                rev: v0.1
        """,
        [],
    ),
    "a version that looks like a number keeps its zeros": (
        """
        repos:
        - repo: https://x.invalid/ruff-pre-commit
          rev: 0.10
          hooks: []
        """,
        [("ruff", "==0.10", 3)],
    ),
    "a date as a tag is no commit": (
        """
        repos:
        - repo: https://x.invalid/ruff-pre-commit
          rev: "20240115"
          hooks: []
        """,
        [("ruff", "==20240115", 3)],
    ),
    "a frozen comment beside a tag is not heeded": (
        """
        repos:
        - repo: https://x.invalid/ruff-pre-commit
          rev: v0.6.8  # frozen: v0.1
          hooks: []
        """,
        [("ruff", "==0.6.8", 3)],
    ),
    "wrong types everywhere": (
        "repos: [1, {repo: [x], hooks: {a: b}}, {repo: local, hooks: [3, {additional_dependencies: ruff==1}]}, null]\n",
        [],
    ),
}


@pytest.mark.parametrize("shape", HOSTILE_HOOKS)
def test_hooks_are_read_in_any_shape_of_yaml(shape: str, check_drift: Callable[..., DriftReport]) -> None:
    text, expected = HOSTILE_HOOKS[shape]

    report = check_drift({".pre-commit-config.yaml": text}, {"ruff": "9.9"})

    found = [(finding.tool, finding.expected, finding.source.line) for finding in report.findings]
    assert found == expected
    assert not report.problems


YAML_LINES = [
    "repos:",
    "- repo: local",
    "  hooks:",
    "  - id: a",
    "rev: x",
    "*x",
    "&x",
    "{",
    "]",
    "\t",
    "|",
    "#",
    "<<: *x",
]


@given(lines=st.lists(st.sampled_from(YAML_LINES), max_size=10))
def test_any_yaml_is_read_or_noted_and_never_raises(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    survey = Survey(path.parent, frozenset({"ruff"}), Target("3.11.7"))

    read_pre_commit(survey, path)

    assert len(survey.problems) <= 1


TOML = dedent("""\
    [project]
    name = "x"
    dependencies = ["ruff", "mypy"]
    optional-dependencies.lint = ["ruff"]

    [project.optional-dependencies]
    test = [
        "pytest",
        # ruff
        "ruff",
    ]

    [tool . poetry . group . "dev" . dependencies]
    ruff = "1"
    [tool.poetry.group.ruff.dependencies]
    mypy = "1"
    ruff = "2"
    """).splitlines()


@pytest.mark.parametrize(
    ("keys", "needle", "line"),
    [
        (("project", "dependencies"), "mypy", 3),
        (("project", "optional-dependencies", "test"), '"ruff"', 10),
        (("project", "optional-dependencies", "test"), "pytest", 8),
        (("tool", "poetry", "group", "dev", "dependencies", "ruff"), "ruff", 14),
        (("tool", "poetry", "group", "ruff", "dependencies", "ruff"), "ruff", 17),
        (("nowhere",), "nothing", 1),
    ],
)
def test_a_value_of_toml_is_found_on_its_line(keys: tuple[str, ...], needle: str, line: int, tmp_path: Path) -> None:
    survey = Survey(tmp_path, frozenset(), Target("3.11.7"))

    assert TomlDocument(survey, tmp_path / "pyproject.toml", TOML, {}).line(keys, needle) == line

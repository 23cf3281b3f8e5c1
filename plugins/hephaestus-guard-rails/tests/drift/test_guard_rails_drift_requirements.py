"""Requirements files: the grammar of pip and the annotations of compilers, read back from generated files."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus_guard_rails.drift._requirements import RequirementLine, logical_lines


class Written(NamedTuple):
    """One requirement and how it is laid out in the file."""

    requirement: str
    hashes: int
    split: bool
    comment: str
    via: list[str]
    via_style: str
    blank_lines: int


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,6}[a-z0-9]", fullmatch=True)
WRITTEN = st.builds(
    Written,
    st.builds(lambda name, number: f"{name}=={number}", NAMES, st.integers(0, 99)),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(["", "# why", "#", "# viable", "# not via x"]),
    st.lists(st.one_of(NAMES, NAMES.map(lambda name: f"-r {name}.in")), max_size=3),
    st.sampled_from(["beside", "below", "list"]),
    st.integers(0, 2),
)


def lay_out(entry: Written) -> list[str]:
    hashes = [f"--hash=sha256:{number:064x}" for number in range(entry.hashes)]
    if entry.split:
        lines = " \\\n    ".join([entry.requirement, *hashes]).split("\n")
    else:
        lines = [" ".join([entry.requirement, *hashes])]
    if entry.comment and not entry.via:
        lines[-1] += f"  {entry.comment}"
    names = ", ".join(entry.via)
    if entry.via and entry.via_style == "beside":
        lines[-1] += f"  # via {names}"
    elif entry.via and entry.via_style == "below":
        lines.append(f"    # via {names}")
    elif entry.via:
        lines += ["    # via", *(f"    #   {name}" for name in entry.via)]
    return [*lines, *[""] * entry.blank_lines]


@given(st.lists(WRITTEN, max_size=8))
def test_every_requirement_is_read_back_with_its_line_and_who_needs_it(entries: list[Written]) -> None:
    lines: list[str] = []
    expected = []
    for entry in entries:
        expected.append((entry.requirement, len(lines) + 1, tuple(entry.via)))
        lines += lay_out(entry)

    read = list(logical_lines("\n".join(lines)))

    assert [(line.text.split()[0], line.line, line.via) for line in read] == expected


@given(st.text(st.sampled_from(list("ab=# \\\n\t-rc;'\"\r\x0c")), max_size=60))
def test_any_text_is_read_with_lines_that_exist_in_order(text: str) -> None:
    numbers = [line.line for line in logical_lines(text)]

    assert numbers == sorted(set(numbers))
    assert all(1 <= number <= len(text.splitlines()) for number in numbers)


@pytest.mark.parametrize(
    ("via", "transitive"),
    [
        ((), False),
        (("pytest-cov",), True),
        (("-r dev.in",), False),
        (("pytest-cov", "-r dev.in"), False),
        (("-c limits.txt", "pytest-cov"), True),
        (("-c limits.txt",), False),
        (("forge (pyproject.toml)",), False),
        (("forge (pyproject.toml:lint)",), False),
        (("forge (setup.py)",), False),
    ],
)
def test_a_line_is_transitive_when_only_packages_need_it(via: tuple[str, ...], *, transitive: bool) -> None:
    assert RequirementLine("coverage==7", 1, via).is_transitive is transitive


def test_a_comment_ends_a_continuation() -> None:
    text = "ruff==1 \\\n# a comment \\\nmypy==2\n"

    assert [(line.text, line.line) for line in logical_lines(text)] == [("ruff==1", 1), ("mypy==2", 3)]

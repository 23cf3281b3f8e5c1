"""Requirements and constraints files, in the grammar of pip, with what pip-compile and uv write beside the lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hephaestus_guard_rails.drift._pin import Origin
from hephaestus_guard_rails.drift._sets import is_development_set

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hephaestus_guard_rails.drift._survey import Survey

_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_INCLUDE = re.compile(r"(-r|-c|--requirement|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))(?P<file>\S.*)$")
_OPTION = re.compile(r"\s+-{1,2}[A-Za-z]")
_DIRECT = re.compile(r"^(?:-r |-c |.*\((?:pyproject\.toml|setup\.py|setup\.cfg)\b)")
_FILE_NAMES = ("*requirements*.txt", "*requirements*.in", "constraints*.txt", "*-constraints.txt")


class RequirementLine(NamedTuple):
    """One logical line: its text without comment and continuations, its first line from 1, and who needs it.

    `via` holds what the annotations of pip-compile and uv say: `-r dev.in`, `black`, `forge (pyproject.toml)`.
    """

    text: str
    line: int
    via: tuple[str, ...] = ()

    @property
    def is_transitive(self) -> bool:
        """True if the line is annotated and nothing written by a person is among those that need it."""
        named = [name for name in self.via if not name.startswith("-c ")]
        return bool(named) and not any(_DIRECT.match(name) for name in named)


def logical_lines(text: str) -> Iterator[RequirementLine]:
    """Join continuations and strip comments as pip does; annotations go to the line above them."""
    pending: RequirementLine | None = None
    gathering = False
    for number, joined in _join(text):
        content, comment = _split_comment(joined)
        if content:
            if pending is not None:
                yield pending
            pending, gathering = RequirementLine(content, number), False
        elif comment is None:
            gathering = False
            continue
        names, gathering = _annotation(comment, gathering=gathering)
        if pending is not None and names:
            pending = pending._replace(via=(*pending.via, *names))
    if pending is not None:
        yield pending


def _join(text: str) -> Iterator[tuple[int, str]]:
    parts: list[str] = []
    start = 1
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        start = start if parts else number
        comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not comment:
            parts.append(line.rstrip("\\"))
            continue
        # A comment ends a continuation; the space keeps it a comment once it is joined on.
        yield start, "".join([*parts, f" {line}" if comment else line])
        parts = []
    if parts:
        yield start, "".join(parts)


def _split_comment(joined: str) -> tuple[str, str | None]:
    match = _COMMENT.search(joined) if "#" in joined else None
    if match is None:
        return joined.strip(), None
    return joined[: match.start()].strip(), match.group().strip().lstrip("#").strip()


def _annotation(comment: str | None, *, gathering: bool) -> tuple[list[str], bool]:
    """The names that a `# via` comment holds, and whether the next comment line goes on with them."""
    if comment is None:
        return [], False
    if comment == "via" or comment.startswith("via "):
        return [name.strip() for name in comment[3:].split(",") if name.strip()], True
    return ([comment] if comment else [], True) if gathering else ([], False)


def requirements_files(root: Path) -> list[Path]:
    """The requirements and constraints files that a project keeps at its top or in `requirements/`, sorted."""
    top = {path for pattern in _FILE_NAMES for path in root.glob(pattern)}
    folder = {path for pattern in ("*.txt", "*.in") for path in (root / "requirements").glob(pattern)}
    return sorted(path for path in top | folder if path.is_file())


def read_requirements(survey: Survey, root: Path, paths: list[Path]) -> None:
    """Read files and all that they include; one named by `-c` or called constraints only constrains.

    What a file includes belongs to its set; of several, to the one of the development file.
    """
    sets = [(path, path.relative_to(root).with_suffix("").as_posix()) for path in paths]
    sets.sort(key=lambda each: not is_development_set(each[1]))
    seen: set[tuple[Path, bool]] = set()
    for top, name in sets:
        waiting = [(top, "constraints" in top.name)]
        while waiting:
            path, constrains = waiting.pop()
            if (path.resolve(), constrains) not in seen:
                seen.add((path.resolve(), constrains))
                waiting += reversed(_read_file(survey, path, ("file", name), constrains=constrains))


def _read_file(survey: Survey, path: Path, member_of: tuple[str, str], *, constrains: bool) -> list[tuple[Path, bool]]:
    includes: list[tuple[Path, bool]] = []
    text = survey.text(path)
    for line in logical_lines(text or ""):
        include = _INCLUDE.match(line.text)
        if include is not None:
            name = include["file"].strip().strip("\"'")
            if "://" in name:
                continue  # what lies elsewhere is not read: a check makes no connection
            other = path.parent / name
            if other.is_file():
                includes.append((other, constrains or include[1] in ("-c", "--constraint")))
            else:
                survey.complain(path, line.line, f"includes {name!r}, which does not exist")
        elif not line.text.startswith("-"):
            origin = Origin.CONSTRAINTS if constrains else Origin.LOCK if line.is_transitive else Origin.REQUIREMENTS
            label = "constraints" if constrains else "requirements"
            requirement = _OPTION.split(line.text, maxsplit=1)[0]
            survey.require(requirement, origin, path, line.line, label, member_of=member_of)
    return includes

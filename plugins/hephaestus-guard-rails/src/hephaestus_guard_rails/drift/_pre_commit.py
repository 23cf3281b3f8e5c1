"""What `.pre-commit-config.yaml` and `prek.toml` run: the revision of each repository of hooks and what hooks add."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hephaestus_guard_rails.drift._pin import Origin
from hephaestus_guard_rails.drift._toml import TomlDocument
from hephaestus_guard_rails.drift._tools import hook_repository_tool
from hephaestus_guard_rails.drift._yaml import Scalar, YamlDocument

if TYPE_CHECKING:
    from pathlib import Path

    from hephaestus_guard_rails.drift._survey import Survey

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_FROZEN = re.compile(r"(?:frozen:\s*)?(v?\d\S*)")
_TAG = re.compile(r"(?:refs/tags/)?v?(\d+(?:\.\d+)*(?:[-_.]?(?:a|b|rc|post|dev)[-_.]?\d*)*)")
_NODE_STYLE = re.compile(r"([A-Za-z][\w.-]*)@v?(\d[\w.]*)")
_NO_REPOSITORY = ("local", "meta", "builtin")


def read_pre_commit(survey: Survey, path: Path) -> None:
    """Read a YAML configuration of pre-commit or prek."""
    document = YamlDocument.read(survey, path)
    if document is None or document.root is None:
        return
    top = document.mapping(document.root)
    repositories = document.sequence(top.get("repos"))
    if not repositories and "repos" not in top:
        survey.complain(path, 1, "no list of repos")
    minimum = document.scalar(top.get("minimum_pre_commit_version"))
    if minimum is not None and minimum.text.strip("0. "):
        _minimum(survey, path, minimum)
    for node in repositories:
        repository = document.mapping(node)
        _read_revision(survey, path, document.scalar(repository.get("repo")), document.scalar(repository.get("rev")))
        for hook in document.sequence(repository.get("hooks")):
            for addition in document.sequence(document.mapping(hook).get("additional_dependencies")):
                _read_addition(survey, path, document.scalar(addition))


def read_prek(survey: Survey, path: Path) -> None:
    """Read `prek.toml`, the same configuration as TOML."""
    document = TomlDocument.read(survey, path)
    for repository in document.array("repos") if document is not None else ():
        if document is None or not isinstance(repository, dict):
            continue
        _read_revision(survey, path, _scalar(document, repository.get("repo")), _revision(document, repository))
        for hook in _dictionaries(repository.get("hooks")):
            additions = hook.get("additional_dependencies")
            for addition in additions if isinstance(additions, list) else ():
                _read_addition(survey, path, _scalar(document, addition))


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _scalar(document: TomlDocument, value: Any) -> Scalar | None:
    return Scalar(value, document.line((), value)) if isinstance(value, str) else None


def _revision(document: TomlDocument, repository: dict[str, Any]) -> Scalar | None:
    revision, url = repository.get("rev"), repository.get("repo")
    if not isinstance(revision, str):
        return None
    start = document.line((), url) - 1 if isinstance(url, str) else 0
    numbers = range(start, len(document.lines))
    index = next((n for n in numbers if revision in document.lines[n]), start)
    comment = document.lines[index].rpartition(revision)[2].partition("#")[2].strip()
    return Scalar(revision, index + 1, comment)


def _minimum(survey: Survey, path: Path, minimum: Scalar) -> None:
    label = "minimum_pre_commit_version"
    survey.ask("pre-commit", [f">={minimum.text}"], Origin.SETTING, path, minimum.line, label)


def _read_revision(survey: Survey, path: Path, url: Scalar | None, revision: Scalar | None) -> None:
    if url is None or url.text in _NO_REPOSITORY:
        return
    tool, label = hook_repository_tool(url.text), "pre-commit rev"
    if survey.wanted(tool) is None:
        return
    if revision is None:
        survey.complain(path, url.line, f"{tool}: the repository has no rev")
        return
    tag = _TAG.fullmatch(revision.text.strip()) if not _is_commit(revision.text) else None
    frozen = _FROZEN.match(revision.comment) if _is_commit(revision.text) else None
    if frozen is not None:
        tag = _TAG.fullmatch(frozen[1])
    if tag is not None:
        survey.ask(tool, [f"=={tag[1]}"], Origin.PRE_COMMIT, path, revision.line, label)
        return
    commit = _is_commit(revision.text)
    reason = f"commit {revision.text[:8]} without '# frozen: vX'" if commit else f"moving revision {revision.text!r}"
    survey.note(tool, reason, Origin.PRE_COMMIT, path, revision.line, label, opaque=commit)


def _is_commit(revision: str) -> bool:
    # A date as a tag (`20240115`) is all digits and no commit.
    return _COMMIT.fullmatch(revision) is not None and (len(revision) == 40 or not revision.isdigit())


def _read_addition(survey: Survey, path: Path, addition: Scalar | None) -> None:
    if addition is None:
        return
    label = "pre-commit additional_dependencies"
    node_style = _NODE_STYLE.fullmatch(addition.text.strip())
    if node_style is not None:
        specifiers = [f"=={node_style[2]}"]
        survey.ask(node_style[1], specifiers, Origin.PRE_COMMIT, path, addition.line, label)
    else:
        survey.require(addition.text, Origin.PRE_COMMIT, path, addition.line, label)

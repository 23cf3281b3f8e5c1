"""YAML nodes with their lines and the comments beside them, which loading into plain objects would lose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import yaml

    from hephaestus_guard_rails.drift._survey import Survey

_COMMENT = re.compile(r"\s*#\s*(.*?)\s*$")


class Scalar(NamedTuple):
    """A scalar: its text whatever its type (`1.10` stays `1.10`), its line from 1, and the comment behind it."""

    text: str
    line: int
    comment: str = ""


class YamlDocument:
    """One document of nodes; every look-up answers empty for a node of another kind."""

    def __init__(self, root: yaml.Node | None, text: str) -> None:
        self.root = root
        self._lines = text.splitlines()

    @classmethod
    def read(cls, survey: Survey, path: Path) -> YamlDocument | None:
        """Parse a file; None if it does not exist or can't be read, and the survey then knows why."""
        text = survey.text(path)
        if text is None:
            return None
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            return cls(yaml.compose(text, Loader=loader), text)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            survey.complain(path, mark.line + 1 if mark else 1, f"not valid YAML: {error.problem or error.context}")
        except yaml.reader.ReaderError as error:
            survey.complain(path, text.count("\n", 0, error.position) + 1, f"not valid YAML: {error.reason}")
        except RecursionError:
            survey.complain(path, 1, "not valid YAML: nested too deeply")
        return None

    def mapping(self, node: yaml.Node | None) -> Mapping[str, yaml.Node]:
        """The values of a mapping by key; keys of a merged anchor (`<<`) count where the mapping has none."""
        import yaml

        own: dict[str, yaml.Node] = {}
        merged: dict[str, yaml.Node] = {}
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.tag == "tag:yaml.org,2002:merge":
                merged.update(_plain_pairs(value))
            elif isinstance(key, yaml.ScalarNode):
                own[key.value] = value
        return {**merged, **own}

    def sequence(self, node: yaml.Node | None) -> list[yaml.Node]:
        """The items of a sequence."""
        import yaml

        return list(node.value) if isinstance(node, yaml.SequenceNode) else []

    def scalar(self, node: yaml.Node | None) -> Scalar | None:
        """A scalar with its line and comment; None for another kind of node or an explicit null."""
        import yaml

        if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:null":
            return None
        end = node.end_mark
        rest = self._lines[end.line][end.column :] if end.line < len(self._lines) else ""
        comment = _COMMENT.match(rest)
        return Scalar(node.value, node.start_mark.line + 1, comment[1] if comment else "")


def _plain_pairs(node: yaml.Node) -> dict[str, yaml.Node]:
    """Pairs of a merged mapping, one level deep: anchors that merge themselves would never end."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        return {key: value for item in reversed(node.value) for key, value in _pairs(item)}
    return dict(_pairs(node))


def _pairs(node: yaml.Node) -> list[tuple[str, yaml.Node]]:
    import yaml

    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return [(key.value, value) for key, value in pairs if isinstance(key, yaml.ScalarNode)]

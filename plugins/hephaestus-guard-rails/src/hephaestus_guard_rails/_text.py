"""Plain text for people: output made harmless for a terminal, and columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["columns", "harmless"]

# Not compiled here: most runs show nothing that needs them.
_ESCAPES = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])"
# Control characters but for newline and tab, and the marks that reorder text on screen.
_CONTROLS = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"


def harmless(text: str) -> str:
    """The text without terminal sequences; other control characters are shown as escapes."""
    if text.isprintable():
        return text
    text = re.sub(_ESCAPES, "", text.replace("\r\n", "\n"))
    return re.sub(_CONTROLS, lambda match: match.group().encode("unicode-escape").decode(), text)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with aligned columns, two blanks apart; the last column is not padded."""
    cells = [[harmless(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*(row[:-1] for row in cells), strict=True)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in cells
    ]

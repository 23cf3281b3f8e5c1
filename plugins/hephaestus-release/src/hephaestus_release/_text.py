"""Text from strangers, made fit for one line of output."""

from __future__ import annotations

__all__ = ["one_line", "unprintable"]


def unprintable(text: str) -> bool:
    """Whether the text has a character that is not seen for what it is.

    Control, format (bidirectional overrides among them), surrogate, private and unassigned characters, and every
    separator but the space.
    """
    return not text.isprintable()


def one_line(text: object, limit: int = 200) -> str:
    """The text on one line without control characters, cut at `limit` characters.

    Args:
        text: anything that has a `str`.
        limit: most characters of the result.
    """
    # A slice first: an error may quote a whole bundle, and only its start is shown.
    words = " ".join(str(text)[: limit * 4].split())
    clean = "".join(character if character.isprintable() else "?" for character in words)
    return clean if len(clean) <= limit else clean[: limit - 1] + "\u2026"

"""The API token: kept where neither a log line, a repr nor a traceback's locals show it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from hephaestus.errors import UsageError

__all__ = ["Token", "find_token"]

_LARGEST_FILE = 4096


class Token:
    """A secret string that only `reveal` gives away.

    Args:
        secret: printable ASCII without spaces.
        origin: where it was found, for messages, e.g. `GITHUB_TOKEN`.

    Raises:
        UsageError: empty, or with characters that cannot stand in a header.
    """

    __slots__ = ("_reveal", "origin")

    def __init__(self, secret: str, origin: str) -> None:
        if not secret or not all("!" <= character <= "~" for character in secret):
            wrong = "is empty" if not secret else "has spaces, control or non-ASCII characters"
            secret = ""
            raise UsageError(f"the token in {origin} {wrong}", hint="store the token alone, on one line")
        self._reveal = secret.__str__
        self.origin = origin

    def reveal(self) -> str:
        """The secret itself; only for the header that carries it."""
        return self._reveal()

    def __repr__(self) -> str:
        return f"Token(***, origin={self.origin!r})"

    def __reduce__(self) -> str:
        raise TypeError("a token is not pickled")


def find_token(file: Path | None, variables: Iterable[str]) -> Token | None:
    """The token from the given file, or from the first variable that is set and not empty.

    Args:
        file: a file that holds nothing but the token; None to look at the environment.
        variables: names of environment variables.

    Raises:
        UsageError: the file cannot be read, or the token is malformed.
    """
    if file is not None:
        try:
            with file.open("rb") as stream:
                return Token(stream.read(_LARGEST_FILE).decode("ascii", "replace").strip(), str(file))
        except OSError as error:
            raise UsageError(f"the token file cannot be read: {file}: {error.strerror or error}") from None
    for name in variables:
        if os.environ.get(name):
            return Token(os.environ[name].strip(), name)
    return None

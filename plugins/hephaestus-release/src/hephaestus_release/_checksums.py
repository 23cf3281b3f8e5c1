"""Checksum manifests: `SHA256SUMS` files in the forms that are met in the field."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from hephaestus_release.errors import ManifestError

__all__ = ["LARGEST_MANIFEST", "Manifest", "parse"]

LARGEST_MANIFEST: Final = 4 * 1024 * 1024

_GNU: Final = re.compile(r"(?P<escaped>\\?)(?P<digest>[0-9A-Fa-f]{32,128})(?:  | \*| |\t)(?P<name>[^\n]+)\Z")
_BSD: Final = re.compile(
    r"(?P<escaped>\\?)(?P<algorithm>[A-Za-z0-9][A-Za-z0-9/-]*) ?\((?P<name>[^\n]+)\) ?= (?P<digest>[0-9A-Fa-f]+)\Z"
)
_BARE: Final = re.compile(r"[0-9A-Fa-f]{64}\Z")
# Lengths of the digests that share the GNU form: MD5, SHA-1, SHA-224, SHA-384, SHA-512.
_OTHER_LENGTHS: Final = frozenset({32, 40, 56, 96, 128})
_ESCAPE: Final = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPED: Final = {"\\": "\\", "n": "\n", "r": "\r"}


@frozen
class Manifest:
    """SHA-256 digests by file name.

    Attributes:
        digests: file name as written → 64 lower-case hexadecimal digits.
        bare: the digest of a manifest that holds one digest and no name, as `<asset>.sha256` files do.
    """

    digests: dict[str, str]
    bare: str | None = None

    def digest_of(self, name: str) -> str | None:
        """The digest listed for the file, or None when the manifest does not list it.

        An entry under the exact name wins; else entries whose last path component is the name are taken, since
        manifests are often written one folder up.

        Raises:
            ManifestError: when such entries name different digests.
        """
        if name in self.digests:
            return self.digests[name]
        found = {digest for path, digest in self.digests.items() if posixpath.basename(path) == name}
        if len(found) > 1:
            raise ManifestError(f"the manifest lists {name!r} in several folders with different digests")
        return found.pop() if found else None


def parse(raw: bytes) -> Manifest:
    """The SHA-256 entries of a manifest: GNU, BSD (`SHA256 (name) = digest`), escaped, `*`-marked, CRLF or bare.

    Lines with digests of other algorithms are passed over, and so are empty lines and `#` comments.

    Raises:
        ManifestError: not UTF-8, too large, a line in no known form, or one name with two digests.
    """
    if len(raw) > LARGEST_MANIFEST:
        raise ManifestError(f"the manifest is larger than {LARGEST_MANIFEST} bytes")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ManifestError(f"the manifest is not UTF-8: byte {error.start} is invalid") from None
    digests: dict[str, str] = {}
    bare: list[str] = []
    for number, line in _lines(text):
        if _BARE.match(line):
            bare.append(line.lower())
            continue
        entry = _entry(line, number)
        if entry is not None and digests.setdefault(*entry) != entry[1]:
            raise ManifestError(f"the manifest lists {entry[0]!r} twice with different digests (line {number})")
    if bare and (digests or len(set(bare)) > 1):
        raise ManifestError("the manifest mixes digests without a name with others")
    return Manifest(digests, bare[0] if bare else None)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that hold something, with their numbers."""
    # str.splitlines would also split at U+2028, form feeds and the like, which may stand inside a name.
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.removesuffix("\r")
        if stripped.strip() and not stripped.startswith("#"):
            yield number, stripped


def _entry(line: str, number: int) -> tuple[str, str] | None:
    """Name and digest of one line; None when its digest is of another algorithm."""
    match = _BSD.match(line)
    if match is not None:
        if match["algorithm"].upper() not in {"SHA256", "SHA2-256"}:
            return None
    else:
        match = _GNU.match(line)
        if match is None or len(match["digest"]) not in _OTHER_LENGTHS | {64}:
            raise ManifestError(f"line {number} of the manifest is in no known form")
        if len(match["digest"]) != 64:
            return None
    if len(match["digest"]) != 64:
        raise ManifestError(f"line {number} of the manifest has a SHA-256 digest of the wrong length")
    name = _unescape(match["name"], number) if match["escaped"] else match["name"]
    if "\0" in name:
        raise ManifestError(f"line {number} of the manifest has a NUL in the file's name")
    return name.removeprefix("./"), match["digest"].lower()


def _unescape(name: str, number: int) -> str:
    """The name that coreutils wrote with `\\\\`, `\\n` and `\\r`."""

    def replace(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPED:
            raise ManifestError(f"line {number} of the manifest has an unknown escape in the file's name")
        return _ESCAPED[match[1]]

    return _ESCAPE.sub(replace, name)

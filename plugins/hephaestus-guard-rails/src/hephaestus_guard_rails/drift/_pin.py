"""One place that asks for one version of one tool."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from hephaestus_guard_rails.drift._report import Source


class Origin(IntEnum):
    """What kind of place asks; the lower the value, the more weight it has when exact versions differ."""

    PROJECT = 0
    LOCK = 1
    REQUIREMENTS = 2
    CONSTRAINTS = 3
    SETTING = 4
    PRE_COMMIT = 5
    TOOL_VERSIONS = 6
    OWN_ENVIRONMENT = 7
    CI = 8

    @property
    def declares(self) -> bool:
        """True where being named means that the project's environment should hold the tool."""
        return self in (Origin.PROJECT, Origin.REQUIREMENTS)

    @property
    def follows(self) -> bool:
        """True where an entry counts only for a tool declared elsewhere: locks and constraints list everything."""
        return self in (Origin.LOCK, Origin.CONSTRAINTS)


class Pin(NamedTuple):
    """What one line of one source asks for.

    `specifiers` are alternatives, any of which will do (a forked lock, a poetry `||`); an empty tuple asks for any
    version. `note` says why no version is known ("latest", a bare commit); `opaque` then tells that there is a definite
    version that cannot be read, so nothing can be compared with it. `member_of` is the set of dependencies
    that holds it, `("group", "lint")`, `("extra", "test")` or `("file", "requirements/docs")`; None for the project's
    own dependencies.
    """

    tool: str
    origin: Origin
    source: Source
    specifiers: tuple[SpecifierSet, ...] = ()
    note: str = ""
    opaque: bool = False
    member_of: tuple[str, str] | None = None

    @property
    def exact(self) -> tuple[Version, ...]:
        """The one version of each alternative; empty unless each allows one only."""
        versions = tuple(version for version in map(exact_version, self.specifiers) if version is not None)
        return versions if len(versions) == len(self.specifiers) else ()

    @property
    def expected(self) -> str:
        """What is asked for, as a person writes it: `==0.6.9`, `<5 or >=6`, "latest"."""
        return self.note or " or ".join(map(str, self.specifiers)) or "any version"

    def accepts(self, version: Version) -> bool:
        """True if one of the alternatives allows `version`; a pre-release that is installed was chosen on purpose."""
        return not self.specifiers or any(spec.contains(version, prereleases=True) for spec in self.specifiers)

    def agrees_with(self, other: Pin) -> bool:
        """False if the two can be shown to exclude each other, which takes an exact version on one side."""
        if self.exact:
            return any(other.accepts(version) for version in self.exact)
        return not other.exact or any(self.accepts(version) for version in other.exact)


def exact_version(specifier: SpecifierSet) -> Version | None:
    """The one version that a specifier set allows (`==1.2`, `===1.2`, `==1.2,>=1`), else None."""
    from packaging.version import InvalidVersion, Version

    for part in specifier:
        if part.operator in ("==", "===") and not part.version.endswith(".*"):
            try:
                return Version(part.version)
            except InvalidVersion:  # `===` takes any text
                return None
    return None

"""What cleanup raises.

::

    HephaestusError
    ├── CleanupError                a run failed as a whole
    │   ├── CleanupRefused          a root or a path that cleanup never touches
    │   ├── CleanupDeclined         the person did not confirm
    │   ├── CleanupIncomplete       some paths could not be read or removed
    │   ├── RootBusyError           another run holds the root
    │   ├── GitGuardError           git could not say which files it tracks
    │   └── ManifestError (OSError) the audit manifest cannot be written or read
    ├── RuleError (ValueError)      a rule that a plugin offers is malformed
    └── UsageError
        └── UnknownRunError         no recorded run of that name
"""

from __future__ import annotations

from hephaestus.errors import HephaestusError, UsageError

__all__ = [
    "CleanupDeclined",
    "CleanupError",
    "CleanupIncomplete",
    "CleanupRefused",
    "GitGuardError",
    "ManifestError",
    "RootBusyError",
    "RuleError",
    "UnknownRunError",
]


class CleanupError(HephaestusError):
    """A cleanup run failed as a whole."""


class CleanupRefused(CleanupError):
    """A root, or a path named by an option, is one that cleanup never touches."""


class CleanupDeclined(CleanupError):
    """The question was answered with something other than the word asked for."""


class CleanupIncomplete(CleanupError):
    """The run ended, but some paths could not be read or removed."""


class RootBusyError(CleanupError):
    """Another cleanup run holds one of the roots."""


class GitGuardError(CleanupError):
    """Git could not be asked which files it tracks, so nothing in that repository may go."""


class ManifestError(CleanupError, OSError):
    """The audit manifest cannot be created, written or read."""


class RuleError(HephaestusError, ValueError):
    """A cleanup rule is malformed."""


class UnknownRunError(UsageError):
    """No recorded cleanup run has that name."""

"""What tests of release tools need, ours and those of others: local services that stand in for public ones.

* :mod:`hephaestus_release.testing.sigstore`: a whole Sigstore (certificate authority, CT log, Rekor v1 and v2,
  time-stamp authority, trusted root) in one process and without a network.

Nothing here is imported by the product itself, and importing this package imports none of its modules.
"""

from __future__ import annotations

__all__: list[str] = []

"""Fixtures shared by the release plugin's tests.

* `sigstore`: a local Sigstore, one for the whole run; signing adds to its logs and changes nothing else. A test that
  alters a service takes `sigstore.with_services(...)` or makes one of its own.
* `root`: the trusted root of that Sigstore, as the verifier takes it.
"""

from __future__ import annotations

import json

import pytest

from hephaestus_release._trust import TrustedRoot
from hephaestus_release.testing.sigstore import LocalSigstore


@pytest.fixture(scope="session")
def sigstore() -> LocalSigstore:
    """A local Sigstore; do not alter its services."""
    return LocalSigstore()


@pytest.fixture(scope="session")
def root(sigstore: LocalSigstore) -> TrustedRoot:
    """The local Sigstore's trusted root."""
    return TrustedRoot("local", json.dumps(sigstore.trusted_root()).encode())

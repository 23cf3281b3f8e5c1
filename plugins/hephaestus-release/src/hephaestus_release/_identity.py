"""Who signed, and who should have."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from hephaestus.errors import UsageError
from hephaestus_release._pattern import IdentityPattern
from hephaestus_release._text import one_line, unprintable
from hephaestus_release.errors import IdentityError

__all__ = ["GITHUB_ACTIONS_ISSUER", "IdentityPolicy", "SignerIdentity"]

GITHUB_ACTIONS_ISSUER = "https://token.actions.githubusercontent.com"
"""The OIDC issuer of GitHub's own workflows."""

_GITHUB = "https://github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/[A-Za-z0-9._-]+")


@frozen
class SignerIdentity:
    """What a signing certificate says of its holder.

    Args:
        subject: the certificate's one subject alternative name.
        issuer: the OIDC issuer that vouched for the subject.
        source_repository: URI of the repository whose workflow signed, if it was a workflow.
        source_ref: the ref that the workflow ran on, e.g. "refs/tags/v1.0.0".
        source_digest: the commit that the workflow ran on.
    """

    subject: str
    issuer: str
    source_repository: str | None = None
    source_ref: str | None = None
    source_digest: str | None = None

    @property
    def identities(self) -> tuple[str, ...]:
        """The subject, and the source repository's URI if the certificate has one."""
        return (self.subject,) if self.source_repository is None else (self.subject, self.source_repository)


@frozen
class IdentityPolicy:
    """Who must have signed. Make one with `build`, which checks its parts.

    Args:
        issuer: the OIDC issuer, compared exactly.
        patterns: the subject must match one of them; none means any subject of `source_repository`.
        source_repository: the certificate's source repository URI, compared exactly; None to accept any.
        source_ref: the certificate's source ref, compared exactly; None to accept any.
    """

    issuer: str
    patterns: tuple[IdentityPattern, ...] = ()
    source_repository: str | None = None
    source_ref: str | None = None

    @classmethod
    def build(
        cls,
        *,
        issuer: str | None = None,
        identities: Iterable[str] = (),
        signer_repository: str | None = None,
        tag: str | None = None,
        server_url: str = _GITHUB,
    ) -> IdentityPolicy:
        """A policy from option values.

        Args:
            issuer: OIDC issuer; may be left out only with `signer_repository` on the public GitHub.
            identities: patterns, of which one must match the subject.
            signer_repository: "owner/repo" whose workflow must have signed.
            tag: with `signer_repository`, the tag that the workflow must have run on.
            server_url: where that repository lives; another one than the public GitHub needs an `issuer`.

        Raises:
            UsageError: a part is malformed, or nothing would be required of the signer.
        """
        patterns = tuple(IdentityPattern.parse(text) for text in identities)
        if not patterns and signer_repository is None:
            raise UsageError("no signer is named", hint="give an identity pattern or the signer's repository")
        if issuer is None and signer_repository is not None and server_url == _GITHUB:
            issuer = GITHUB_ACTIONS_ISSUER
        repository = None if signer_repository is None else _repository_uri(signer_repository, server_url)
        return cls(_checked_issuer(issuer), patterns, repository, _ref(tag, repository))

    def check(self, signer: SignerIdentity) -> tuple[str, ...]:
        """Refuse a signer who is not the one that this policy names.

        Returns:
            the signer's identities that were matched: the subject, the source repository, or both.

        Raises:
            IdentityError: with what was found and what was wanted.
        """
        if not self.patterns and self.source_repository is None:
            raise IdentityError("the identity policy names no signer", hint="give a pattern or a repository")
        _same("issuer", signer.issuer, self.issuer)
        matched = self._matched_subject(signer.subject)
        if self.source_repository is not None:
            _same("source repository", signer.source_repository, self.source_repository)
            matched = (*matched, self.source_repository)
        if self.source_ref is not None:
            _same("source ref", signer.source_ref, self.source_ref)
        return matched

    def _matched_subject(self, subject: str) -> tuple[str, ...]:
        if not self.patterns:
            return ()
        if any(pattern.matches(subject) for pattern in self.patterns):
            return (subject,)
        wanted = " or ".join(repr(pattern.text) for pattern in self.patterns)
        raise IdentityError(
            f"signed by {one_line(subject)!r}, which does not match {wanted}",
            hint="if that signer is the right one, name it as the identity",
        )


def _same(what: str, found: str | None, wanted: str) -> None:
    if found == wanted:
        return
    shown = "none" if found is None else repr(one_line(found))
    raise IdentityError(
        f"the certificate's {what} is {shown}, not {wanted!r}",
        hint=f"the {what} is compared exactly, to the last slash and letter",
    )


def _checked_issuer(issuer: str | None) -> str:
    if not issuer:
        raise UsageError("no OIDC issuer is named", hint=f"for GitHub's workflows it is {GITHUB_ACTIONS_ISSUER}")
    if "*" in issuer or unprintable(issuer) or issuer != issuer.strip():
        raise UsageError(f"OIDC issuer {one_line(issuer)!r} must be exact: no wildcard, no blanks around it")
    return issuer


def _repository_uri(repository: str, server_url: str) -> str:
    if not _REPOSITORY.fullmatch(repository) or repository.endswith(("/.", "/..")):
        raise UsageError(f"signer repository {one_line(repository)!r} is not of the form owner/repo")
    if not server_url.startswith(("https://", "http://")) or "*" in server_url or unprintable(server_url):
        raise UsageError(f"server {one_line(server_url)!r} is not a URL")
    return f"{server_url.rstrip('/')}/{repository}"


def _ref(tag: str | None, repository: str | None) -> str | None:
    if tag is None:
        return None
    if repository is None:
        raise UsageError("a tag can be required only together with the signer's repository")
    if not tag or "*" in tag or unprintable(tag):
        raise UsageError(f"tag {one_line(tag)!r} must be exact: no wildcard, no control characters")
    return f"refs/tags/{tag}"

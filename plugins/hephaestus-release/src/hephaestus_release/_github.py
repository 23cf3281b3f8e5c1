"""GitHub and GitHub Enterprise Server as an asset source."""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import quote, urlsplit

from hephaestus.errors import UsageError
from hephaestus_release._urls import shown
from hephaestus_release.errors import NetworkError
from hephaestus_release.sources import Asset, Fetch, Release, Request

__all__ = ["GitHubSource"]

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})/(?!\.\.?\Z)[A-Za-z0-9._-]{1,100}\Z")
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})\Z")
_API_HEADERS: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class GitHubSource:
    """Releases of a repository on GitHub."""

    name = "github"
    api_url = "https://api.github.com"
    api_url_variable = "GITHUB_API_URL"
    token_variables = ("GITHUB_TOKEN", "GH_TOKEN")

    def check_repository(self, repository: str) -> None:
        """Accept `owner/repo` only.

        Raises:
            UsageError: anything else.
        """
        if not _REPOSITORY.match(repository):
            raise UsageError(f"not a repository: {repository!r}", hint="give it as owner/repo")

    def repository_uri(self, api_url: str, repository: str) -> str:
        """`https://github.com/owner/repo`, or the same on the Enterprise server's host."""
        if api_url == self.api_url:
            return f"https://github.com/{repository}"
        parts = urlsplit(api_url)
        return f"{parts.scheme}://{parts.netloc}/{repository}"

    def release(self, api_url: str, repository: str, tag: str | None, fetch: Fetch) -> Release:
        """The release with the tag, or the newest one.

        Raises:
            NetworkError: the answer is not a release, or is the release of another tag.
        """
        which = "latest" if tag is None else f"tags/{quote(tag, safe='')}"
        repo_url = f"{api_url}/repos/{quote(repository)}"
        answer = _parsed(fetch(Request(f"{repo_url}/releases/{which}", dict(_API_HEADERS))), api_url)
        resolved, listed = answer.get("tag_name"), answer.get("assets")
        if not isinstance(resolved, str) or not resolved or not isinstance(listed, list):
            raise NetworkError(f"{shown(api_url)}: the answer is not a release: it lacks a tag or a list of assets")
        if tag is not None and resolved != tag:
            raise NetworkError(f"{shown(api_url)}: asked for the release {tag!r}, got {resolved!r}")
        page = answer.get("html_url")
        assets = tuple(_asset(item, repo_url) for item in listed if isinstance(item, dict))
        return Release(repository, resolved, shown(page) if isinstance(page, str) else "", assets)

    def asset_request(self, asset: Asset) -> Request:
        """The asset by its id, which also works for private repositories."""
        return Request(asset.url, {**_API_HEADERS, "Accept": "application/octet-stream"})


def _parsed(raw: bytes, api_url: str) -> dict[str, Any]:
    """The JSON object in the body."""
    try:
        answer = json.loads(raw)
    # A hostile body can nest deeper than the parser's stack.
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise NetworkError(f"{shown(api_url)}: the answer is not a JSON object", hint="check --api-url")
    return answer


def _asset(item: dict[str, Any], repo_url: str) -> Asset:
    """The asset; whatever is wrong with it is noted, since it matters only if this asset is selected."""
    name, size, number, digest = (item.get(key) for key in ("name", "size", "id", "digest"))
    match = _DIGEST.match(digest) if isinstance(digest, str) else None
    problem = None
    if not isinstance(name, str) or not name:
        problem = "it has no name"
    elif type(number) is not int or number < 0:
        problem = "its id is not a number"
    elif type(size) is not int or size < 0:
        problem = "its size is not a number of bytes"
    elif digest is not None and match is None:
        problem = "its digest is malformed"
    elif item.get("state", "uploaded") != "uploaded":
        problem = "its upload is not finished"
    return Asset(
        name=name if isinstance(name, str) else "",
        size=size if type(size) is int else 0,
        # The id, not the URL in the answer: that one could lead the token elsewhere.
        url=f"{repo_url}/releases/assets/{number}" if type(number) is int else "",
        sha256=match[1] if match else None,
        problem=problem,
    )

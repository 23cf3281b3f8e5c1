"""Pauses, addresses, tokens and patterns: the small rules that the transport and the selection stand on."""

from __future__ import annotations

import copy
import pickle
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.errors import UsageError
from hephaestus_release._assets import companion, select
from hephaestus_release._retry import asked_delay, backoff, is_rate_limit, is_transient
from hephaestus_release._token import Token, find_token
from hephaestus_release._urls import check_url, is_loopback, origin_of, shown
from hephaestus_release.errors import AssetError, NetworkError
from hephaestus_release.sources import Asset, Release

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ012345"


# ---- pauses ---------------------------------------------------------------------------------------------------------


def test_the_pause_doubles_with_a_little_jitter_and_has_an_end() -> None:
    for attempt, least in ((1, 0.5), (2, 1.0), (3, 2.0), (100, 30.0)):
        assert least <= backoff(0.5, attempt) <= least * 1.25


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": formatdate(1_700_000_060, usegmt=True), "date": formatdate(1_700_000_000, usegmt=True)}, 60.0),
        ({"retry-after": formatdate(0, usegmt=True)}, 0.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000030",
          "date": formatdate(1_700_000_000, usegmt=True)}, 30.0),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1700000030"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_server_says_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_delay(headers) == seconds


@given(st.text(max_size=40))
def test_nonsense_in_a_header_is_no_pause_or_a_sane_one(text: str) -> None:
    for headers in ({"retry-after": text}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": text}, {"date": text}):
        delay = asked_delay(headers)
        assert delay is None or 0 <= delay < 1e12


def test_a_forbidden_answer_is_a_rate_limit_only_if_it_says_so() -> None:
    assert is_rate_limit(403, {"x-ratelimit-remaining": "0"})
    assert is_rate_limit(403, {"retry-after": "1"})
    assert is_rate_limit(429, {})
    assert not is_transient(403, {"x-ratelimit-remaining": "12"})
    assert not is_transient(404, {"retry-after": "1"})


# ---- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://u:p@host:8443/path?sig=secret#frag", "https://host:8443/path"),
        ("https://[::1]:80/x?y", "https://[::1]:80/x"),
        ("https://host:port/x", "(malformed address)"),
        ("https://[bad/x", "(malformed address)"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, clean: str) -> None:
    assert shown(url) == clean


@given(st.text(st.characters(codec="ascii", exclude_characters="/?#@[]:\\\t\r\n"), min_size=1))
def test_neither_query_nor_user_info_is_ever_shown(secret: str) -> None:
    for url in (f"https://host/path?x=<{secret}>", f"https://<{secret}>@host/path", f"https://host/path#<{secret}>"):
        assert f"<{secret}>" not in shown(url)


def test_origins_are_compared_with_scheme_host_and_port() -> None:
    assert origin_of("https://API.test/x") == origin_of("https://api.test:443/y")
    for other in ("http://api.test", "https://api.test:444", "https://api.test.evil", "https://evil/api.test"):
        assert origin_of(other) != origin_of("https://api.test")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.evil.test", "127.0.0.1.evil.test", "10.0.0.1", "0.0.0.0", "2130706433"])
def test_no_other_machine_passes_for_this_one(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(NetworkError):
        check_url(f"http://{host}/", loopback_http=True)


# ---- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_shows_itself_only_when_asked() -> None:
    token = Token(SECRET, "TEST")
    assert token.reveal() == SECRET
    assert SECRET not in repr(token) + str(token) + f"{token}" + repr([token]) + repr(vars(Token))
    with pytest.raises(TypeError):
        pickle.dumps(token)
    with pytest.raises(TypeError):
        copy.copy(token)


def test_a_token_comes_from_the_file_else_from_the_first_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    monkeypatch.setenv("FIRST", "")
    monkeypatch.setenv("SECOND", "second")
    from_file, from_variable = find_token(tmp_path / "token", ["SECOND"]), find_token(None, ["FIRST", "SECOND"])
    assert from_file is not None
    assert from_variable is not None
    assert (from_file.reveal(), from_variable.reveal(), from_variable.origin) == (SECRET, "second", "SECOND")
    assert find_token(None, ["FIRST"]) is None


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"a\nb", b"\xff\xfe", b"x\0y"])
def test_a_malformed_token_is_refused_without_being_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(UsageError, match="the token in") as caught:
        find_token(tmp_path / "token", [])
    assert "words" not in str(caught.value)


# ---- selection ------------------------------------------------------------------------------------------------------


def release(*names: str) -> Release:
    return Release("octo/widgets", "v1", "", tuple(Asset(name, 1, "") for name in names))


COMPANIONS = ["*.sha256,SHA256SUMS", "*.sigstore.json"]


def test_manifests_and_bundles_are_no_archives() -> None:
    names = ("wheelhouse.tar.gz", "wheelhouse.tar.gz.sha256", "wheelhouse.tar.gz.sigstore.json")
    assert select(release(*names), "*wheelhouse*", companions=COMPANIONS).name == "wheelhouse.tar.gz"
    assert select(release(*names), "wheelhouse.tar.gz.sha256", companions=COMPANIONS).name == names[1]


def test_the_first_pattern_that_matches_decides() -> None:
    assert select(release("b.zip", "a.tar"), "*.whl, *.tar, *.zip", companions=[]).name == "a.tar"


def test_a_file_named_after_an_asset_belongs_to_it_alone() -> None:
    here = release("a.tar", "a.tar.sha256", "b.tar", "b.tar.sha256", "SHA256SUMS", "SHA256SUMS.sigstore.json")
    a, b = here.assets[0], here.assets[2]
    assert companion(here, a, "*.sha256", "") is here.assets[1]
    assert companion(here, b, "*.sha256,SHA256SUMS", "") is here.assets[3]
    assert companion(here, a, "*.sigstore.json", "") is None
    assert companion(release("a.tar", "b.tar", "b.tar.sha256", "SHA256SUMS"), a, "*.sha256,SHA256SUMS", "") is not None


def test_several_manifests_are_an_error_that_lists_them() -> None:
    with pytest.raises(AssetError, match=r"2 files of 'a.tar' match '\*sums': 'onesums', 'twosums'"):
        companion(release("a.tar", "onesums", "twosums"), release("a.tar").assets[0], "*sums", "--manifest-pattern")


def test_no_match_lists_what_there_is() -> None:
    with pytest.raises(AssetError, match=r"matches 'x\*': 'f0', .* and 5 more"):
        select(release(*[f"f{n}" for n in range(15)]), "x*", companions=[])
    with pytest.raises(AssetError, match="it has no assets"):
        select(release(), "*", companions=[])

"""Patterns accept the identities that they name and no others."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.errors import UsageError
from hephaestus_release._identity import GITHUB_ACTIONS_ISSUER, IdentityPolicy, SignerIdentity
from hephaestus_release._pattern import IdentityPattern
from hephaestus_release.errors import IdentityError

HEAD = "https://github.com/octo/"
WORKFLOW = f"{HEAD}widgets/.github/workflows/release.yml"
SIGNER = SignerIdentity(
    f"{WORKFLOW}@refs/tags/v1", GITHUB_ACTIONS_ISSUER, "https://github.com/octo/widgets", "refs/tags/v1"
)


@pytest.mark.parametrize(
    ("pattern", "identity"),
    [
        (f"{WORKFLOW}@refs/tags/v1", f"{WORKFLOW}@refs/tags/v1"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/tags/v1"),
        (f"{WORKFLOW}@refs/tags/v*", f"{WORKFLOW}@refs/tags/v"),
        (f"{WORKFLOW}@**", f"{WORKFLOW}@refs/heads/feature/x"),
        (f"{WORKFLOW}@refs/**", f"{WORKFLOW}@refs/heads/feature/x"),
        (f"{WORKFLOW}@refs/tags/@scope/*@*", f"{WORKFLOW}@refs/tags/@scope/pkg@1.0"),
        (f"{WORKFLOW}@refs/**a*b", f"{WORKFLOW}@refs/xa/ab"),
        (f"{HEAD}*/.github/workflows/*.yml@refs/tags/*", f"{WORKFLOW}@refs/tags/v1"),
        ("*@example.com", "maker@example.com"),
        ("maker@example.com", "maker@example.com"),
        ("somebody", "somebody"),
        ("spiffe://example.com/ns/*", "spiffe://example.com/ns/builder"),
    ],
)
def test_a_pattern_accepts_what_it_names(pattern: str, identity: str) -> None:
    assert IdentityPattern.parse(pattern).matches(identity)


@pytest.mark.parametrize(
    ("pattern", "identity"),
    [
        (WORKFLOW, f"{WORKFLOW}@refs/tags/v1"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/tags/v1/x"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/tags/v1@x"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/tags/"),
        (f"{WORKFLOW}@refs/tags/*", f"x{WORKFLOW}@refs/tags/v1"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/tags/v1\n"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/tags/v1\x00"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/tags/v\u202e1"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/tags/.."),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/heads/main"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW.upper()}@refs/tags/v1"),
        (f"{WORKFLOW}@**", f"{WORKFLOW}@x.yml@refs/heads/main"),
        (f"{WORKFLOW}@**", f"{WORKFLOW}@"),
        (f"{WORKFLOW}@refs/**", f"{WORKFLOW}@refs/../../x"),
        (f"{HEAD}*/r.yml@refs/tags/*", "https://github.com/octo/../r.yml@refs/tags/v1"),
        (f"{HEAD}*/r.yml@refs/tags/*", "https://github.com/octo/a/b/r.yml@refs/tags/v1"),
        (f"{HEAD}widgets*", "https://github.com/octo/widgets/.github/workflows/r.yml"),
        ("https://github.com/octo/widgets", "https://githubXcom/octo/widgets"),
        (f"{HEAD}w[i]dget?", f"{HEAD}widgets"),
        ("*@example.com", "maker@evil@example.com"),
        ("*@example.com", "maker@example.com.evil.test"),
        ("*@example.com", "https://evil/x@example.com"),
        ("*@example.com", "@example.com"),
        ("maker@example.com", "Maker@example.com"),
    ],
)
def test_a_pattern_accepts_nothing_else(pattern: str, identity: str) -> None:
    assert not IdentityPattern.parse(pattern).matches(identity)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "*",
        "**",
        "https://*",
        "https://*/octo/widgets",
        "https://github.com/*/widgets",
        "https://github.com/octo*/widgets",
        "https://github.com/octo*",
        "https://git*.com/octo/widgets",
        "https://octo@github.com/x/*",
        "*://github.com/octo/widgets",
        f"{HEAD}**",
        f"{HEAD}widgets/**@refs/tags/v1",
        f"{WORKFLOW}@refs/***",
        f"{WORKFLOW}@refs/tags/v1\n",
        f" {WORKFLOW}",
        f"{WORKFLOW}@refs/tags/\u202ev1",
        "maker@*",
        "maker@*.com",
        "**@example.com",
        "*@a@example.com",
        "some*",
        "x" * 2049,
    ],
)
def test_a_pattern_that_would_let_strangers_in_is_a_usage_error(pattern: str) -> None:
    with pytest.raises(UsageError) as caught:
        IdentityPattern.parse(pattern)

    assert "\n" not in str(caught.value)
    assert caught.value.hint is not None


TAILS = st.text("a*/@.", max_size=12)


@given(tail=TAILS, rest=st.text("a/@.", max_size=14))
def test_a_pattern_agrees_with_the_regular_expression_that_its_rules_spell(tail: str, rest: str) -> None:
    try:
        pattern = IdentityPattern.parse(HEAD + tail)
    except UsageError:
        path, _, _ = tail.partition("@")
        assert "***" in tail or "**" in path
        return

    expected = re.fullmatch(_expression(HEAD + tail), HEAD + rest) is not None
    if "*" in tail:
        expected = expected and not {".", ".."} & set(re.split("[/@]", rest))
    assert pattern.matches(HEAD + rest) == expected


def _expression(pattern: str) -> str:
    parts = re.split(r"(\*+)", pattern)
    for index in range(1, len(parts), 2):
        alone = parts[index - 1][-1:] in "/@" and parts[index + 1][:1] in "/@"
        parts[index] = ("[^@]" if parts[index] == "**" else "[^/@]") + ("+" if alone else "*")
    return "".join(part if index % 2 else re.escape(part) for index, part in enumerate(parts))


@given(text=st.text(max_size=60), identity=st.text(max_size=60))
def test_any_text_is_a_usage_error_or_a_pattern_that_matches_only_with_its_own_start(text: str, identity: str) -> None:
    try:
        pattern = IdentityPattern.parse(text)
    except UsageError:
        return
    if pattern.matches(identity):
        assert identity.startswith(text.partition("*")[0])
        assert identity == text or "*" in text


@given(text=st.text(max_size=60))
def test_the_error_about_a_pattern_is_one_printable_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        IdentityPattern.parse(f"*{text}\n")

    assert str(caught.value).isprintable()


@given(identity=st.text(min_size=1, max_size=60).filter(lambda text: "*" not in text))
def test_a_pattern_without_wildcards_matches_itself_alone(identity: str) -> None:
    try:
        pattern = IdentityPattern.parse(identity)
    except UsageError:
        return
    assert pattern.matches(identity)
    assert not pattern.matches(identity + "x")
    assert not pattern.matches("x" + identity)


def test_many_wildcards_do_not_make_the_comparison_explode() -> None:
    # With a backtracking engine this takes longer than anybody waits.
    pattern = IdentityPattern.parse(HEAD + "*a" * 200 + "b")

    assert not pattern.matches(HEAD + "a" * 1800)


def test_a_policy_reports_what_it_matched() -> None:
    policy = IdentityPolicy.build(identities=[f"{WORKFLOW}@**"], signer_repository="octo/widgets", tag="v1")

    assert policy.check(SIGNER) == (SIGNER.subject, "https://github.com/octo/widgets")


def test_one_of_several_patterns_is_enough() -> None:
    policy = IdentityPolicy.build(issuer=GITHUB_ACTIONS_ISSUER, identities=["maker@example.com", f"{WORKFLOW}@**"])

    assert policy.check(SIGNER) == (SIGNER.subject,)


def test_a_repository_alone_means_any_of_its_workflows_by_githubs_issuer() -> None:
    policy = IdentityPolicy.build(signer_repository="octo/widgets")

    assert policy.issuer == GITHUB_ACTIONS_ISSUER
    assert policy.check(SIGNER) == ("https://github.com/octo/widgets",)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (IdentityPolicy.build(issuer="https://idp.test", identities=[SIGNER.subject]), "issuer"),
        (IdentityPolicy.build(issuer=f"{GITHUB_ACTIONS_ISSUER}/", identities=[SIGNER.subject]), "issuer"),
        (IdentityPolicy.build(issuer=GITHUB_ACTIONS_ISSUER, identities=["maker@example.com"]), "does not match"),
        (IdentityPolicy.build(signer_repository="octo/widget"), "source repository"),
        (IdentityPolicy.build(signer_repository="Octo/widgets"), "source repository"),
        (IdentityPolicy.build(signer_repository="octo/widgets", tag="v2"), "source ref"),
        (IdentityPolicy(GITHUB_ACTIONS_ISSUER), "names no signer"),
    ],
)
def test_a_wrong_signer_is_refused_with_what_was_found(policy: IdentityPolicy, reason: str) -> None:
    with pytest.raises(IdentityError, match=reason) as caught:
        policy.check(SIGNER)

    assert caught.value.hint is not None


def test_a_certificate_without_a_repository_does_not_pass_for_one() -> None:
    signer = SignerIdentity(SIGNER.subject, SIGNER.issuer)

    with pytest.raises(IdentityError, match="is none"):
        IdentityPolicy.build(signer_repository="octo/widgets").check(signer)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"issuer": GITHUB_ACTIONS_ISSUER},
        {"identities": ["maker@example.com"]},
        {"issuer": "", "identities": ["maker@example.com"]},
        {"issuer": "https://*", "identities": ["maker@example.com"]},
        {"issuer": "https://idp.test\n", "identities": ["maker@example.com"]},
        {"issuer": "https://idp.test", "identities": ["*"]},
        {"signer_repository": "octo"},
        {"signer_repository": "octo/"},
        {"signer_repository": "octo/widgets/x"},
        {"signer_repository": "octo/*"},
        {"signer_repository": "octo/.."},
        {"signer_repository": "octo/widgets\n"},
        {"signer_repository": "octo/widgets", "tag": ""},
        {"signer_repository": "octo/widgets", "tag": "v*"},
        {"signer_repository": "octo/widgets", "server_url": "https://git.example.com"},
        {"signer_repository": "octo/widgets", "server_url": "nowhere", "issuer": "https://idp.test"},
        {"issuer": "https://idp.test", "identities": ["maker@example.com"], "tag": "v1"},
    ],
    ids=repr,
)
def test_a_policy_that_would_require_too_little_is_a_usage_error(parts: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        IdentityPolicy.build(**parts)


def test_a_repository_on_another_server_is_named_with_that_servers_url() -> None:
    policy = IdentityPolicy.build(
        signer_repository="octo/widgets", server_url="https://git.example.com/", issuer="https://git.example.com/oidc"
    )

    assert policy.source_repository == "https://git.example.com/octo/widgets"

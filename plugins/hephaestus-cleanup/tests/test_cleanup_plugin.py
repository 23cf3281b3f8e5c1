"""What the plugin contributes, and what third parties contribute to it: events, rules, protections."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.errors import ConfigError, UsageError
from hephaestus.plugins import hookimpl
from hephaestus.telemetry import emit_event
from hephaestus.testing import PluginConformance, capture_events, hosting
from hephaestus_cleanup import events, plugin
from hephaestus_cleanup._builtin_rules import BUILTIN_RULES
from hephaestus_cleanup._config import CleanupConfig
from hephaestus_cleanup._consent import Consent
from hephaestus_cleanup._dangerous import danger_of
from hephaestus_cleanup._invocation import cleanup_workspace
from hephaestus_cleanup._keep import KeepPattern
from hephaestus_cleanup._mounts import mount_points
from hephaestus_cleanup._options import effective_options
from hephaestus_cleanup._render import displayed, human_size
from hephaestus_cleanup._roots import choose_root
from hephaestus_cleanup._rulebook import RuleBook, merge_rules
from hephaestus_cleanup.errors import CleanupError, RuleError
from hephaestus_cleanup.rules import CATEGORIES, Rule

Fill = Callable[..., None]
Left = Callable[[Path], set[str]]


class TestConformance(PluginConformance):
    """The promises of every plugin."""

    plugin = "cleanup"


# The contract, in the project's own copy: field → type, as listings spell them.
FLAGS = {
    "include_git": "bool",
    "include_poetry_env": "bool",
    "python_cache": "bool",
    "build_artifacts": "bool",
    "node_modules": "bool",
}
COUNTS = {"removed": "int", "skipped": "int", "errors": "int"}
CONTRACT: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "cli.cleanup.start": (
        {**FLAGS, "deep_clean": "bool", "extra_paths": "list", "dry_run": "bool"},
        {"root": "Path", "audit_manifest": "Path"},
    ),
    "cli.cleanup.complete": (COUNTS, {"audit_manifest": "Path"}),
    "cli.cleanup.failed": ({"errors": "int"}, {}),
    "cleanup.run.start": (
        {"search_roots": "list[Path]", **FLAGS, "extra_paths": "list[Path]", "dry_run": "bool"},
        {},
    ),
    "cleanup.run.complete": ({**COUNTS, "dry_run": "bool"}, {"audit_manifest": "Path"}),
    "cleanup.path.skipped": ({"path": "Path", "reason": "str"}, {}),
    "cleanup.path.error": ({"path": "Path", "reason": "str"}, {}),
    "cleanup.path.preview": ({"path": "Path", "dry_run": "bool"}, {}),
    "cleanup.path.removed": ({"path": "Path", "dry_run": "bool"}, {}),
}


def test_the_nine_events_have_the_contracts_fields_in_the_contracts_order() -> None:
    found = {event.name: (list(event.required_fields), list(event.optional_fields)) for event in events.EVENTS}

    assert found == {name: (list(required), list(optional)) for name, (required, optional) in CONTRACT.items()}


@pytest.mark.parametrize("event", events.EVENTS, ids=lambda event: str(event.name))
def test_each_field_takes_its_contracts_type_and_no_other(event: Any) -> None:
    good: dict[str, Any] = {"bool": True, "int": 1, "str": "s", "Path": "/p", "list": ["p"], "list[Path]": ["/p"]}
    required, optional = CONTRACT[event.name]
    payload: dict[str, Any] = {name: good[kind] for name, kind in {**required, **optional}.items()}
    logger = logging.getLogger("hephaestus.cleanup")
    with capture_events() as captured:
        emit_event(logger, event, **payload)
        for name in payload:
            with pytest.raises(ValueError, match=name):
                emit_event(logger, event, **{**payload, name: object()})
    assert captured.names == [event.name]


# ---- rules -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ("*",)},
        {"names": ("*a",)},
        {"names": ("?*",)},
        {"names": ("a/b",)},
        {"names": ("",)},
        {"names": ("..",)},
        {"names": ()},
        {"names": "build"},
        {"names": (".git",)},
        {"names": (".GIT",)},
        {"names": (".g*",)},
        {"names": (".hephaestus*",)},
        {"category": "everything"},
        {"kind": "device"},
        {"kind": "file", "inside": ("x",)},
        {"name": " "},
    ],
)
def test_a_rule_that_cannot_be_right_is_refused_when_it_is_made(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"name": "r", "names": ("build",), "kind": "folder", "category": "build_artifacts"}
    name = {**right, **wrong}.pop("name")

    with pytest.raises(RuleError):
        Rule(name, **{key: value for key, value in {**right, **wrong}.items() if key != "name"})


def test_a_rule_is_frozen_equal_by_value_and_hashable() -> None:
    one, same = (Rule("r", names=("aa",), kind="file", category="litter") for _ in range(2))

    assert one == same
    assert len({one, same}) == 1
    assert one != Rule("r", names=("ab",), kind="file", category="litter")
    with pytest.raises(AttributeError):
        one.kind = "folder"


def test_built_in_rules_have_names_of_their_own_and_cover_every_category() -> None:
    assert len({rule.name for rule in BUILTIN_RULES}) == len(BUILTIN_RULES)
    assert {rule.category for rule in BUILTIN_RULES} == set(CATEGORIES)


@given(st.text("._ab~*c", min_size=1, max_size=8))
def test_the_compiled_rules_match_what_fnmatch_matches(name: str) -> None:
    from fnmatch import fnmatchcase

    patterns = ("abc", "*.ab", "._*", "*b.ac", "a*bc", "*.a.b", "ab~")
    rules = [Rule(each, names=(each,), kind="file", category="litter") for each in patterns]

    found = {rule.name for rule in RuleBook(rules).match(name, is_folder=False)}

    assert found == {each for each in patterns if fnmatchcase(name, each)}


def test_of_two_rules_of_one_name_the_first_counts_and_the_other_is_told() -> None:
    one = Rule("r", names=("aa",), kind="file", category="litter")
    other = Rule("r", names=("bb",), kind="file", category="litter")

    assert merge_rules([one, one]) == ([one], [])
    rules, problems = merge_rules([one, other])
    assert rules == [one]
    assert "defined twice" in problems[0]


# ---- third parties ---------------------------------------------------------------------------------------------


def third_party(**hooks: Callable[..., Any]) -> SimpleNamespace:
    return SimpleNamespace(**{name: hookimpl(specname=name)(function) for name, function in hooks.items()})


def clean(workspace: Path, host: Any) -> Any:
    options = effective_options(CleanupConfig(), {"build_artifacts": True})
    return cleanup_workspace(str(workspace), options, host, consent=Consent(), run_id="run-third")


def test_a_third_partys_rule_is_swept_with_its_category(workspace: Path, fill: Fill, left: Left) -> None:
    fill(workspace, ".zig-cache/x", "keep/y")
    zig = Rule("zig", names=(".zig-cache",), kind="folder", category="build_artifacts")

    with hosting(cleanup=plugin, zig=third_party(hephaestus_cleanup_rules=lambda: [zig])) as host:
        clean(workspace, host)

    assert left(workspace) == {"keep/y"}


def test_a_third_partys_protection_keeps_a_path_with_its_reason(workspace: Path, fill: Fill, left: Left) -> None:
    fill(workspace, "a/.DS_Store", "b/.DS_Store")

    def protects(path: Path, root: Path) -> str | None:
        assert root == workspace
        return "ours" if path.parent.name == "a" else None

    guard = third_party(hephaestus_cleanup_protects=protects)
    with hosting(cleanup=plugin, guard=guard) as host, capture_events() as captured:
        clean(workspace, host)

    captured.assert_emitted(events.CLEANUP_PATH_SKIPPED, path=str(workspace / "a/.DS_Store"), reason="ours")
    assert left(workspace) == {"a/.DS_Store", "b/"}


def test_a_protection_that_raises_protects(workspace: Path, fill: Fill, left: Left) -> None:
    fill(workspace, ".DS_Store")

    def protects(path: Path, root: Path) -> str | None:
        raise SystemExit(3)

    with hosting(cleanup=plugin, guard=third_party(hephaestus_cleanup_protects=protects)) as host:
        outcome = clean(workspace, host)

    assert [each.reason for each in outcome.skipped] == ["a plugin's protection failed"]
    assert left(workspace) == {".DS_Store"}


def test_rules_that_raise_or_are_none_leave_the_others_alone(workspace: Path, fill: Fill, left: Left) -> None:
    fill(workspace, ".DS_Store")

    def raises() -> list[Rule]:
        raise RuntimeError("broken")

    broken, wrong = third_party(hephaestus_cleanup_rules=raises), third_party(hephaestus_cleanup_rules=lambda: ["x"])
    with hosting(cleanup=plugin, broken=broken, wrong=wrong) as host:
        clean(workspace, host)

    assert left(workspace) == set()


def test_an_error_in_one_path_fails_the_command_with_the_count(
    workspace: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace, ".DS_Store")

    def refuse(name: str, *, dir_fd: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "unlink", refuse)
    with (
        hosting(cleanup=plugin) as host,
        capture_events() as captured,
        pytest.raises(CleanupError, match="1 paths could not"),
    ):
        clean(workspace, host)

    captured.assert_emitted(events.CLI_CLEANUP_FAILED, errors=1)


# ---- roots, options, names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/bin",
            "/etc/ssl",
            "/usr",
            "/usr/local",
            "/usr/lib/python3",
            "/var",
            "/var/lib",
            "/home",
            "/home/anybody",
        ),
        *("/Users/anybody", "/proc/1", "/sys", "/dev", "/opt", "/opt/thing", "/srv", "/srv/www", "/mnt/disk", "/tmp"),
        *("/var/tmp", "/var/log/x", "/usr/src", "/dev/shm", "{home}", "{home}/.ssh", "{home}/.config", "/ws/.git"),
        *("/ws/.git/hooks", "/ws/.GIT"),
    ],
)
def test_no_system_home_or_repository_folder_is_ever_a_root(home: Path, path: str) -> None:
    assert danger_of(path.format(home=os.path.realpath(home)))


@pytest.mark.parametrize(
    "path",
    [
        *("/ws", "/tmp/x", "/var/tmp/x", "/usr/src/app", "/usr/local/src/app", "/opt/team/project", "/srv/a/b"),
        *("/home/anybody/project", "{home}/project", "{home}/.dotfiles", "/dev/shm/x", "/workspaces/app"),
    ],
)
def test_workspaces_in_the_usual_places_are_no_danger(home: Path, path: str) -> None:
    assert danger_of(path.format(home=os.path.realpath(home))) is None


def test_every_folder_above_a_home_is_a_danger(home: Path) -> None:
    for parent in Path(os.path.realpath(home)).parents:
        assert danger_of(str(parent)), parent


def test_a_folder_within_a_bare_repository_is_no_root(tmp_path: Path, git: Callable[..., str]) -> None:
    git(tmp_path, "init", "-q", "--bare", "history.git")

    assert "bare git repository" in str(danger_of(str(tmp_path / "history.git")))
    assert "lies in the bare" in str(danger_of(str(tmp_path / "history.git/refs/heads")))
    assert danger_of(str(tmp_path / "other")) is None


def test_an_empty_root_is_an_error_and_never_the_current_folder() -> None:
    with pytest.raises(UsageError, match="empty"):
        choose_root("")


def test_deep_clean_implies_all_but_git_and_an_explicit_no_wins() -> None:
    deep = effective_options(CleanupConfig(), {"deep_clean": True, "node_modules": False})

    assert deep.flags() == {
        "include_git": False,
        "include_poetry_env": True,
        "python_cache": True,
        "build_artifacts": True,
        "node_modules": False,
    }


@given(st.text(st.characters(), max_size=20), st.binary(max_size=8))
def test_a_displayed_path_is_one_printable_line_and_tells_names_apart(text: str, data: bytes) -> None:
    name = text.replace("\0", "") + os.fsdecode(data.replace(b"\0", b""))

    shown = displayed(name)

    assert not any(each in shown for each in "\x1b\n\r\u202e\u2028")
    shown.encode()  # no lone surrogate is left


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (10**16, "10000.0 TB")]
)
def test_sizes_are_shown_in_the_largest_fitting_unit(size: int, text: str) -> None:
    assert human_size(size) == text


def test_mount_points_are_decoded(tmp_path: Path) -> None:
    file = tmp_path / "mountinfo"
    file.write_text("36 35 98:0 / /mnt/with\\040blank\\134slash rw - ext4 /dev/sda rw\n")

    assert mount_points(str(file)) == frozenset({"/mnt/with blank\\slash"})
    assert mount_points(str(tmp_path / "missing")) is None


@pytest.mark.parametrize("text", ["", "/", "!x", "a/../b", "[z-a]", "./a"])
def test_a_keep_pattern_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        KeepPattern(text, "/base")

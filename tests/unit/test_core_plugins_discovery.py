"""Discovery finds the entry points of every distribution on the path, and passes over what it cannot read."""

from __future__ import annotations

import sys
import zipfile
from importlib.metadata import DistributionFinder, PathDistribution, distributions
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.plugins import discover
from hephaestus.plugins._discovery import PluginSource, _entries


def install(folder: Path, metadata: str, entry_points: str) -> Path:
    """Put a distribution's metadata on a path folder."""
    target = folder / metadata
    target.mkdir(parents=True)
    (target / "entry_points.txt").write_text(entry_points)
    return target


def ours(name: str, value: str = "pkg.plugin") -> str:
    return f"[console_scripts]\nx = y:z\n\n[hephaestus.plugins]\n{name} = {value}\n\n[other]\nb = c\n"


def test_a_distribution_is_found_with_name_version_and_value(tmp_path: Path) -> None:
    install(tmp_path, "my_plugin-1.2.dist-info", ours("mine"))
    assert discover([str(tmp_path)]) == [PluginSource("mine", "pkg.plugin", "my-plugin", "1.2")]


@pytest.mark.parametrize(
    ("metadata", "version"),
    [("mine-1.2-py3.11.egg-info", "1.2"), ("mine.egg-info", "unknown"), ("mine-3.egg-info", "3")],
)
def test_egg_metadata_is_found_too(tmp_path: Path, metadata: str, version: str) -> None:
    install(tmp_path, metadata, ours("mine"))
    assert discover([str(tmp_path)]) == [PluginSource("mine", "pkg.plugin", "mine", version)]


def test_an_egg_on_the_path_is_looked_into_unpacked_or_packed(tmp_path: Path) -> None:
    unpacked, packed = tmp_path / "one_egg-1.5-py3.11.egg", tmp_path / "two_egg-2.5-py3.11.egg"
    install(unpacked, "EGG-INFO", ours("one"))
    with zipfile.ZipFile(packed, "w") as bundle:
        bundle.writestr("EGG-INFO/PKG-INFO", "Metadata-Version: 2.1\nName: two-egg\nVersion: 2.5\n")
        bundle.writestr("EGG-INFO/entry_points.txt", ours("two"))
    assert discover([str(packed), str(unpacked)]) == [
        PluginSource("one", "pkg.plugin", "one-egg", "1.5"),
        PluginSource("two", "pkg.plugin", "two-egg", "2.5"),
    ]


def test_an_editable_install_is_found_where_its_metadata_lies(tmp_path: Path) -> None:
    # Of today's kind: metadata in the environment, the code behind a .pth file or a finder.
    install(tmp_path / "site", "modern-1.dist-info", ours("modern"))
    (tmp_path / "site" / "__editable__.modern-1.pth").write_text("import __editable___modern_1_finder\n")
    # Of the old kind: metadata beside the code, which a .pth file puts on the path.
    install(tmp_path / "project" / "src", "legacy.egg-info", ours("legacy"))
    (tmp_path / "site" / "legacy.egg-link").write_text(f"{tmp_path / 'project' / 'src'}\n.\n")
    found = discover([str(tmp_path / "site"), str(tmp_path / "project" / "src")])
    assert [each.distribution for each in found] == ["legacy", "modern"]


def test_what_pip_left_half_removed_is_passed_over(tmp_path: Path) -> None:
    install(tmp_path, "~ine-1.dist-info", ours("mine"))
    install(tmp_path, "mine-2.dist-info", ours("mine"))
    assert discover([str(tmp_path)]) == [PluginSource("mine", "pkg.plugin", "mine", "2")]


def test_entries_of_the_path_that_are_no_text_are_passed_over_as_imports_do(tmp_path: Path) -> None:
    install(tmp_path, "mine-1.dist-info", ours("mine"))
    path: list[Any] = [None, 3, bytes(tmp_path), "no\0name", str(tmp_path)]
    assert [each.name for each in discover(path)] == ["mine"]


def test_it_finds_what_the_standard_library_finds(tmp_path: Path) -> None:
    texts = {
        "Crlf_Kind-1.0": ours("crlf").replace("\n", "\r\n"),
        "comments-2.0rc1": "# first\n[hephaestus.plugins]\n# mine = no\na = pkg:attr.sub\n\nb = pkg.mod [extra,two]\n",
        "spaced-3": "[hephaestus.plugins]\n  a=pkg\nb   =   pkg : attr\n",
        "twice-1!4.0+local.1": "[hephaestus.plugins]\na = one\n[gui_scripts]\nb = two\n[hephaestus.plugins]\nc = b:d\n",
        "other_group-5": "[hephaestus.plugins.more]\na = b\n[console_scripts]\nhephaestus.plugins = b:c\n",
        "empty-6": "",
    }
    for name, text in texts.items():
        metadata = install(tmp_path, f"{name}.dist-info", "")
        (metadata / "entry_points.txt").write_bytes(text.encode())
        project, _, version = name.partition("-")
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
    expected = sorted(
        (entry.name, entry.module + (f":{entry.attr}" if entry.attr else ""), each.name.replace("_", "-"), each.version)
        for each in distributions(path=[str(tmp_path)])
        for entry in each.entry_points.select(group="hephaestus.plugins")
    )
    assert len(expected) == 7
    assert sorted(each[:4] for each in discover([str(tmp_path)])) == expected


def test_an_archive_on_the_path_is_looked_into(tmp_path: Path) -> None:
    archive = tmp_path / "bundle.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("zipped-2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: zipped\nVersion: 2.0\n")
        bundle.writestr("zipped-2.0.dist-info/entry_points.txt", ours("zipped"))
    assert discover([str(archive)]) == [PluginSource("zipped", "pkg.plugin", "zipped", "2.0")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_archive_with_broken_metadata_is_passed_over(tmp_path: Path) -> None:
    archive = tmp_path / "bundle.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("broken-1.dist-info/entry_points.txt", ours("broken"))
    install(tmp_path / "site", "good-1.dist-info", ours("good"))
    assert [each.name for each in discover([str(archive), str(tmp_path / "site")])] == ["good"]


def test_the_first_distribution_of_a_name_on_the_path_counts(tmp_path: Path) -> None:
    install(tmp_path / "one", "My_Plugin-1.dist-info", ours("mine"))
    install(tmp_path / "two", "my_plugin-2.dist-info", ours("mine"))
    assert [each.version for each in discover([str(tmp_path / "one"), str(tmp_path / "two")])] == ["1"]
    assert [each.version for each in discover([str(tmp_path / "two"), str(tmp_path / "one")])] == ["2"]


def test_a_first_distribution_without_plugins_hides_a_later_one_with(tmp_path: Path) -> None:
    install(tmp_path / "one", "mine-2.dist-info", "[console_scripts]\nx = y:z\n")
    install(tmp_path / "two", "mine-1.dist-info", ours("mine"))
    assert discover([str(tmp_path / "one"), str(tmp_path / "two")]) == []


def test_plugins_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("zeta", "alpha", "mid"):
        install(tmp_path, f"{name}-1.dist-info", ours(name))
    assert [each.name for each in discover([str(tmp_path)])] == ["alpha", "mid", "zeta"]


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    install(tmp_path, "good-1.dist-info", ours("good"))
    (tmp_path / "empty-1.dist-info").mkdir()
    (tmp_path / "file-1.dist-info").write_text("a file")
    (tmp_path / "folder-1.dist-info" / "entry_points.txt").mkdir(parents=True)
    (tmp_path / "dangling-1.dist-info").symlink_to(tmp_path / "nowhere")
    (tmp_path / "binary").write_bytes(b"\x00 no archive")
    latin = install(tmp_path, "latin-1.dist-info", "")
    (latin / "entry_points.txt").write_bytes(b"[hephaestus.plugins]\ncaf\xe9 = pkg\n")
    path = [str(tmp_path), str(tmp_path / "no" / "such"), str(tmp_path / "binary")]
    assert sorted(each.distribution for each in discover(path)) == ["good", "latin"]


def test_a_folder_that_is_twice_on_the_path_counts_once(tmp_path: Path) -> None:
    install(tmp_path, "mine-1.dist-info", ours("a") + "[hephaestus.plugins]\nb = pkg:two\n")
    assert [each.name for each in discover([str(tmp_path), str(tmp_path)])] == ["a", "b"]


def test_the_empty_path_entry_is_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "mine-1.dist-info", ours("mine"))
    monkeypatch.chdir(tmp_path)
    assert [each.name for each in discover([""])] == ["mine"]


def test_a_finder_of_another_kind_is_asked_and_one_that_raises_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = install(tmp_path, "found-4.dist-info", ours("found"))
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: found\nVersion: 4\n")

    class Finder:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            return None

        def find_distributions(self, context: DistributionFinder.Context) -> list[PathDistribution]:
            return [PathDistribution(metadata)]

    class Broken(Finder):
        def find_distributions(self, context: DistributionFinder.Context) -> list[PathDistribution]:
            raise RuntimeError("no distributions today")

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Broken(), Finder()])
    assert discover([]) == [PluginSource("found", "pkg.plugin", "found", "4")]


def test_nothing_is_imported_to_find_plugins(tmp_path: Path) -> None:
    install(tmp_path, "mine-1.dist-info", ours("mine", "no_such_module_anywhere"))
    assert [each.value for each in discover([str(tmp_path)])] == ["no_such_module_anywhere"]


def test_comments_extras_and_spaces_are_read_as_the_format_says() -> None:
    text = "[hephaestus.plugins]\n# note\n; note\n  a  =  pkg.mod:attr [extra]\nno equals sign\n[x]\nb = c\n"
    assert list(_entries(text)) == [("a", "pkg.mod:attr")]


@given(st.text(st.sampled_from("[]hephaestus.plugins=ab #;\n\r\t\x00")))
def test_no_text_of_entry_points_raises(text: str) -> None:
    for name, value in _entries(text + "\n[hephaestus.plugins]\n" + text):
        assert name == name.strip()
        assert "[" not in value

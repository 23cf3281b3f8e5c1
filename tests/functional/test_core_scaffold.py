"""`hephaestus plugins new` writes a plugin that installs and passes its own tests, or nothing at all."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hephaestus.cli._scaffold import plugin_name, write_plugin
from hephaestus.errors import UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]


def project_of(hephaestus: Run, name: str, folder: Path) -> Path:
    done = hephaestus("plugins", "new", name, "--folder", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Todo"], "'Todo' can be no plugin's name"),
        (["to_do"], "can be no plugin's name"),
        (["to--do"], "can be no plugin's name"),
        (["1st"], "can be no plugin's name"),
        (["../todo"], "can be no plugin's name"),
        (["hephaestus-"], "can be no plugin's name"),
        (["events"], "a plugin or a command 'events' already"),
        (["cleanup"], "a plugin or a command 'cleanup' already"),
        (["toolkit"], "a plugin or a command 'toolkit' already"),
        (["todo", "--folder", "taken"], "taken exists already"),
        (["todo", "--folder", "no/such/folder"], "cannot make no/such/folder: No such file or directory"),
        (["todo", "--folder", "taken/todo"], "cannot make taken/todo: Not a directory"),
    ],
    ids=str,
)
def test_what_cannot_be_a_plugin_is_refused_and_nothing_is_written(
    hephaestus: Run, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "taken").write_text("kept")
    done = hephaestus("plugins", "new", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "\nhint: " in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cwd", "taken"]
    assert (tmp_path / "taken").read_text() == "kept"


def test_a_write_that_fails_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text, written = Path.write_text, []

    def failing(path: Path, *args: Any, **more: Any) -> int:
        written.append(path)
        if len(written) == 4:
            raise OSError(28, "No space left on device", str(path))
        return write_text(path, *args, **more)

    monkeypatch.setattr(Path, "write_text", failing)
    with pytest.raises(OSError, match="No space left"):
        write_plugin("todo", tmp_path / "todo")
    assert list(tmp_path.iterdir()) == []


def test_it_says_what_it_wrote_and_what_comes_next(hephaestus: Run, tmp_path: Path) -> None:
    done = hephaestus("plugins", "new", "hephaestus-to-do", cwd=tmp_path)
    listed, _, following = done.stdout.partition("\n\nNext:\n")
    project = tmp_path / "hephaestus-to-do"
    assert sorted(listed.splitlines()) == sorted(
        str(path.relative_to(tmp_path)) for path in project.rglob("*") if path.is_file()
    )
    assert following.splitlines()[0] == "  cd hephaestus-to-do"
    assert tomllib.loads((project / "pyproject.toml").read_text())["project"]["name"] == "hephaestus-to-do"


def test_a_folder_whose_name_is_no_text_is_shown_escaped(hephaestus: Run, tmp_path: Path) -> None:
    folder = os.fsdecode(b"caf\xe9")
    done = hephaestus("plugins", "new", "todo", "--folder", folder, cwd=tmp_path, env={"PYTHONIOENCODING": "utf-8"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("caf\\udce9/.gitignore\n")
    assert (tmp_path / folder / "pyproject.toml").exists()


def test_the_list_of_plugins_has_options_that_a_new_one_has_not(hephaestus: Run, tmp_path: Path) -> None:
    done = hephaestus("plugins", "--json", "new", "todo", cwd=tmp_path)
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["cwd"]


words = st.from_regex(re.compile(r"[a-z][a-z0-9]{0,7}(-[a-z0-9]{1,5}){0,2}", re.ASCII), fullmatch=True)


@settings(max_examples=40)
@given(name=words)
def test_any_name_gives_modules_that_parse_and_agree_with_each_other(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    if name == "toolkit":
        return
    folder, files = write_plugin(plugin_name(name, ()), tmp_path_factory.mktemp("any") / "new")
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert plugin_name(project["name"], ()) == name
    ((plugin, module),) = project["entry-points"]["hephaestus.plugins"].items()
    assert plugin == name
    assert f"src/{module.replace('.', '/')}.py" in files
    for file in files:
        text = (folder / file).read_text()
        assert "$package" not in text
        assert "${" not in text
        if file.endswith(".py"):
            ast.parse(text)


@given(st.text(max_size=12))
def test_what_is_no_such_name_is_refused_before_anything_is_written(text: str) -> None:
    try:
        name = plugin_name(text, {"taken"})
    except UsageError:
        return
    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert name not in ("taken", "toolkit")


@pytest.mark.slow
def test_the_plugin_passes_the_checks_of_the_tools_that_it_configures(hephaestus: Run, tmp_path: Path) -> None:
    project = project_of(hephaestus, "to-do", tmp_path / "to-do")
    for tool in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy", "--no-incremental"]):
        command = [sys.executable, "-m", *tool, "."]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_plugin_is_installed_runs_and_passes_its_own_tests(
    hephaestus: Run, environment: Any, core_wheel: Path, build_wheel: Callable[[Path, Path], Path], tmp_path: Path
) -> None:
    project = project_of(hephaestus, "to-do", tmp_path / "to-do")
    environment.see("pytest", "iniconfig", "packaging")
    environment.install(core_wheel, build_wheel(project, tmp_path / "wheels"))

    tests = environment.python_run("-m", "pytest", "--quiet", "-p", "no:cacheprovider", cwd=project)
    assert tests.returncode == 0, tests.stdout
    assert re.search(r"^8 passed", tests.stdout, re.MULTILINE)

    ran = environment.run("--log-format", "json", "to-do", "README.md", cwd=project)
    assert ran.stdout == f"{(project / 'README.md').stat().st_size} README.md\n"
    (line,) = ran.stderr.splitlines()
    assert json.loads(line)["event"] == "to-do.file.measured"
    listed = environment.run("plugins", cwd=project)
    assert listed.stdout.startswith("to-do  ok  hephaestus-to-do 0.1.0\n")

"""What the pages tell a reader to do works, and what is generated says what the code says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import venv
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TUTORIAL = ROOT / "docs" / "tutorials" / "your-first-plugin.md"
OPERATING = ROOT / "docs" / "how-to" / "operating-safely.md"

FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
# The file that a block is to be pasted into stands in backquotes at the end of the paragraph before it.
TITLE = re.compile(r"`(?P<file>[\w./-]+\.(?:py|toml))`(?P<more>, which continues)?:\n\n\Z")
TAKEN_FROM_HERE = ["--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet"]


class Block(NamedTuple):
    """A fenced block of a page; `file` is empty where the page names none, `more` when it is to be appended."""

    language: str
    text: str
    file: str
    more: bool


class Command(NamedTuple):
    """A line typed at the `$` prompt, and the output that the page promises."""

    line: str
    output: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        title = TITLE.search(text, 0, fence.start())
        file, more = (title["file"], bool(title["more"])) if title else ("", False)
        found.append(Block(fence["language"], fence["text"], file, more))
    return found


def commands(block: Block) -> list[Command]:
    parts = re.split(r"^\$ (.+)\n", block.text, flags=re.MULTILINE)[1:]
    return [Command(line, output) for line, output in zip(parts[::2], parts[1::2], strict=True)]


def promised(output: str) -> re.Pattern[str]:
    """What a page shows as output, anywhere in the real one; an ellipsis stands for any text."""
    return re.compile(".*?".join(map(re.escape, output.split("…"))), re.DOTALL)


class Reader:
    """Somebody who pastes a page's blocks into an empty folder, with a fresh environment that has the toolkit.

    The environment sees what is installed beside the tests, and pip takes the build backend from there: no network.
    """

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.variables = variables
        self.folder = folder / "work"
        self.folder.mkdir()
        environment = folder / "environment"
        venv.create(environment, with_pip=False)
        paths = sysconfig.get_paths("venv", {"base": str(environment), "platbase": str(environment)})
        # addsitedir, and not a plain path, because what is installed editable has .pth files of its own.
        line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        Path(paths["purelib"], "_beside.pth").write_text(line, encoding="utf-8")
        self.python = str(Path(paths["scripts"], "python"))

    def follow(self, page: Path) -> int:
        """Do what the page says, and return how many commands that took."""
        typed = 0
        for block in blocks(page):
            if block.file:
                self.paste(block)
            for command in commands(block):
                typed += 1
                self.type(command)
        return typed

    def paste(self, block: Block) -> None:
        file = self.folder / block.file
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a" if block.more else "w", encoding="utf-8") as stream:
            stream.write(block.text)

    def type(self, command: Command) -> None:
        ran = subprocess.run(
            self.argv(command.line),
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert promised(command.output).search(ran.stdout), (
            f"$ {command.line}\n{ran.stdout}\n-- promised:\n{command.output}"
        )
        assert (ran.returncode != 0) == ("error:" in command.output), ran.stdout

    def argv(self, line: str) -> list[str]:
        program, *arguments = shlex.split(line)
        if program == "python":
            return [self.python, *arguments]
        if program == "pip":
            arguments += TAKEN_FROM_HERE
        return [self.python, "-m", program, *arguments]


@pytest.fixture
def reader(tmp_path: Path, unmeasured_environment: dict[str, str]) -> Reader:
    # The tutorial's own tests ask what loading a plugin imports.
    return Reader(tmp_path, unmeasured_environment)


@pytest.fixture(scope="module")
def generator() -> Any:
    spec = spec_from_file_location("generate_docs", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_readmes_plugin_works_when_pasted(reader: Reader) -> None:
    assert reader.follow(README) == 3


def test_the_readmes_plugin_has_at_most_20_lines() -> None:
    [module] = [block for block in blocks(README) if block.file.endswith(".py")]

    assert len([line for line in module.text.splitlines() if line.strip()]) <= 20


@pytest.mark.slow
def test_the_tutorial_works_from_top_to_bottom(reader: Reader) -> None:
    assert reader.follow(TUTORIAL) == 7


def test_a_page_that_promises_another_output_is_found_out(reader: Reader) -> None:
    with pytest.raises(AssertionError, match="promised"):
        reader.type(Command("python -c 'print(1)'", "2\n"))


@pytest.mark.slow
def test_the_python_of_operating_safely_runs_in_the_order_of_the_page(tmp_path: Path) -> None:
    samples = [block.text for block in blocks(OPERATING) if block.language == "python"]

    assert len(samples) == 2
    for sample in samples:
        ran = subprocess.run(
            [sys.executable, "-c", sample], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.returncode == 0, ran.stderr


def test_generated_files_say_what_the_code_says() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert checked.returncode == 0, checked.stderr


def test_a_stale_file_is_named_with_the_mend_and_written_anew(
    generator: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generator.main([], tmp_path) == 0
    page = tmp_path / "docs" / "reference" / "cli.md"
    fresh = page.read_text(encoding="utf-8")
    page.write_text(fresh + "An old paragraph.\n", encoding="utf-8")
    capsys.readouterr()

    assert generator.main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "docs/reference/cli.md is stale; run: python docs/generate.py"
    assert generator.main([], tmp_path) == 0
    assert page.read_text(encoding="utf-8") == fresh
    assert generator.main(["--check"], tmp_path) == 0


def test_generated_files_do_not_depend_on_the_terminal(generator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = generator.render()
    for name, value in {"COLUMNS": "40", "TERM": "dumb", "FORCE_COLOR": "1", "HEPHAESTUS_LOG_FORMAT": "json"}.items():
        monkeypatch.setitem(os.environ, name, value)

    assert generator.render() == wide


def test_the_stub_has_every_constant_that_the_facade_resolves(generator: Any) -> None:
    from hephaestus import telemetry

    names = re.findall(
        r"^([A-Z_0-9]+): TelemetryEvent$", generator.render()["src/hephaestus/_constants.pyi"], re.MULTILINE
    )

    assert names == sorted(names)
    assert [name for name in names if getattr(telemetry, name).constant != name] == []

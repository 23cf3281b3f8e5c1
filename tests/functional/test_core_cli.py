"""Promises of the command line itself, kept by the real program in a subprocess."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_version_names_program_and_version(hephaestus: Run) -> None:
    done = hephaestus("--version")
    assert (done.returncode, done.stdout) == (0, f"hephaestus {version('hephaestus-toolkit')}\n")


def test_help_has_examples_and_lists_commands_of_core_and_plugins(hephaestus: Run) -> None:
    done = hephaestus("--help")
    assert done.returncode == 0
    assert "Examples:" in done.stdout
    for command in ("cleanup", "events", "plugins"):
        assert f"\n  {command} " in done.stdout


def test_without_a_command_it_shows_help_and_exits_as_usage(hephaestus: Run) -> None:
    done = hephaestus()
    assert done.returncode == 2
    assert "Usage: hephaestus" in done.stdout


def test_list_events_groups_events_by_plugin_with_fields_types_and_description(hephaestus: Run) -> None:
    done = hephaestus("--list-events")
    assert done.returncode == 0
    block = done.stdout.split("  cleanup.run.complete\n")[1].split("\n  cleanup.", 1)[0]
    assert "required  removed: int, skipped: int, errors: int, dry_run: bool" in block
    assert "optional  audit_manifest: Path" in block
    assert "cleanup (hephaestus-cleanup " in done.stdout


def test_listings_of_a_disabled_plugin_are_empty_and_it_is_never_imported(hephaestus: Run) -> None:
    done = hephaestus("--disable-plugin", "cleanup", "events", "list", "--format", "json")
    assert done.returncode == 0
    assert "cleanup" not in {entry["plugin"] for entry in json.loads(done.stdout)}
    by_variable = hephaestus("cleanup", env={"HEPHAESTUS_DISABLED_PLUGINS": "cleanup"})
    assert by_variable.returncode == 2
    assert "Its plugin is disabled" in by_variable.stderr


def test_help_heeds_a_plugin_that_is_disabled_before_it(hephaestus: Run) -> None:
    done = hephaestus("--disable-plugin", "cleanup", "--help")
    assert done.returncode == 0
    assert "\n  events " in done.stdout
    assert "\n  cleanup " not in done.stdout


def test_disabling_an_unknown_plugin_warns_and_goes_on(hephaestus: Run) -> None:
    done = hephaestus("--disable-plugin", "clenup", "plugins")
    assert done.returncode == 0
    assert "no such plugin" in done.stderr
    assert "clenup" in done.stderr


@pytest.mark.parametrize("output", ["table", "json", "markdown", "jsonschema"])
def test_events_are_listed_in_every_format_for_one_plugin(output: str, hephaestus: Run) -> None:
    done = hephaestus("events", "list", "--format", output, "--plugin", "cleanup")
    assert done.returncode == 0
    assert "cleanup.path.removed" in done.stdout
    assert done.stderr == ""


def test_the_json_schema_accepts_what_the_json_log_writes_and_refuses_a_wrong_payload(
    hephaestus: Run, tmp_path: Path
) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(
        json.loads(hephaestus("events", "list", "--format", "jsonschema").stdout)
    )
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / ".DS_Store").touch()
    log = tmp_path / "log.jsonl"
    assert hephaestus("--log-file", str(log), "cleanup", "--dry-run", str(tmp_path / "tree")).returncode == 0
    lines = [json.loads(line) for line in log.read_text().split("\n") if line]
    assert len(lines) >= 5
    for line in lines:
        validator.validate(line)
    broken = {**lines[0], "payload": {**lines[0]["payload"], "dry_run": "yes"}}
    assert not validator.is_valid(broken)


def test_events_show_finds_an_event_by_name_and_by_constant(hephaestus: Run) -> None:
    by_name = hephaestus("events", "show", "cleanup.path.removed")
    by_constant = hephaestus("events", "show", "CLEANUP_PATH_REMOVED")
    assert by_name.returncode == 0
    assert by_name.stdout == by_constant.stdout
    assert json.loads(hephaestus("events", "show", "cleanup.path.removed", "--json").stdout)["required"] == [
        "path",
        "dry_run",
    ]


def test_events_show_of_a_near_miss_suggests_the_right_name_and_exits_as_usage(hephaestus: Run) -> None:
    done = hephaestus("events", "show", "cleanup.path.remove")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "did you mean 'cleanup.path.removed'?" in done.stderr


def test_events_check_accepts_the_present_and_names_each_breaking_change(hephaestus: Run, tmp_path: Path) -> None:
    baseline = tmp_path / "events.json"
    entries = json.loads(hephaestus("events", "list", "--format", "json").stdout)
    baseline.write_text(json.dumps(entries))
    assert hephaestus("events", "check", str(baseline)).returncode == 0
    entries[0]["required"]["gone"] = "int"
    entries.append({"name": "old.event", "required": {}, "optional": {}})
    baseline.write_text(json.dumps(entries))
    done = hephaestus("events", "check", str(baseline))
    assert done.returncode == 1
    assert done.stdout.splitlines() == [f"{entries[0]['name']}: field gone removed", "old.event: event removed"]
    baseline.write_text("{")
    assert hephaestus("events", "check", str(baseline)).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--log-format", "xml", "plugins"], "'text', 'json'"),
        (["--log-level", "loud", "plugins"], "'debug'"),
        (["--log-file", "no/such/folder/log", "plugins"], "existing, writable folder"),
        (["--run-id", "two\nlines", "plugins"], "ASCII letters"),
        (["evnts"], "Did you mean 'events'?"),
        (["--no-such-option"], "No such option"),
        (["events", "list", "--plugin", "nobody"], "hephaestus plugins"),
    ],
)
def test_a_wrong_value_gets_one_line_and_a_hint_and_never_a_traceback(
    arguments: list[str], hint: str, hephaestus: Run
) -> None:
    done = hephaestus(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert hint in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1


def test_debug_shows_the_traceback(hephaestus: Run) -> None:
    done = hephaestus("--debug", "events", "show", "no.such")
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_the_run_id_comes_from_the_option_then_the_environment_then_the_trace(hephaestus: Run, tmp_path: Path) -> None:
    def run_ids(*arguments: str, **env: str) -> set[str]:
        log = tmp_path / "log.jsonl"
        log.unlink(missing_ok=True)
        done = hephaestus(*arguments, "--log-file", str(log), "cleanup", "--dry-run", str(tmp_path / "tree"), env=env)
        assert done.returncode == 0, done.stderr
        return {json.loads(line)["run_id"] for line in log.read_text().split("\n") if line}

    (tmp_path / "tree").mkdir()
    trace = "0af7651916cd43dd8448eb211c80319c"
    traced = {"TRACEPARENT": f"00-{trace}-b7ad6b7169203331-01"}
    assert run_ids("--run-id", "build-7", HEPHAESTUS_RUN_ID="parent") == {"build-7"}
    assert run_ids(HEPHAESTUS_RUN_ID="parent", **traced) == {"parent"}
    assert run_ids(**traced) == {f"run-{trace}"}
    (fresh,) = run_ids()
    assert fresh.startswith("run-")


def test_configuration_of_the_workspace_holds_and_options_win(hephaestus: Run, tmp_path: Path) -> None:
    (tmp_path / "hephaestus.toml").write_text('log-format = "json"\n')
    (tmp_path / "tree").mkdir()
    arguments = ("cleanup", "--dry-run", "tree")
    assert json.loads(hephaestus(*arguments, cwd=tmp_path).stderr.splitlines()[0])["event"] == "cli.cleanup.start"
    assert hephaestus("--log-format", "text", *arguments, cwd=tmp_path).stderr.startswith("INFO hephaestus.cleanup: ")


def test_a_misspelt_key_names_file_key_and_the_nearest_and_listings_still_work(hephaestus: Run, tmp_path: Path) -> None:
    file = tmp_path / "hephaestus.toml"
    file.write_text('log-fromat = "json"\n')
    done = hephaestus("cleanup", "--dry-run", cwd=tmp_path)
    assert done.returncode == 2
    for part in (str(file), "'log-fromat'", "'log-format'"):
        assert part in done.stderr
    for arguments in (["--help"], ["--list-events"]):
        assert hephaestus(*arguments, cwd=tmp_path).returncode == 0


def test_in_a_folder_that_is_gone_help_and_listings_work_and_a_command_says_so(tmp_path: Path) -> None:
    program = "import os, sys; os.rmdir(os.getcwd()); from hephaestus.cli import main; main()"
    for number, (argument, code) in enumerate({"--help": 0, "--list-events": 0, "plugins": 2}.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-c", program, argument]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stderr
        assert ("the working directory does not exist" in done.stderr) == (code != 0)


def test_a_reader_that_goes_away_ends_the_program_quietly(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "hephaestus", "--list-events"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


COMMAND_THAT_WAITS = """
import click, sys, time
from hephaestus.cli import main
from hephaestus.cli._root import root

@root.command("wait")
@click.option("--hang", is_flag=True)
def wait(hang):
    print("waiting", flush=True)
    try:
        time.sleep(60)
    finally:
        print("tidied", flush=True)
        if hang:
            time.sleep(60)

from hephaestus.cli import _group
_get = _group.RootGroup.get_command
_group.RootGroup.get_command = lambda self, ctx, name: wait if name == "wait" else _get(self, ctx, name)
sys.argv[1:1] = ["wait"]
main()
"""


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=lambda value: str(value),
)
def test_a_signal_lets_the_command_tidy_up_and_gives_its_exit_code(number: signal.Signals, code: int) -> None:
    process = _waiting()
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (code, "tidied\n")
    assert "Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_ends_a_command_whose_way_out_hangs(number: signal.Signals) -> None:
    process = _waiting("--hang")
    assert process.stdout is not None
    process.send_signal(number)
    assert process.stdout.readline() == "tidied\n"
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == -number


def _waiting(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMAND_THAT_WAITS, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.05)
    return process

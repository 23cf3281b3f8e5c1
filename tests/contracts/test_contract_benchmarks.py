"""The benchmarks can be listed and loaded without their peers, and say what they measured."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in ROOT.glob("benchmarks/[a-z]*.py"))


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Import a module of the folder, which is installed nowhere."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: import_module(f"benchmarks.{name}")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", NAMES)
def test_each_benchmark_loads_without_its_peers_and_takes_its_quick_options(
    name: str, part: Callable[[str], Any]
) -> None:
    module = part(name)
    assert module.__doc__
    assert all(isinstance(option, str) for option in module.QUICK)
    if hasattr(module, "measure"):
        parser = argparse.ArgumentParser()
        module.add_options(parser)
        parser.parse_args(module.QUICK)


def test_help_lists_all_and_an_unknown_name_is_a_wrong_usage() -> None:
    shown = bench("--help")
    assert shown.returncode == 0
    for name in NAMES:
        assert name in shown.stdout
    refused = bench("--quick", "no_such")
    assert refused.returncode == 2
    assert "no benchmark is called 'no_such'" in refused.stderr


def test_contenders_take_turns_and_a_first_round_does_not_count(part: Callable[[str], Any]) -> None:
    measure = part("_measure")
    order: list[str] = []

    def contender(name: str) -> Any:
        def run() -> float:
            order.append(name)
            return {"a": 2.0, "b": 1.0, "c": 4.0}[name] + len(order)

        return measure.Contender(name, run)

    found = measure.compare("abc", [contender(name) for name in "abc"], rounds=3, bases=["b"])
    assert "".join(order) == "abc" + "abc" + "bca" + "cab"
    assert {name: len(samples) for name, samples in found.samples.items()} == {"a": 3, "b": 3, "c": 3}
    assert found.minimum("b") == 1.0 + 5
    assert found.median("b") == 1.0 + 7
    assert found.ratio("a", "b") == (2 + 4) / (1 + 5)


def test_one_that_cannot_be_measured_is_a_note_and_no_base_and_no_target(part: Callable[[str], Any]) -> None:
    measure = part("_measure")

    def missing() -> float:
        raise measure.LeftOut("it is not installed")

    contenders = [measure.Contender("ours", lambda: 1.0), measure.Contender("peer", missing)]
    targets = [measure.Target("ours", "peer", 1.0), measure.Target("ours", "ours", 1.0)]
    found = measure.compare("t", contenders, rounds=2, bases=["peer", "ours"], targets=targets)
    assert found.notes == ["left out: peer: it is not installed"]
    assert (list(found.samples), found.bases, found.targets) == (["ours"], ["ours"], targets[1:])


def test_the_report_holds_ratios_verdicts_and_notes(part: Callable[[str], Any], tmp_path: Path) -> None:
    measure, report = part("_measure"), part("_report")
    samples = {"base": [0.002, 0.004, 0.003], "ours": [0.003, 0.005, 0.009]}
    targets = [measure.Target("ours", "base", 1.5), measure.Target("ours", "base", 1.4)]
    found = measure.Comparison("start", samples, ["base"], targets, ["left out: peer: gone"])
    text = report.table(found)
    assert "start (3 rounds)" in text
    assert "ours   3.0 ms  5.0 ms    1.50" in text
    assert "met: ours is 1.50 × base; at most 1.5 wanted" in text
    assert "MISSED: ours is 1.50 × base; at most 1.4 wanted" in text
    assert text.endswith("left out: peer: gone\n")
    file = report.write([report.Result("start_up", found)], tmp_path / "out.json")
    (written,) = json.loads(file.read_text())["comparisons"]
    assert written["contenders"][1]["ratios"] == {"base": 1.5}
    assert written["contenders"][1]["samples"] == samples["ours"]
    assert [target["met"] for target in written["targets"]] == [True, False]


def test_a_command_that_fails_is_no_result_and_one_that_is_missing_is_left_out(part: Callable[[str], Any]) -> None:
    command, left_out = part("_commands").command, part("_measure").LeftOut
    assert command("fine", [sys.executable, "-c", "pass"]).measure() > 0
    broken = "import sys; print('no luck', file=sys.stderr); sys.exit(3)"
    with pytest.raises(RuntimeError, match="broken exited 3: no luck"):
        command("broken", [sys.executable, "-c", broken]).measure()
    with pytest.raises(left_out, match="no-such-program is not installed"):
        command("gone", ["no-such-program"]).measure()


def test_calls_are_measured_here_and_in_processes_of_their_own(
    part: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, left_out = part("_calls"), part("_measure").LeftOut
    monkeypatch.setattr(calls, "BLOCK", 0.001)
    (tmp_path / "sample_calls.py").write_text(
        "import os\n"
        "from benchmarks._calls import Call\n"
        "def good(text):\n"
        "    print('noise')\n"
        "    return Call('int(text)', {'text': text})\n"
        "def absent():\n"
        "    import no_such_library\n"
        "def broken():\n"
        "    return Call('1 / 0', {})\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert calls.here("here", calls.Call("len(x)", {"x": "abc"})).measure() > 0
    with calls.Processes() as processes:
        good = processes.call("good", "sample_calls:good", "12")
        assert good.measure() > 0
        assert good.measure() > 0
        with pytest.raises(left_out, match="no_such_library is not installed"):
            processes.call("absent", "sample_calls:absent").measure()
        with pytest.raises(RuntimeError, match="broken"):
            processes.call("broken", "sample_calls:broken").measure()

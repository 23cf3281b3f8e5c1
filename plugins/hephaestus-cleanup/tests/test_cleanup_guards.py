"""The list of guards to break is kept up to date: each is found where it is said to be, and has tests."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parent / "mutation" / "check_guards.py"


@pytest.fixture(scope="module")
def check_guards() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_guards", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_each_guard_is_found_once_and_stays_python_when_it_is_broken(check_guards: ModuleType) -> None:
    names = [each.name for each in check_guards.MUTATIONS]

    assert len(set(names)) == len(names)
    for mutation in check_guards.MUTATIONS:
        source = check_guards.PLUGIN / "src" / check_guards.PACKAGE / mutation.module
        broken = check_guards.mutated(mutation, source.read_text())
        ast.parse(broken, mutation.name)
        assert broken != source.read_text()


def test_each_guard_has_tests(check_guards: ModuleType) -> None:
    for mutation in check_guards.MUTATIONS:
        tests = (Path(__file__).parent / f"test_cleanup_{mutation.tests}.py").read_text()
        words = mutation.only.split(" or ")
        assert any(f"{word}" in line for line in tests.splitlines() if "def test_" in line for word in words), mutation

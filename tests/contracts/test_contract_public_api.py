"""The names that users import, where the contract and the documentation say they are."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from enum import Enum

import pytest

from hephaestus import telemetry
from hephaestus.errors import HephaestusError

PUBLIC = [
    "config",
    "context",
    "emit",
    "errors",
    "event",
    "logging",
    "plugins",
    "plugins.hookspecs",
    "registry",
    "telemetry",
]


@pytest.mark.parametrize(
    "name",
    [
        "TelemetryEvent",
        "TelemetryRegistry",
        "bind_context",
        "child_environment",
        "emit_event",
        "generate_operation_id",
        "generate_run_id",
        "operation_context",
        "registry",
    ],
)
def test_the_event_system_is_importable_from_telemetry(name: str) -> None:
    assert name in telemetry.__all__
    assert hasattr(telemetry, name)


def test_configure_logging_is_importable_from_logging() -> None:
    from hephaestus.logging import configure_logging

    assert callable(configure_logging)


@pytest.mark.parametrize("name", ["Command", "ConfigTable", "current_host", "hookimpl", "hookspec", "implements"])
def test_a_plugin_author_finds_everything_in_plugins(name: str) -> None:
    assert name in importlib.import_module("hephaestus.plugins").__all__


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_exists_and_has_a_docstring(module: str) -> None:
    loaded = importlib.import_module(f"hephaestus.{module}")
    assert loaded.__doc__
    assert len(set(loaded.__all__)) == len(loaded.__all__)
    for name in loaded.__all__:
        value = getattr(loaded, name)
        if inspect.isfunction(value) or (inspect.isclass(value) and not issubclass(value, Enum)):
            assert inspect.getdoc(value), name


def test_every_public_method_has_a_docstring() -> None:
    for module in PUBLIC:
        loaded = importlib.import_module(f"hephaestus.{module}")
        for name in loaded.__all__:
            value = getattr(loaded, name)
            if not inspect.isclass(value) or not value.__module__.startswith("hephaestus"):
                continue
            for method, function in vars(value).items():
                if inspect.isfunction(function) and not method.startswith("_") and not issubclass(value, tuple):
                    assert inspect.getdoc(function), f"{name}.{method}"


def test_every_error_is_ours_and_has_an_exit_code() -> None:
    errors = importlib.import_module("hephaestus.errors")
    for name in errors.__all__:
        kind = getattr(errors, name)
        if name == "Interrupted":
            assert not issubclass(kind, Exception)
        else:
            assert issubclass(kind, HephaestusError)
            assert kind.exit_code in (1, 2)
            assert str(kind("what is wrong", hint="mend it")) == "what is wrong"


@pytest.mark.parametrize(
    "module", ["hephaestus.telemetry", "hephaestus.plugins", "hephaestus.logging", "hephaestus.config"]
)
def test_importing_the_library_imports_nothing_heavy(module: str) -> None:
    heavy = ["attrs", "cattrs", "click", "rich", "httpx", "sigstore", "tomllib", "subprocess", "importlib.metadata"]
    program = f"import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"
    completed = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {program}"],
                               capture_output=True, text=True, check=True)  # fmt: skip
    assert completed.stdout.split() == []


def test_the_contracts_constants_are_the_plugins_own_objects() -> None:
    for constant in (name for name in dir(telemetry) if name.isupper()):
        event = getattr(telemetry, constant)
        assert telemetry.registry.get(event.name) is event
        assert event.constant == constant

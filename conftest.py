"""What every test in the repository stands on: nothing of the developer's machine leaks in, nothing leaks out."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Shared machines are slow at random, so neither a slow example nor a slow generator may fail a test.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile("ci" if "CI" in os.environ else "default")

# Variables that change what the product, or a tool that it drives, does.
_FOREIGN_PREFIXES = ("GITHUB_", "GIT_", "HEPHAESTUS_", "PIP_", "UV_", "XDG_")
_FOREIGN_NAMES = ("CI", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "TRACEPARENT", "TRACESTATE", "VIRTUAL_ENV")
_OWN = {
    "GIT_AUTHOR_EMAIL": "tests@example.invalid",
    "GIT_AUTHOR_NAME": "Tests",
    "GIT_COMMITTER_EMAIL": "tests@example.invalid",
    "GIT_COMMITTER_NAME": "Tests",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "PIP_CONFIG_FILE": os.devnull,
    "UV_NO_CONFIG": "1",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests, so that none of them is left to one process at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Escape lone surrogates, which property tests try: one in a failure's text would end an xdist run."""
    return _encodable((yield))


def _encodable(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {_encodable(key): _encodable(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(_encodable(item) for item in value)
        case _:
            return value


@pytest.fixture(scope="session", autouse=True)
def _neutral_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same variables on every machine, for fixtures of any scope and the processes that they start."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN_NAMES:
                patch.delenv(name)
        for name, value in _OWN.items():
            patch.setenv(name, value)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("session-home")))
        yield


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder of the test's own; caches and configuration of its tools live below it."""
    path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(path))
    return path


@pytest.fixture
def unmeasured_environment(home: Path) -> dict[str, str]:
    """Environment of a subprocess that must hold no module of coverage's: to ask what a start imports, say."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


@pytest.fixture(autouse=True)
def _logging_as_found() -> Iterator[None]:
    """Handlers and levels that a test left on the root logger or on ours go away with it, closed."""
    loggers = [logging.getLogger(), logging.getLogger("hephaestus")]
    found = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in found:
        for handler in [handler for handler in logger.handlers if handler not in handlers]:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(level)
        logger.propagate = propagate

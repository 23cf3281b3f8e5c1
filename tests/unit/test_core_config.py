"""Configuration: which file holds, what overrides it, and errors that name file, key and the nearest valid one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

import attrs
import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.cli._root import root
from hephaestus.config import LOG_LEVELS, ConfigTable, Configuration, load_configuration
from hephaestus.errors import ConfigError


@attrs.frozen
class Nested:
    """A table in the table."""

    deep_key: int = 0


@attrs.frozen
class DemoConfig:
    """A table of every type that a plugin may use."""

    max_depth: int = 3
    ratio: float = 0.5
    eager: bool = False
    name: str | None = None
    patterns: list[str] = attrs.field(factory=list)
    numbers: list[int] = attrs.field(factory=list)
    folder: Path | None = None
    mode: Literal["fast", "slow"] = "fast"
    nested: Nested = attrs.field(factory=Nested)


class NestedTuple(NamedTuple):
    """The same as a NamedTuple."""

    deep_key: int = 0


class DemoTuple(NamedTuple):
    """The same as a NamedTuple, which cannot have lists as defaults."""

    max_depth: int = 3
    ratio: float = 0.5
    eager: bool = False
    name: str | None = None
    patterns: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    folder: Path | None = None
    mode: Literal["fast", "slow"] = "fast"
    nested: NestedTuple = NestedTuple()


TABLE = ConfigTable("demo", f"{__name__}:DemoConfig")
TUPLE = ConfigTable("demo", f"{__name__}:DemoTuple")
both_kinds = pytest.mark.parametrize("table", [TABLE, TUPLE], ids=["attrs", "NamedTuple"])


def configured(folder: Path, text: str, environment: dict[str, str] | None = None) -> Configuration:
    (folder / "hephaestus.toml").write_text(text)
    return load_configuration(folder, environment or {})


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    configuration = load_configuration(tmp_path, {})
    assert configuration.file is None
    assert configuration.core() == {}
    assert configuration.table(TABLE) == DemoConfig()


def test_the_environment_overrides_the_file_and_the_file_the_defaults(tmp_path: Path) -> None:
    configuration = configured(tmp_path, "[demo]\nmax-depth = 5\neager = true\n", {"HEPHAESTUS_DEMO_MAX_DEPTH": "7"})
    assert configuration.table(TABLE) == DemoConfig(max_depth=7, eager=True)
    assert configuration.table(TUPLE) == DemoTuple(max_depth=7, eager=True)


def test_pyproject_and_the_files_own_name_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.hephaestus]\nlog-format = "json"\n[tool.hephaestus.demo]\nratio = 2\n'
    )
    configuration = load_configuration(tmp_path, {})
    assert configuration.core() == {"log_format": "json"}
    assert configuration.table(TABLE) == DemoConfig(ratio=2.0)


def test_core_settings_come_from_the_environment_too(tmp_path: Path) -> None:
    environment = {"HEPHAESTUS_DISABLED_PLUGINS": "a, b,", "HEPHAESTUS_LOG_LEVEL": "debug"}
    configuration = configured(tmp_path, 'log-level = "error"\nlog-file = "log"\n', environment)
    assert configuration.core() == {"disabled_plugins": ("a", "b"), "log_level": "debug", "log_file": tmp_path / "log"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[demo]\nmax-deth = 1\n", ("max-deth", "unknown key", "'max-depth'")),
        ("[demo.nested]\ndeep-kee = 1\n", ("nested.deep-kee", "'deep-key'")),
        ("[demo]\nmax_depth = 1\n", ("max_depth", "'max-depth'")),
        ("[demo]\nzzzzzzzz = 1\n", ("zzzzzzzz", "valid keys", "max-depth")),
        ('[demo]\nmax-depth = "3"\n', ("'max-depth'", "an integer", "'3'")),
        ("[demo]\nmax-depth = true\n", ("'max-depth'", "an integer", "True")),
        ("[demo]\nmax-depth = 1.0\n", ("'max-depth'", "an integer")),
        ("[demo]\neager = 1\n", ("'eager'", "true or false")),
        ("[demo]\nname = 3\n", ("'name'", "a string")),
        ('[demo]\npatterns = "a"\n', ("'patterns'", "an array")),
        ("[demo]\npatterns = ['a', 2]\n", ("patterns.1", "a string")),
        ("[demo]\nfolder = 3\n", ("'folder'", "a string")),
        ("[demo]\nmode = 'medium'\n", ("'mode'", "fast", "slow")),
        ("[demo]\nnested = 3\n", ("'nested'", "a table")),
        ("demo = 3\n", ("'demo'", "must be a table")),
    ],
)
@both_kinds
def test_a_wrong_key_or_value_names_the_file_the_key_and_the_mend(
    table: ConfigTable, tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(tmp_path, text).table(table)
    told = f"{caught.value} {caught.value.hint}"
    assert str(tmp_path / "hephaestus.toml") in told
    for word in words:
        assert word in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('log-formt = "json"\n', ("log-formt", "'log-format'")),
        ('log-format = "xml"\n', ("'log-format'", "json")),
        ("disabled-plugins = 'a'\n", ("'disabled-plugins'", "an array")),
        ("[log-level]\nx = 1\n", ("'log-level'",)),
    ],
)
def test_a_wrong_core_setting_is_named_likewise(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(tmp_path, text).core()
    for word in (*words, "hephaestus.toml"):
        assert word in f"{caught.value} {caught.value.hint}"


def test_a_table_nearly_named_like_a_declared_one_is_refused_and_a_foreign_one_is_returned(tmp_path: Path) -> None:
    assert configured(tmp_path, "[other-plugin]\nx = 1\n[demo]\n").check_tables(["demo"]) == ["other-plugin"]
    with pytest.raises(ConfigError, match=r"unknown table 'dmo'.*did you mean 'demo'"):
        configured(tmp_path, "[dmo]\nx = 1\n").check_tables(["demo"])


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("EAGER", "yes", "eager", True),
        ("EAGER", "OFF", "eager", False),
        ("EAGER", "1", "eager", True),
        ("RATIO", "0.25", "ratio", 0.25),
        ("RATIO", "2", "ratio", 2.0),
        ("PATTERNS", "a, b ,,c", "patterns", ["a", "b", "c"]),
        ("PATTERNS", "", "patterns", []),
        ("NUMBERS", "1,2", "numbers", [1, 2]),
        ("NAME", "123", "name", "123"),
        ("MODE", "slow", "mode", "slow"),
    ],
)
@both_kinds
def test_a_variable_is_read_as_the_attributes_type(
    table: ConfigTable, tmp_path: Path, variable: str, text: str, attribute: str, value: object
) -> None:
    config = configured(tmp_path, "", {f"HEPHAESTUS_DEMO_{variable}": text}).table(table)
    read = getattr(config, attribute)
    assert (list(read) if isinstance(read, tuple) else read) == value


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("MAX_DEPTH", "three", ("an integer", "'three'")),
        ("EAGER", "maybe", ("true or false", "'maybe'")),
        ("MODE", "medium", ("fast",)),
        ("NUMBERS", "1,two", ("an integer", "'two'")),
        ("NESTED", "x", ("cannot hold a table",)),
        ("MAX_DETH", "3", ("unknown variable", "HEPHAESTUS_DEMO_MAX_DEPTH")),
    ],
)
@both_kinds
def test_a_wrong_variable_is_named_with_the_mend(
    table: ConfigTable, tmp_path: Path, variable: str, text: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(tmp_path, "", {f"HEPHAESTUS_DEMO_{variable}": text}).table(table)
    for word in (*words, f"HEPHAESTUS_DEMO_{variable}"):
        assert word in f"{caught.value} {caught.value.hint}"


def test_a_misspelt_core_variable_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"HEPHAESTUS_LOG_FORMT.*did you mean HEPHAESTUS_LOG_FORMAT"):
        configured(tmp_path, "", {"HEPHAESTUS_LOG_FORMT": "json"}).core()


def test_a_path_is_relative_to_its_file_and_in_a_variable_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work" / "sub").mkdir(parents=True)
    (tmp_path / "hephaestus.toml").write_text("[demo]\nfolder = 'data'\n")
    monkeypatch.chdir(tmp_path / "work")
    assert load_configuration(tmp_path / "work" / "sub", {}).table(TABLE).folder == tmp_path / "data"
    variable = {"HEPHAESTUS_DEMO_FOLDER": "data"}
    assert load_configuration(tmp_path, variable).table(TABLE).folder == tmp_path / "work" / "data"


def test_an_absolute_path_and_the_home_folder_stand_as_they_are(tmp_path: Path, home: Path) -> None:
    assert configured(tmp_path, "[demo]\nfolder = '/data'\n").table(TABLE).folder == Path("/data")
    assert configured(tmp_path, "[demo]\nfolder = '~/data'\n").table(TABLE).folder == home / "data"


def test_the_nearest_file_above_holds_but_none_above_the_repository(tmp_path: Path) -> None:
    inner = tmp_path / "repository" / "package"
    inner.mkdir(parents=True)
    (tmp_path / "hephaestus.toml").write_text("[demo]\nmax-depth = 9\n")
    assert load_configuration(inner, {}).table(TABLE).max_depth == 9
    (tmp_path / "repository" / ".git").write_text("gitdir: elsewhere\n")
    assert load_configuration(inner, {}).file is None
    (tmp_path / "repository" / "hephaestus.toml").write_text("")
    assert load_configuration(inner, {}).file == tmp_path / "repository" / "hephaestus.toml"


def test_a_pyproject_without_our_table_is_passed_by_even_if_broken(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("this is = = no TOML")
    (tmp_path / "hephaestus.toml").write_text("")
    assert load_configuration(inner, {}).file == tmp_path / "hephaestus.toml"


def test_a_start_that_does_not_exist_is_fine(tmp_path: Path) -> None:
    (tmp_path / "hephaestus.toml").write_text("")
    assert load_configuration(tmp_path / "no" / "such", {}).file == tmp_path / "hephaestus.toml"


@pytest.mark.parametrize("data", [b"[demo\n", b"a = 1\na = 2\n", b"x = '\xff'\n", b"\x00"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "hephaestus.toml").write_bytes(data)
    with pytest.raises(ConfigError, match=r"hephaestus\.toml is no valid TOML"):
        load_configuration(tmp_path, {})


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "hephaestus.toml").mkdir()
    with pytest.raises(ConfigError, match=r"cannot read .*hephaestus\.toml"):
        load_configuration(tmp_path, {})


def test_a_fifo_in_place_of_the_file_is_named_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hephaestus.toml")
    with pytest.raises(ConfigError, match=r"cannot read .*hephaestus\.toml: it is no plain file"):
        load_configuration(tmp_path, {})


def test_two_configurations_in_one_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.hephaestus]\n")
    with pytest.raises(ConfigError, match="both") as caught:
        configured(tmp_path, "")
    assert caught.value.hint == "keep one of the two"


def test_our_key_in_pyproject_must_be_a_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nhephaestus = 3\n")
    with pytest.raises(ConfigError, match=r"tool\.hephaestus' must be a table, got int"):
        load_configuration(tmp_path, {})


toml_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=3,
)
keys = st.sampled_from([each.name.replace("_", "-") for each in attrs.fields(DemoConfig)] + ["unknown"])


@given(st.dictionaries(keys, toml_values, max_size=3))
def test_any_table_is_either_structured_as_typed_or_refused(values: dict[str, Any]) -> None:
    from hephaestus._structure import structure

    config: DemoConfig | None
    try:
        config = structure(DemoConfig, values, "file", {}, "HEPHAESTUS_DEMO_", Path("/base"))
    except ConfigError as error:
        config, words = None, str(error)
    if config is None:
        assert words.startswith("file key ")
        return
    assert type(config.max_depth) is int
    assert type(config.ratio) is float
    assert type(config.eager) is bool
    assert all(type(each) is str for each in config.patterns)
    assert config.mode in ("fast", "slow")


fitting: dict[str, st.SearchStrategy[Any]] = {
    "max-depth": st.integers(),
    "ratio": st.floats() | st.integers(),
    "eager": st.booleans(),
    "name": st.text(max_size=3),
    "patterns": st.lists(st.text(max_size=3), max_size=2),
    "numbers": st.lists(st.integers(), max_size=2),
    "folder": st.sampled_from(["data", "/data", "~/data", "~nobody-of-that-name/data"]),
    "mode": st.sampled_from(["fast", "slow"]),
    "nested": st.dictionaries(st.just("deep-key"), st.integers(), max_size=1),
}
fitting_tables = st.fixed_dictionaries({}, optional=fitting)


texts = st.sampled_from(["", "a", "a, b", "fast", "loud", "~/x", "/x", "1", "1.5", "true"])
variables = st.dictionaries(st.sampled_from([*(key.replace("-", "_").upper() for key in fitting), "X", "name"]), texts)


@pytest.mark.parametrize("target", [DemoConfig, DemoTuple])
@given(
    values=fitting_tables | st.builds(dict.__or__, fitting_tables, st.dictionaries(keys, toml_values, max_size=1)),
    variables=st.just({}) | variables,
)
def test_the_short_way_gives_what_the_long_one_does_and_refuses_what_it_refuses(
    target: type[Any], values: dict[str, Any], variables: dict[str, str]
) -> None:
    from hephaestus._fitting import NotFitting, fit
    from hephaestus._structure import structure

    long = None
    with suppress(ConfigError):
        environment = {f"HEPHAESTUS_DEMO_{name}": text for name, text in variables.items()}
        long = structure(target, values, "file", environment, "HEPHAESTUS_DEMO_", Path("/base"))
    try:
        short = fit(target, values, Path("/base"), variables)
    except NotFitting:
        # The long way may know what to do with a variable, never with a table.
        assert long is None or variables
    else:
        # Texts, since NaN equals nothing and 1 equals True.
        assert repr(short) == repr(long)


@attrs.frozen
class Particular:
    """What only the long way knows."""

    given: int = attrs.field(default=1, init=False)
    _hidden: int = 2
    either: int | str = 3
    words: dict[str, int] = attrs.field(factory=dict)


@pytest.mark.parametrize("values", [{"given": 1}, {"-hidden": 1}, {"hidden": 1}, {"either": 1}, {"words": {"a": 1}}])
def test_the_short_way_leaves_to_the_long_one_what_it_does_not_know(values: dict[str, Any]) -> None:
    from hephaestus._fitting import NotFitting, fit

    with pytest.raises(NotFitting):
        fit(Particular, values, Path("/base"), {})


@pytest.mark.parametrize("level", ["info", "INFO", "Warning"])
def test_a_log_level_is_taken_in_any_case(level: str, tmp_path: Path) -> None:
    configuration = load_configuration(tmp_path, {"HEPHAESTUS_LOG_LEVEL": level})
    assert configuration.core() == {"log_level": level}


def test_an_unknown_log_level_names_variable_and_choices(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"HEPHAESTUS_LOG_LEVEL.*one of debug, info.*'loud'"):
        load_configuration(tmp_path, {"HEPHAESTUS_LOG_LEVEL": "loud"}).core()


def test_the_command_line_takes_the_same_log_levels() -> None:
    choice = next(each.type for each in root.params if each.name == "log_level")
    assert isinstance(choice, click.Choice)
    assert tuple(choice.choices) == LOG_LEVELS

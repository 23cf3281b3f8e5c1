"""Values of a configuration into attrs classes and NamedTuples, by cattrs, strictly: no value is converted in silence.

Apart from `hephaestus.config`, which every start imports, because attrs and cattrs cost as much as the rest of a start.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import attrs
from cattrs import (
    AttributeValidationNote,
    BaseValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationNote,
)
from cattrs.cols import is_namedtuple, list_structure_factory, namedtuple_dict_structure_factory
from cattrs.gen import make_dict_structure_fn, override

from hephaestus.errors import ConfigError

__all__ = ["structure"]

T = TypeVar("T")

_TRUTHS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_WORDS = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "a table",
}


def structure(
    target: type[T],
    values: Mapping[str, Any],
    where: str,
    environment: Mapping[str, str],
    prefix: str,
    folder: Path,
) -> T:
    """Structure a table, with the environment's variables over it.

    Args:
        target: an attrs class or a NamedTuple whose attributes all have defaults.
        values: the table: kebab-case key to value.
        where: the file and table, for errors.
        environment: variables; `<prefix><KEY>` overrides a key. Lists are separated by commas.
        prefix: e.g. `HEPHAESTUS_CLEANUP_`.
        folder: what relative paths of the table are relative to; those of variables are to the working directory.

    Raises:
        ConfigError: an unknown key, or a value of the wrong type.
    """
    kinds = typing.get_type_hints(target)
    names = {name: name.replace("_", "-") for name in _attributes(target)}
    settings = _convert(target, values, where, folder)
    overrides = {}
    for attribute, key in names.items():
        variable = f"{prefix}{attribute.upper()}"
        if variable in environment:
            parsed = _parse(environment[variable], kinds[attribute], variable)
            only = _convert(target, {key: parsed}, f"variable {variable}", Path.cwd())
            overrides[attribute] = getattr(only, attribute)
    if prefix != "HEPHAESTUS_":
        _refuse_unknown_variables(environment, prefix, names)
    replace: Any = settings._replace if is_namedtuple(target) else partial(attrs.evolve, settings)  # type: ignore[attr-defined]
    return replace(**overrides) if overrides else settings


def _convert(target: type[T], values: Mapping[str, Any], where: str, folder: Path) -> T:
    try:
        return _converter(folder).structure(values, target)
    except BaseValidationError as error:
        path, reason, hint = next(_faults(error, ()))
        key = ".".join(path)
        raise ConfigError(f"{where}{f' key {key!r}' if key else ''}: {reason}", hint=hint) from error


def _converter(folder: Path) -> Converter:
    converter = Converter(forbid_extra_keys=True)

    @converter.register_structure_hook_factory(_is_class)
    def structure_class(kind: Any, converter: Converter) -> Any:
        renamed: Any = {name: override(rename=name.replace("_", "-")) for name in _attributes(kind)}
        if is_namedtuple(kind):
            function = namedtuple_dict_structure_factory(kind, converter, "from_converter", True, **renamed)
        else:
            function = make_dict_structure_fn(kind, converter, **renamed)

        def check_table(value: Any, kind: Any) -> Any:
            return function(_expect(dict, value), kind)

        return check_table

    def strict(kind: type) -> Callable[[Any, Any], Any]:
        return lambda value, _: _expect(kind, value)

    for kind in (bool, int, float, str):
        converter.register_structure_hook(kind, strict(kind))
    converter.register_structure_hook(Path, lambda value, _: folder / Path(_expect(str, value)).expanduser())

    # cattrs would take a string for a list of its letters.
    @converter.register_structure_hook_factory(_is_array)
    def structure_array(kind: Any, converter: Converter) -> Any:
        items: Any = list[typing.get_args(kind)[0]]  # type: ignore[misc]
        function = list_structure_factory(items, converter)
        return lambda value, kind: _origin(kind)(function(_expect(list, value), kind))

    return converter


def _expect(kind: type, value: Any) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"must be {_WORDS[kind]}, got {value!r}")
    return value


def _faults(error: BaseException, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str | None]]:
    """Walk what cattrs raised down to each fault; yields (keys on the way, reason, hint)."""
    if isinstance(error, BaseValidationError):
        for each in error.exceptions:
            yield from _faults(each, (*path, *_steps(each)))
    elif isinstance(error, ForbiddenExtraKeysError):
        valid = [name.replace("_", "-") for name in _attributes(error.cl)]
        for key in sorted(error.extra_fields):
            near = get_close_matches(key, valid, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"valid keys: {', '.join(valid)}"
            yield (*path, key), "unknown key", hint
    else:
        yield path, str(error).replace("typing.Literal", "one of "), None


def _steps(error: BaseException) -> Iterator[str]:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            yield note.name.replace("_", "-")
        elif isinstance(note, IterableValidationNote):
            yield str(note.index)


def _parse(text: str, kind: Any, variable: str) -> Any:
    """Read a variable's text as a value of the attribute's type."""
    for each in typing.get_args(kind) if _is_union(kind) else (kind,):
        if _is_array(each):
            item = typing.get_args(each)[0]
            return [_parse(part.strip(), item, variable) for part in text.split(",") if part.strip()]
        if each is bool and text.lower() in _TRUTHS:
            return _TRUTHS[text.lower()]
        if each in (int, float):
            try:
                return each(text)
            except ValueError:
                raise ConfigError(f"variable {variable} must be {_WORDS[each]}, got {text!r}") from None
        if _origin(each) is dict or _is_class(each):
            raise ConfigError(f"variable {variable} cannot hold a table", hint="use the configuration file for it")
    # Whatever is left is a string, or an error that the structuring words.
    return text


def _is_class(kind: Any) -> bool:
    return attrs.has(kind) or is_namedtuple(kind)


def _attributes(kind: Any) -> Iterable[str]:
    return kind._fields if is_namedtuple(kind) else [each.name for each in attrs.fields(kind)]


def _is_array(kind: Any) -> bool:
    """Say whether it is `list[T]` or `tuple[T, ...]`."""
    return _origin(kind) is list or (_origin(kind) is tuple and typing.get_args(kind)[1:] == (...,))


def _origin(kind: Any) -> Any:
    return typing.get_origin(kind)


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _refuse_unknown_variables(environment: Mapping[str, str], prefix: str, names: Mapping[str, str]) -> None:
    known = {f"{prefix}{name.upper()}" for name in names}
    for variable in sorted(environment):
        if variable.startswith(prefix) and variable not in known:
            near = get_close_matches(variable, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"valid variables: {', '.join(sorted(known))}"
            raise ConfigError(f"unknown variable {variable} in the environment", hint=hint)

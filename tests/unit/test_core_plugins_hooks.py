"""The manager finds the hooks that pluggy's own would find, whatever a plugin is made of."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import pluggy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.plugins import hookimpl, hookspec
from hephaestus.plugins._hooks import HookManager
from hephaestus.plugins._markers import PROJECT

REFERENCE = pluggy.PluginManager(PROJECT)


def plain(item: Any = None) -> Any:
    return item


class Thing:
    def method(self) -> None: ...

    @hookimpl
    def implementation(self) -> None: ...

    @hookspec
    def specification(self) -> None: ...

    def __call__(self) -> None: ...


def forged(mark: object) -> Any:
    """A function whose mark is no mark."""

    def function() -> None: ...

    vars(function).update({f"{PROJECT}_impl": mark, f"{PROJECT}_spec": mark})
    return function


MEMBERS: dict[str, Any] = {
    "a function": plain,
    "an implementation": hookimpl(lambda: None),
    "one with options": hookimpl(specname="other", tryfirst=True, optionalhook=True)(lambda: None),
    "a wrapper": hookimpl(wrapper=True)(lambda: None),
    "a specification": hookspec(lambda: None),
    "one of the first result": hookspec(firstresult=True)(lambda: None),
    "a forged mark": forged("yes"),
    "no mark": forged(None),
    "a static method": staticmethod(hookimpl(lambda: None)),
    "a marked static method": hookimpl(staticmethod(lambda: None)),
    "a class method": classmethod(hookimpl(lambda cls: None)),
    "a bound method": Thing().method,
    "a bound implementation": Thing().implementation,
    "a bound specification": Thing().specification,
    "a property": property(plain),
    "a class": Thing,
    "an instance": Thing(),
    "a partial": functools.partial(plain),
    "a builtin": len,
    "a number": 1,
    "nothing": None,
    "a module": functools,
}


@pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS)
@pytest.mark.parametrize("kind", ["module", "class", "instance"])
def test_each_kind_of_member_is_read_as_pluggy_reads_it(kind: str, member: Any) -> None:
    holder = ModuleType("plugin") if kind == "module" else type("Plugin", (), {})
    setattr(holder, "member", member)  # noqa: B010 (a module and a class know no such attribute)
    if kind == "instance":
        holder = holder()  # type: ignore[operator]
    manager = HookManager()
    for name in (*dir(holder), "absent"):
        assert manager.parse_hookimpl_opts(holder, name) == REFERENCE.parse_hookimpl_opts(holder, name)
        if kind != "instance":
            assert manager.parse_hookspec_opts(holder, name) == REFERENCE.parse_hookspec_opts(holder, name)


@given(st.dictionaries(st.from_regex("[a-z]{1,3}", fullmatch=True), st.sampled_from(list(MEMBERS))))
def test_a_module_registers_the_same_implementations(members: dict[str, str]) -> None:
    plugin = ModuleType("plugin")
    for name, member in members.items():
        setattr(plugin, name, MEMBERS[member])
    managers = (HookManager(), pluggy.PluginManager(PROJECT))
    hooks: list[Any] = []
    for manager in managers:
        try:
            manager.register(plugin)
        except Exception as error:
            hooks.append(str(error))
        else:
            hooks.append(
                [(caller.name, len(caller.get_hookimpls())) for caller in manager.get_hookcallers(plugin) or ()]
            )
    assert hooks[0] == hooks[1]


def test_a_name_that_a_modules_own_dir_invents_is_left_to_pluggy() -> None:
    plugin = ModuleType("plugin")
    vars(plugin)["__dir__"] = lambda: ["invented"]
    vars(plugin)["__getattr__"] = lambda name: hookimpl(lambda: None)
    assert dir(plugin) == ["invented"]
    found = HookManager().parse_hookimpl_opts(plugin, "invented")
    assert found == REFERENCE.parse_hookimpl_opts(plugin, "invented")

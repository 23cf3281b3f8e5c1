"""A base for immutable values with names, types and defaults.

What attrs and dataclasses do by generating code for each class, this does by looking at it. Every process makes its
classes anew, and one with a dozen objects does not earn the milliseconds that its code takes.
"""

from __future__ import annotations

from typing import Any, Self, dataclass_transform

__all__ = ["Value"]


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Value:
    """Its subclasses declare attributes as a dataclass does, the defaults immutable; arguments are given by name.

    Raises:
        TypeError: an argument that is not declared, or none for an attribute without a default.
    """

    def __init__(self, **given: Any) -> None:
        kind = type(self)
        names = kind.__annotations__
        if unknown := [name for name in given if name not in names]:
            raise TypeError(f"{kind.__name__} got an unexpected argument {unknown[0]!r}")
        if missing := [name for name in names if name not in given and not hasattr(kind, name)]:
            raise TypeError(f"{kind.__name__} needs an argument {missing[0]!r}")
        vars(self).update({name: given[name] if name in given else getattr(kind, name) for name in names})
        self.__post_init__()

    def __post_init__(self) -> None:
        """For subclasses: convert and check what was given, in `vars(self)`."""

    def replace(self, **changed: Any) -> Self:
        """The same with other values of some attributes."""
        return type(self)(**{**vars(self), **changed})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a {type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

"""A mapping that cannot be changed and can be pickled (the standard library's read-only proxy cannot)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value", covariant=True)


class FrozenMapping(Mapping[Key, Value], Generic[Key, Value]):
    """A copy of `items`, in their order, without any way to change it."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[Key, Value] | None = None) -> None:
        self._items: dict[Key, Value] = dict(items or {})

    def __getitem__(self, key: Key) -> Value:
        """The value of `key`."""
        return self._items[key]

    def __iter__(self) -> Iterator[Key]:
        """Keys in order."""
        return iter(self._items)

    def __len__(self) -> int:
        """Number of entries."""
        return len(self._items)

    def __repr__(self) -> str:
        """As a dict is shown."""
        return repr(self._items)

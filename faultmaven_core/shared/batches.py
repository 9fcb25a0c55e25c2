"""Many things, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], most: int) -> Iterator[tuple[T, ...]]:
    """The items in order, `most` at a time and the rest at the end; as `itertools.batched`, which Python has from 3.12 on."""
    if most < 1:
        raise ValueError("a batch has one item at least")
    rest = iter(items)
    while batch := tuple(islice(rest, most)):
        yield batch

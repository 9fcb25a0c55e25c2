"""An organization's vectors as matrices, so that comparing all of them takes as long as reading them from memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Keys: TypeAlias = NDArray[np.int64]
Vectors: TypeAlias = NDArray[np.float32]

BLOCK_ROWS = 8192
"""Rows that one matrix grows to: adding and removing copies no more than one of them at a time."""

_TIE = 1e-6
"""Scores that are as near as this count as equal."""
_NO_KEY = 0
"""Below all keys."""


@dataclass(slots=True)
class Block:
    """Some vectors, one a row, and their keys, ascending."""

    keys: Keys
    vectors: Vectors


@dataclass(slots=True)
class Held:
    """What is in memory of a scope: all records up to `last` that `removals` removals left."""

    removals: int
    last: int = _NO_KEY
    blocks: list[Block] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(block.vectors.nbytes + block.keys.nbytes for block in self.blocks)

    def add(self, block: Block) -> None:
        """Append vectors, whose keys are above all others."""
        self.last = int(block.keys[-1])
        if self.blocks and len(self.blocks[-1].keys) + len(block.keys) <= BLOCK_ROWS:
            end = self.blocks[-1]
            end.keys = np.concatenate((end.keys, block.keys))
            end.vectors = np.concatenate((end.vectors, block.vectors))
        else:
            self.blocks.append(block)

    def keep(self, present: Keys, removals: int) -> None:
        """Forget the vectors whose keys are not among these, ascending."""
        for block in self.blocks:
            kept = is_among(block.keys, present)
            if not kept.all():
                block.keys, block.vectors = block.keys[kept], block.vectors[kept]
        self.blocks = [block for block in self.blocks if len(block.keys)]
        self.removals = removals


class Shelf:
    """The scopes in memory, those used last; together no more than `most` bytes."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._held: OrderedDict[int, Held] = OrderedDict()

    def take(self, scope: int) -> Held | None:
        """What is held of a scope; it is not on the shelf until it is put back."""
        return self._held.pop(scope, None)

    def put(self, scope: int, held: Held) -> None:
        """Keep it, and forget what was not used for the longest time and has no room."""
        self._held[scope] = held
        total = sum(each.size for each in self._held.values())
        while total > self.most:
            _, forgotten = self._held.popitem(last=False)
            total -= forgotten.size

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()


def best(blocks: Iterable[Block], query: Vectors, limit: int, asked: Keys | None) -> list[tuple[int, float]]:
    """The keys most like the query with their scores: `limit` of them, and all that score as the last of those.

    Only the keys in `asked`, where it is given: they ascend, and none between a block's first and last is not in it.
    """
    keys, scores = np.empty(0, np.int64), np.empty(0, np.float32)
    for block in blocks:
        found_keys, found_scores = _compared(block, query, asked)
        if len(scores) >= limit and not (found_scores > scores.min() - _TIE).any():
            continue
        keys, scores = np.concatenate((keys, found_keys)), np.concatenate((scores, found_scores))
        if len(scores) > limit:
            least = np.partition(scores, -limit)[-limit] - _TIE
            keys, scores = keys[scores >= least], scores[scores >= least]
    return list(zip(keys.tolist(), scores.tolist(), strict=True))


def _compared(block: Block, query: Vectors, asked: Keys | None) -> tuple[Keys, Vectors]:
    if asked is None:
        return block.keys, _scores(block.vectors, query)
    first, end = np.searchsorted(asked, (block.keys[0], block.keys[-1] + 1))
    places = np.searchsorted(block.keys, asked[first:end])
    keys = block.keys[places]
    if len(keys) * 4 > len(block.keys):
        # To copy so many of them would take longer than to compare them all.
        return keys, _scores(block.vectors, query)[places]
    return keys, _scores(block.vectors[places], query)


def _scores(vectors: Vectors, query: Vectors) -> Vectors:
    # Row by row: a product of matrices would take all processors for what memory alone limits, and on a busy machine its
    # threads wait for each other.
    scores: Vectors = np.vecdot(vectors, query)
    return scores


def is_among(keys: Keys, present: Keys) -> NDArray[np.bool_]:
    """For each key whether it is among the others; both ascend."""
    if not len(present):
        return np.zeros(len(keys), np.bool_)
    places = np.minimum(np.searchsorted(present, keys), len(present) - 1)
    found: NDArray[np.bool_] = present[places] == keys
    return found

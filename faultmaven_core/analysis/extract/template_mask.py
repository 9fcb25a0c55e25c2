"""Words with digits masked in a whole block of lines at once.

Byte classes become bits of one large integer each, so that the carry of a single addition runs from a word's first digit
to its end, for all words of the block together (the idea of simdjson, Langdale and Lemire, VLDB Journal 2019).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

EDGES: Final = b" \t\r\n\v\f=:,()[]{}\"'<>;|@/\\"
"""What separates words."""
_DIGITS: Final = b"0123456789"
_CLASS: Final = bytes(1 if byte in _DIGITS else 2 if byte in EDGES else 0 for byte in range(256))
_MARK: Final = 1


def mask_words(block: bytes) -> bytes:
    """The block with every word that holds a digit as one byte 1; line feeds stay where they were among the rest.

    Two lines with equal results differ in such words only. NUL bytes are dropped.
    """
    if not block:
        return b""
    data: NDArray[np.uint8] = np.frombuffer(block, np.uint8)
    inside = _in_masked_words(np.frombuffer(block.translate(_CLASS), np.uint8))
    first = np.empty(len(data), np.bool_)
    first[0] = inside[0]
    np.greater(inside[1:], inside[:-1], out=first[1:])
    # Zero all masked bytes but each word's first, then let `translate` delete the zeros: faster than indexing.
    kept: NDArray[np.uint8] = data * (inside ^ 1) + first.view(np.uint8) * np.uint8(_MARK)
    return kept.tobytes().translate(None, b"\0")


def _in_masked_words(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    digits = classes & 1
    words = classes < 2
    size = -(-len(classes) // 8)
    to_end = _carry(
        int.from_bytes(np.packbits(digits, bitorder="little").tobytes(), "little"),
        int.from_bytes(np.packbits(words, bitorder="little").tobytes(), "little"),
    )
    # Read from the other end, the same addition runs from a word's last digit to its begin.
    to_begin = _carry(
        int.from_bytes(np.packbits(digits).tobytes(), "big"), int.from_bytes(np.packbits(words).tobytes(), "big")
    )
    ahead = np.frombuffer(to_end.to_bytes(size, "little"), np.uint8)
    back = np.frombuffer(to_begin.to_bytes(size, "big"), np.uint8)
    count = len(classes)
    return np.unpackbits(ahead, bitorder="little", count=count) | np.unpackbits(back, count=count)


def _carry(digits: int, words: int) -> int:
    """The bits of each run of `words` from its lowest bit of `digits` upward."""
    return words & (~(words + digits) | digits)

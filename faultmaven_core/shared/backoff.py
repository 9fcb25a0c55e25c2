"""How long to wait before the next try."""

from __future__ import annotations

from collections.abc import Callable

_MOST_DOUBLINGS = 60


def delay(tries: int, *, base: float, cap: float, chance: Callable[[], float]) -> float:
    """Seconds to wait after so many failed tries (from 1 on): `min(cap, base * 2**n) * uniform(0.5, 1)`.

    `chance` gives numbers from 0 to 1. Half of the wait is certain: a first delay near zero would only repeat the failure.
    """
    doubled = base * 2.0 ** min(tries - 1, _MOST_DOUBLINGS)
    return min(cap, doubled) * (0.5 + chance() / 2)

"""Clocks that disagree: the same messages in two sources, always the same time apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from faultmaven_core.analysis.extract.timestamps import first_timestamp
from faultmaven_core.analysis.model import Fact

MIN_COMMON = 3
"""Fewer messages in common prove nothing."""

MIN_OFFSET = 2.0
"""Seconds; less is the way from one system to the other."""

MAX_SPREAD = 1.0
"""Seconds by which the differences may vary (median absolute deviation) and still be one offset."""

ZONE = 900.0
"""Time zones differ by multiples of a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Offset:
    """The clock of source `behind` (a digest) shows `seconds` less than that of `ahead`, by `common` messages."""

    ahead: str
    behind: str
    seconds: float
    common: int

    def sentence(self, names: Mapping[str, str]) -> str:
        """The offset in words; `names` are the sources' by digest."""
        zone = abs(self.seconds / ZONE - round(self.seconds / ZONE)) * ZONE < MAX_SPREAD and self.seconds >= ZONE
        why = " A whole number of quarter hours: most likely another time zone." if zone else ""
        return (
            f"The times of {names[self.ahead]} are {self.seconds:g} s ahead of {names[self.behind]}"
            f" ({self.common} messages that stand in both).{why}"
        )


def offsets(facts: Iterable[Fact]) -> tuple[Offset, ...]:
    """Constant offsets between sources, from messages that stand once in each of two."""
    seen: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        if fact.when is not None and fact.spans and isinstance(fact.value, str) and " " in fact.value:
            seen[fact.attribute, _undated(fact.value)][fact.spans[0].sha256].append(fact.when)
    apart: dict[tuple[str, str], list[float]] = defaultdict(list)
    for by_source in seen.values():
        once = sorted((sha256, times[0]) for sha256, times in by_source.items() if len(times) == 1)
        for (a, when_a), (b, when_b) in combinations(once, 2):
            apart[a, b].append(when_a - when_b)
    found = []
    for (a, b), differences in sorted(apart.items()):
        middle = float(np.median(differences))
        spread = float(np.median(np.abs(np.asarray(differences) - middle)))
        if len(differences) >= MIN_COMMON and abs(middle) >= MIN_OFFSET and spread <= MAX_SPREAD:
            ahead, behind = (a, b) if middle > 0 else (b, a)
            found.append(Offset(ahead, behind, round(abs(middle), 3), len(differences)))
    return tuple(found)


def _undated(message: str) -> str:
    """A message without the time that its line begins with: the same event is written at different hours."""
    stamp = first_timestamp(message)
    return message if stamp is None else message[: stamp.start] + message[stamp.end :]

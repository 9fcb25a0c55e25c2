"""Where the level of a series changes: binary segmentation with CUSUM, judged against point-to-point noise.

See Killick et al., "Optimal detection of changepoints with a linear computational cost" (2012) for the family. The answer
does not change when the values are shifted or scaled, and no share of the window has to be normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from faultmaven_core.analysis.signals.robust import Values, noise

MIN_POINTS = 6
"""Fewer points do not show what is usual."""

MIN_SEGMENT = 2
"""A lone outlier is no change of level."""

MAX_SEGMENTS = 64
"""A series with more changes than this has no level."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Points `first` to `end` (exclusive) of a series, which share a level (their median)."""

    first: int
    end: int
    level: float


def segments(values: Values) -> tuple[Segment, ...]:
    """The runs of equal level, in order; one where nothing changes."""
    bounds = [0, len(values)]
    scale = noise(values)
    if len(values) >= MIN_POINTS and scale > 0:
        # The threshold grows with the number of places where pure noise may look like a change (z of 5.4 at 15 points).
        threshold = 18 + 4 * np.log(len(values))
        open_parts = [(0, len(values))]
        while open_parts and len(bounds) <= MAX_SEGMENTS:
            first, end = open_parts.pop()
            at, gain = _best_split(values[first:end] / scale)
            if gain > threshold:
                bounds.append(first + at)
                open_parts += [(first, first + at), (first + at, end)]
    bounds.sort()
    return tuple(Segment(first, end, float(np.median(values[first:end]))) for first, end in pairwise(bounds))


def _best_split(values: Values) -> tuple[int, float]:
    """Where two levels explain the values best, and by how much the squared error falls."""
    count = len(values)
    if count < 2 * MIN_SEGMENT:
        return 0, 0.0
    at = np.arange(MIN_SEGMENT, count - MIN_SEGMENT + 1)
    sums = np.cumsum(values)
    left = sums[at - 1] / at
    right = (sums[-1] - sums[at - 1]) / (count - at)
    gains = at * (count - at) / count * (left - right) ** 2
    best = int(np.argmax(gains))
    return int(at[best]), float(gains[best])

"""Location, scale and noise that a few wild points cannot move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

IQR_OF_NORMAL = 1.349
"""Interquartile range of the standard normal distribution: IQR / 1.349 estimates its standard deviation."""

MAD_OF_NORMAL = 0.6745
"""Median absolute deviation of the standard normal distribution."""

RELATIVE_FLOOR = 0.03
"""A baseline that hardly moves still gets this share of its level as scale: nobody is paged for 1 %."""

MAX_SCORE = 1000.0
"""Scores end here: beyond it a larger one says nothing more, and infinities break comparisons."""


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual level of a metric and the scale of its usual scatter."""

    level: float
    scale: float

    def scores(self, values: Values) -> Values:
        """How many scales each value lies above (positive) or below the usual level."""
        distance = values - self.level
        if self.scale == 0:
            return np.sign(distance) * MAX_SCORE
        return np.clip(distance / self.scale, -MAX_SCORE, MAX_SCORE)


def usual(values: Values) -> Usual:
    """Median and IQR-based scale, with a floor relative to the level. At least one value."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return Usual(float(middle), max(float(high - low) / IQR_OF_NORMAL, RELATIVE_FLOOR * abs(float(middle))))


def noise(values: Values) -> float:
    """Standard deviation of point-to-point noise, from differences.

    A level shift touches one first difference only, a steady ramp no second one, so the smaller of both estimates
    counts. One hundredth of the range where it is 0 but the values differ.
    """
    if len(values) < 2:
        return 0.0
    first = np.diff(values)
    found = _spread(first, 2.0)
    if len(first) > 1:
        found = min(found, _spread(np.diff(first), 6.0))
    return found or float(np.ptp(values)) / 100


def _spread(steps: Values, variances: float) -> float:
    """Noise from differences whose variance is that many times its own.

    The larger of the MAD estimate and the root mean square of the smaller four fifths: the first is 0 where most repeat.
    """
    sizes = np.sort(np.abs(steps))
    calm = sizes[: max(1, len(sizes) * 4 // 5)]
    by_median = float(np.median(sizes)) / MAD_OF_NORMAL
    by_square = float(np.sqrt(np.mean(calm**2)))
    return max(by_median, by_square) / float(np.sqrt(variances))

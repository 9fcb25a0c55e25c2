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
    """Standard deviation of point-to-point noise, from first differences: a level shift touches only one of them.

    The larger of the MAD estimate and the root mean square of the smaller four fifths (the first is 0 where most points
    repeat); one hundredth of the range where both are 0 but the values differ. Shifts with the values' scale.
    """
    if len(values) < 2:
        return 0.0
    steps = np.sort(np.abs(np.diff(values)))
    calm = steps[: max(1, len(steps) * 4 // 5)]
    by_median = float(np.median(steps)) / MAD_OF_NORMAL / np.sqrt(2)
    by_square = float(np.sqrt(np.mean(calm**2) / 2))
    return max(by_median, by_square) or float(np.ptp(values)) / 100

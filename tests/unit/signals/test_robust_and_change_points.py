"""Robust measures and change points: what they see, what they leave alone, and what does not move them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven_core.analysis.signals.change_point import segments
from faultmaven_core.analysis.signals.robust import MAX_SCORE, Usual, noise, usual


def _noise(seed: int, count: int, level: float = 100.0, scale: float = 3.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(level, scale, count)


def test_a_few_wild_points_do_not_move_level_and_scale() -> None:
    """Median and quartiles, not mean and deviation."""
    calm = _noise(1, 200)
    wild = np.concatenate([calm, [1e9] * 10])
    assert usual(wild).level == pytest.approx(usual(calm).level, rel=0.01)
    assert usual(wild).scale == pytest.approx(usual(calm).scale, rel=0.3)


def test_a_baseline_that_never_moves_still_has_a_scale() -> None:
    """Otherwise one per cent more would be infinitely surprising."""
    measure = usual(np.full(50, 200.0))
    assert measure.scale == pytest.approx(6.0)
    assert float(measure.scores(np.array([202.0]))[0]) < 1


def test_scores_are_finite_where_the_scale_is_zero() -> None:
    """A baseline of zeros has neither level nor scatter."""
    scores = Usual(0.0, 0.0).scores(np.array([-5.0, 0.0, 5.0]))
    assert scores.tolist() == [-MAX_SCORE, 0.0, MAX_SCORE]


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_estimated_right_with_and_without_a_level_shift_or_a_ramp(seed: int) -> None:
    """First differences see a shift once, second differences do not see a ramp."""
    calm = _noise(seed, 400)
    shifted = calm + np.where(np.arange(400) >= 200, 500.0, 0.0)
    ramp = calm + np.arange(400) * 20.0
    for values in (calm, shifted, ramp):
        assert noise(values) == pytest.approx(3.0, rel=0.35)


def test_noise_of_values_that_mostly_repeat_is_not_zero() -> None:
    """Sparse counters: most differences are zero, some are not."""
    assert noise(np.array([0.0, 0, 0, 0, 1, 0, 0, 0, 0, 0])) > 0
    assert noise(np.full(10, 7.0)) == 0
    assert noise(np.array([1.0])) == 0


@pytest.mark.parametrize("seed", range(60))
def test_white_noise_has_one_level(seed: int) -> None:
    """No change is found where there is none, in short and long windows."""
    count = (12, 15, 20, 60, 300)[seed % 5]
    assert len(segments(_noise(seed, count))) == 1


@pytest.mark.parametrize("at", [3, 10, 17])
def test_a_step_is_found_where_it_is_however_late(at: int) -> None:
    """No share of the window has to be normal."""
    values = _noise(7, 20) + np.where(np.arange(20) >= at, 200.0, 0.0)
    assert [segment.first for segment in segments(values)] == [0, at]


def test_a_bump_has_three_segments() -> None:
    """What comes back is seen to come back."""
    values = _noise(3, 30) + np.where((np.arange(30) >= 10) & (np.arange(30) < 16), 150.0, 0.0)
    assert [(segment.first, segment.end) for segment in segments(values)] == [(0, 10), (10, 16), (16, 30)]


def test_too_few_points_have_one_level() -> None:
    """Five points do not show what is usual."""
    assert len(segments(np.array([1.0, 1.0, 1.0, 99.0, 99.0]))) == 1


@given(
    st.integers(0, 2**32 - 1),
    st.integers(6, 80),
    st.floats(-1e6, 1e6),
    st.sampled_from([0.001, 0.5, 1.0, 8.0, 1024.0]),
)
@settings(max_examples=60)
def test_change_points_do_not_depend_on_shift_or_scale(seed: int, count: int, shift: float, factor: float) -> None:
    """The same series in other units, from another zero, changes at the same places."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, count) + np.where(np.arange(count) >= rng.integers(2, count), 40.0, 0.0)
    moved = values * factor + round(shift, 1) * factor
    assert [s.first for s in segments(values)] == [s.first for s in segments(moved)]


def test_a_series_full_of_changes_ends_somewhere() -> None:
    """A hostile series costs bounded work."""
    values = np.repeat(np.arange(4000) % 2 * 1000.0, 3)
    assert 1 <= len(segments(values)) <= 65

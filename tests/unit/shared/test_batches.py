"""Many things, some at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.shared.batches import batched


@given(st.lists(st.integers()), st.integers(1, 9))
def test_all_come_in_order_and_only_the_last_batch_is_short(items: list[int], most: int) -> None:
    """Of any iterable."""
    found = list(batched(iter(items), most))
    assert [item for batch in found for item in batch] == items
    assert all(len(batch) == most for batch in found[:-1])
    assert all(1 <= len(batch) <= most for batch in found[-1:])


def test_a_batch_of_nothing_is_refused() -> None:
    """It would never end, or give nothing at all."""
    with pytest.raises(ValueError, match="at least"):
        list(batched([1], 0))

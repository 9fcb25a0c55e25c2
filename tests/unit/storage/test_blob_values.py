"""What is checked once for all blob stores, before any of them is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from faultmaven_core.ports.blobs import checked_expiry
from faultmaven_core.shared.errors import InvalidInputError


@pytest.mark.parametrize("expires", [timedelta(seconds=1), timedelta(minutes=5), timedelta(days=7)])
def test_a_url_lives_between_a_second_and_seven_days(expires: timedelta) -> None:
    """Both ends included."""
    assert checked_expiry(expires) == expires.total_seconds()


@pytest.mark.parametrize("expires", [timedelta(0), timedelta(seconds=-1), timedelta(days=7, seconds=1)])
def test_other_lifetimes_of_a_url_are_refused(expires: timedelta) -> None:
    """Amazon takes no longer ones, and a shorter one is none."""
    with pytest.raises(InvalidInputError):
        checked_expiry(expires)

"""A collector for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.telemetry.collector import Collector, collecting


@pytest.fixture
def collector() -> Iterator[Collector]:
    """It listens on this machine."""
    with collecting() as found:
        yield found

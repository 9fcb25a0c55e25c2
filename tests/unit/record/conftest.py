"""The real tools of extraction, as every shell composes them."""

from __future__ import annotations

import pytest

from faultmaven.composition.compute import tools as composed
from faultmaven_core.analysis.extract.tools import Tools


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Compiled once: pattern sets take a while."""
    return composed()

"""What outlives the tests of this folder ends with the last of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chroma_backends import close_kept


@pytest.fixture(scope="session", autouse=True)
def _kept_stores() -> Iterator[None]:
    yield
    close_kept()

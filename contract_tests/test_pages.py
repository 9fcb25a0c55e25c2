"""The contracts of lists in parts, and of cases as wholes, on our storages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_contract_tests.archive_units import ArchiveUnitContract
from faultmaven_contract_tests.pages import PagesContract
from faultmaven_contract_tests.samples import Storage
from storages import OPENERS


@pytest.fixture
async def subject(backend: str, tmp_path: Path) -> AsyncIterator[Storage]:
    """A fresh storage."""
    async with OPENERS[backend](tmp_path) as storage:
        yield storage


class TestPages(PagesContract):
    """Lists."""

    port = "cases"
    openers = OPENERS


class TestArchives(ArchiveUnitContract):
    """Cases with their evidence."""

    port = "cases"
    openers = OPENERS

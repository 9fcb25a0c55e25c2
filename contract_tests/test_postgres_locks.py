"""Names that a unit locks are its organization's: nobody waits for a stranger, nor can make one wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_adapters.sql.unit import SqlUnitOfWork
from faultmaven_contract_tests.samples import ACME, OTHER
from storages import postgres

pytestmark = pytest.mark.servers("postgres")


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    """An empty one."""
    async with postgres(tmp_path) as opened:
        assert isinstance(opened, SqlStorage)
        yield opened


async def test_a_lock_of_another_organization_is_not_waited_for(storage: SqlStorage) -> None:
    """Within one organization it is."""
    async with storage.cases(ACME) as holder, storage.cases(OTHER) as stranger, storage.cases(ACME) as colleague:
        assert isinstance(holder, SqlUnitOfWork)
        assert isinstance(stranger, SqlUnitOfWork)
        assert isinstance(colleague, SqlUnitOfWork)
        await holder.transaction.lock("owners")
        await asyncio.wait_for(stranger.transaction.lock("owners"), 30)
        waiting = asyncio.create_task(colleague.transaction.lock("owners"))
        assert not (await asyncio.wait([waiting], timeout=0.2))[0]
        await holder.commit()
        await asyncio.wait_for(waiting, 30)

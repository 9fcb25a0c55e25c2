"""A transfer carries one organization at a time, and of each exactly what is its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.transfer import SqlTables
from faultmaven_contract_tests.samples import ACME, EVERYBODY, OTHER, Storage, case, document
from faultmaven_core.knowledge.vectors import collection
from faultmaven_core.shared.ids import OrganizationId
from storages import OPENERS


@dataclass
class Filled:
    """A database in which ACME has one case and one document, OTHER two of each, and what carries its rows."""

    storage: Storage
    tables: SqlTables


@pytest.fixture
async def filled(tmp_path: Path) -> AsyncIterator[Filled]:
    """See Filled."""
    async with OPENERS["sqlite"](tmp_path) as storage:
        for owner, numbers in ((ACME, (1,)), (OTHER, (1, 2))):
            async with storage.cases(owner) as unit:
                for number in numbers:
                    await unit.cases.add(case(number, organization=owner))
                await unit.commit()
            async with storage.knowledge(owner) as unit:
                rows = [document(number, owner, embedded=f"model of {owner}") for number in numbers]
                await unit.knowledge.add(rows)
                await unit.commit()
        tables = SqlTables(str(tmp_path / "faultmaven.db"), SqlOptions())
        await tables.start()
        yield Filled(storage, tables)
        await tables.aclose()


async def test_rows_are_counted_and_read_for_one_organization(filled: Filled) -> None:
    """Of tables whose ids are the same elsewhere too."""
    assert await filled.tables.organizations() == [ACME, OTHER]
    for owner, number in ((ACME, 1), (OTHER, 2), (OrganizationId("nobody"), 0)):
        for table in ("cases_case", "knowledge_document"):
            assert await filled.tables.count(owner, table) == number
            page = await filled.tables.page(owner, table, "")
            assert [row["organization_id"] for row in page.rows] == [owner] * number
            if number:
                assert list((await filled.tables.page(owner, table, page.position)).rows) == []


async def test_collections_of_vectors_are_those_of_one_organization(filled: Filled) -> None:
    """By the models under which its own documents are embedded."""
    for owner in (ACME, OTHER):
        assert await filled.tables.collections(owner) == [collection(EVERYBODY.tier, f"model of {owner}")]

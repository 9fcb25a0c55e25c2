"""One lexical index serves all organizations: its words are parted twice, and either way holds alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_adapters.sql import knowledge_chunks
from faultmaven_adapters.sql.knowledge_rows import index_prefix
from faultmaven_contract_tests.samples import ACME, EVERYBODY, OTHER, Storage, chunk, document
from faultmaven_contract_tests.servers import shared
from faultmaven_core.shared.ids import OrganizationId
from storages import OPENERS, as_owner


@pytest.fixture(params=["sqlite", "postgres"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    """A database with an index."""
    async with OPENERS[request.param](tmp_path) as opened:
        yield opened


pytestmark = pytest.mark.servers("postgres")


def test_words_of_two_organizations_begin_otherwise() -> None:
    """So that no organization's words make another's slower to find."""
    assert index_prefix(ACME, "global") != index_prefix(OTHER, "global")
    assert index_prefix(ACME, "global") != index_prefix(ACME, "team:a")


async def test_words_that_begin_alike_are_still_ones_own(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The beginnings are digests of 48 bits: where two are the same, words neither find nor weigh for others."""
    monkeypatch.setattr(knowledge_chunks, "index_prefix", lambda *_: "000000000000_")
    for owner, numbers in ((ACME, (9,)), (OTHER, (1, 2, 3))):
        async with storage.knowledge(owner) as unit:
            await unit.knowledge.add([document(number, owner) for number in numbers])
            for number in numbers:
                told = chunk(of=number, terms="dns dns", labels=())
                await unit.knowledge.replace_chunks(document(number).key, [told])
            await unit.commit()
    async with storage.knowledge(ACME, read_only=True) as unit:
        weighed = await unit.knowledge.statistics([EVERYBODY], ["dns"])
        found = await unit.knowledge.candidates([EVERYBODY], {"dns": 1}, 1)
    assert weighed.frequency == {"dns": 1}
    assert [candidate.document for candidate in found] == [document(9).key]


async def test_the_same_document_elsewhere_comes_and_goes_unnoticed(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key, its words and their beginnings are the same; only its organization is not."""
    monkeypatch.setattr(knowledge_chunks, "index_prefix", lambda *_: "000000000000_")
    await _keep(storage, ACME, "dns timeout")
    for words in ("dns timeout", "dns pool", ""):
        await _keep(storage, OTHER, words)
        async with storage.knowledge(ACME, read_only=True) as unit:
            weighed = await unit.knowledge.statistics([EVERYBODY], ["dns", "timeout", "pool"])
            found = await unit.knowledge.candidates([EVERYBODY], {"dns": 1}, 9)
        assert weighed.frequency == {"dns": 1, "timeout": 1}
        assert [candidate.document for candidate in found] == [document(9).key]


async def test_whoever_sees_all_rows_changes_the_index_of_one_organization(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row-level security does not bind the owner of a PostgreSQL: there the triggers' own conditions hold."""
    monkeypatch.setattr(knowledge_chunks, "index_prefix", lambda *_: "000000000000_")
    async with OPENERS["postgres"](tmp_path) as storage:
        for owner in (ACME, OTHER):
            await _keep(storage, owner, "dns timeout")
        connection = await as_owner(shared("postgres").url)
        changed = "UPDATE knowledge_vocabulary SET searchable = false WHERE organization_id = $1"
        counted = "SELECT count(*) FROM knowledge_posting WHERE organization_id = $1"
        assert await connection.execute(changed, OTHER) == "UPDATE 1"
        assert [await connection.fetchval(counted, owner) for owner in (ACME, OTHER)] == [2, 0]
        await connection.close()


async def _keep(storage: Storage, owner: OrganizationId, words: str) -> None:
    """Document 9 with these words."""
    async with storage.knowledge(owner) as unit:
        if not await unit.knowledge.get_many([document(9).key]):
            await unit.knowledge.add([document(9, owner)])
        chunks = [chunk(of=9, terms=words, labels=())] if words else []
        await unit.knowledge.replace_chunks(document(9).key, chunks)
        await unit.commit()

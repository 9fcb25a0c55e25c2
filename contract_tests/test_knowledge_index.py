"""One lexical index serves all organizations: its words are parted twice, and either way holds alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_adapters.sql import knowledge_chunks
from faultmaven_adapters.sql.knowledge_rows import index_prefix
from faultmaven_contract_tests.samples import ACME, EVERYBODY, OTHER, Storage, chunk, document
from storages import OPENERS


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

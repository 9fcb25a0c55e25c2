"""What both SQL databases must do alike, below the repositories: checks, documents, order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import String, insert, select, update

from faultmaven_adapters.sql.rows import case_row, entry_row
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_adapters.sql.tables import CASE, JOURNAL
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_contract_tests.samples import ACME, case, entry
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError
from storages import OPENERS

pytestmark = pytest.mark.servers("postgres", "pgbouncer")


@pytest.fixture(params=["sqlite", "postgres", "pgbouncer"])
async def run(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlTransaction]:
    """A transaction that has a case."""
    async with OPENERS[request.param](tmp_path) as storage:
        assert isinstance(storage, SqlStorage)
        async with storage.cases(ACME) as unit:
            transaction: SqlTransaction = vars(unit)["transaction"]
            await transaction.run(insert(CASE), case_row(case()))
            yield transaction


@pytest.mark.parametrize(
    "wrong", [{"status": "gone"}, {"judgement": "maybe"}, {"title": None}, {"version": None}], ids=str
)
async def test_a_value_that_a_check_forbids_is_invalid_input(run: SqlTransaction, wrong: dict[str, object]) -> None:
    """The last line of defence says so in our words."""
    with pytest.raises(InvalidInputError) as caught:
        await run.run(update(CASE), wrong)
    assert "gone" not in str(caught.value)


async def test_a_row_that_belongs_to_nothing_is_refused(run: SqlTransaction) -> None:
    """Foreign keys hold."""
    with pytest.raises(NotFoundError, match="does not exist"):
        await run.run(insert(JOURNAL), entry_row(entry(case(2).id), ACME))


async def test_a_document_is_asked_for_by_path_alike(run: SqlTransaction) -> None:
    """In a list and in an object, for what is there and what is not."""
    await run.run(insert(JOURNAL), entry_row(entry(case().id), ACME))
    query = select(
        CASE.c.history[0]["by"].as_string(), CASE.c.history[0]["none"].as_string(), CASE.c.history[9]["by"].as_string()
    ).where(CASE.c.history[0]["to_status"].as_string() == "investigating")
    assert [tuple(row) for row in await run.run(query)] == [("ann", None, None)]
    found = select(JOURNAL.c.sequence).where(JOURNAL.c.detail["title"].as_string() == "t1")
    assert [row.sequence for row in await run.run(found)] == [1]


async def test_text_is_in_the_order_of_its_bytes(run: SqlTransaction) -> None:
    """Whatever the languages of the machine are."""
    titles = ["b", "B", "a", "Z", "Ä", "é", "e", "_", "10", "9", "\U0001f9ea"]
    for number, title in enumerate(titles, 2):
        await run.run(insert(CASE), case_row(case(number, title=title)))
    ordered = [row.title for row in await run.run(select(CASE.c.title).order_by(CASE.c.title))]
    assert ordered == sorted([*titles, "title 1"], key=str.encode)
    assert isinstance(CASE.c.title.type, String)

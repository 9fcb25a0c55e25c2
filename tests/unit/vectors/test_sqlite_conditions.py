"""Conditions on fields in SQLite name the keys of one scope by themselves, also where nothing around them does."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from faultmaven_adapters.vectors.sqlite import SqliteVectorStore
from faultmaven_adapters.vectors.sqlite.filters import condition
from faultmaven_contract_tests.vector_samples import EAST, SPEC, fresh_scope, record
from faultmaven_core.ports.vector_filters import And, Eq, Exists, Filter, In, Or


@pytest.mark.parametrize(
    "where",
    [
        Exists("title"),
        Eq("title", "same"),
        In("title", ("same", "other")),
        And(Exists("title"), Eq("title", "same")),
        Or(Eq("title", "same"), Eq("title", "other")),
    ],
    ids=str,
)
async def test_a_condition_finds_keys_of_its_scope_alone(tmp_path: Path, where: Filter) -> None:
    """Two organizations have the same record."""
    path = tmp_path / "vectors.db"
    store = SqliteVectorStore(path)
    await store.ensure(SPEC)
    for _ in range(2):
        await store.upsert(fresh_scope(), [record("a", EAST, title="same")])
    await store.aclose()
    with closing(sqlite3.connect(path)) as connection:
        for scope, key in connection.execute("SELECT scope, key FROM records").fetchall():
            text, parameters = condition(where, scope)
            assert connection.execute(f"SELECT key FROM records WHERE {text}", parameters).fetchall() == [(key,)]

"""`fm migrate` makes a PostgreSQL ready for services that may not change its tables."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from faultmaven_adapters.sql.migrations.head import HEAD
from faultmaven_contract_tests.servers import shared

FM = Path(sys.executable).parent / "fm"


@pytest.fixture
async def place() -> Iterator[dict[str, str]]:  # type: ignore[misc]  # an async generator, which pytest-asyncio unrolls
    """An empty database, its owner, and the services' role."""
    server, name = shared("postgres"), f"m{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(server.url)
    await connection.execute(f"CREATE ROLE {name}_owner LOGIN")
    await connection.execute(f"CREATE ROLE {name}_app LOGIN")
    await connection.execute(f"CREATE DATABASE {name} OWNER {name}_owner")
    host = server.url.partition("@")[2].partition("/")[0]
    yield {
        "FM_DATABASE_URL": f"postgresql://{name}_app@{host}/{name}",
        "FM_DATABASE_MIGRATION_URL": f"postgresql://{name}_owner@{host}/{name}",
    }
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.execute(f"DROP ROLE {name}_owner")
    await connection.execute(f"DROP ROLE {name}_app")
    await connection.close()


def fm(home: Path, variables: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    environ = {"PATH": os.environ["PATH"], "FM_HOME": str(home), "FM_STARTUP_WAIT": "5s", **variables}
    done = subprocess.run([FM, *arguments], env=environ, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.servers("postgres")
def test_an_empty_database_is_refused_then_migrated_then_used(place: dict[str, str], tmp_path: Path) -> None:
    """Services never change tables themselves; a second run finds nothing to do."""
    code, _, told = fm(tmp_path, place, "case", "list")
    assert code == 78
    assert "fm migrate" in told
    assert fm(tmp_path, place, "migrate") == (0, f"The database is at revision {HEAD} now; it was empty.\n", "")
    assert fm(tmp_path, place, "migrate") == (0, f"The database is at revision {HEAD} already.\n", "")
    code, text, _ = fm(tmp_path, place, "case", "list", "--json")
    assert (code, json.loads(text)["items"]) == (0, [])


@pytest.mark.servers("postgres")
def test_without_the_owners_url_the_variable_is_named(place: dict[str, str], tmp_path: Path) -> None:
    """The everyday user must not own the tables."""
    del place["FM_DATABASE_MIGRATION_URL"]
    code, _, told = fm(tmp_path, place, "migrate")
    assert code == 78
    assert "FM_DATABASE_MIGRATION_URL is not set" in told


def test_a_file_is_migrated_by_the_same_command(tmp_path: Path) -> None:
    """Though it also migrates itself."""
    code, text, _ = fm(tmp_path, {}, "migrate", "--json")
    assert (code, json.loads(text)) == (0, {"before": "", "after": HEAD})


def test_nothing_is_migrated_in_memory(tmp_path: Path) -> None:
    """It is said instead of done silently."""
    code, _, told = fm(tmp_path, {"FM_DATABASE_URL": "memory:"}, "migrate")
    assert code == 78
    assert "there is nothing to migrate" in told


@pytest.mark.servers("postgres")
def test_vectors_beside_the_rows_are_made_ready_too(place: dict[str, str], tmp_path: Path) -> None:
    """By an owner who is no superuser, once somebody who may has made the extension; then the services' own role can."""
    vectors = {**place, "FM_VECTORS_URL": "pgvector:"}
    code, _, told = fm(tmp_path, vectors, "migrate")
    assert (code, "CREATE EXTENSION vector" in told) == (78, True)
    asyncio.run(_with_extension(place["FM_DATABASE_URL"].rpartition("/")[2]))
    assert fm(tmp_path, vectors, "migrate")[0] == 0
    assert fm(tmp_path, vectors, "migrate")[0] == 0
    found = json.loads(fm(tmp_path, vectors, "doctor", "--json")[1])["findings"]
    tried = {step["step"]: step["outcome"] for step in found if step["dependency"] == "vectors (pgvector)"}
    assert tried["write, find, delete"] == "ok"


async def _with_extension(database: str) -> None:
    connection = await asyncpg.connect(urlsplit(shared("postgres").url)._replace(path=f"/{database}").geturl())
    await connection.execute("CREATE EXTENSION vector")
    await connection.close()

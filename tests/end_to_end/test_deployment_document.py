"""The shared installation of docs/deployment.md works as it is written, on real servers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from faultmaven_contract_tests.servers import shared

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "deployment.md").read_text()
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)[0]
SQL = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)[0]


@pytest.fixture
async def script(tmp_path: Path) -> AsyncIterator[str]:
    """The commands of the page with servers in the places of its examples."""
    postgres, s3, sentinel = shared("postgres"), shared("s3"), shared("redis_sentinel")
    name = f"d{uuid.uuid4().hex[:10]}"
    renamed = {"fm_owner": f"{name}_owner", "fm_app": f"{name}_app", "faultmaven OWNER": f"{name} OWNER"}
    connection = await asyncpg.connect(postgres.url)
    sql = SQL
    for written, own in renamed.items():
        sql = sql.replace(written, own)
    for statement in filter(None, map(str.strip, sql.split(";"))):
        await connection.execute(statement)
    secrets = {"fm-database": "...\n", "fm-owner": "...\n", "fm-s3": s3.secret_key}
    for file, value in secrets.items():
        (tmp_path / file).write_text(value)
    host = postgres.url.partition("@")[2].partition("/")[0]
    places = {
        "fm_app@db.example.com:5432/faultmaven": f"{name}_app@{host}/{name}",
        "fm_owner@db.example.com:5432/faultmaven": f"{name}_owner@{host}/{name}",
        "s3://faultmaven/": f"s3://{s3.bucket}/{name}-",
        "https://s3.example.com": s3.url,
        "=faultmaven\n": f"={s3.access_key}\n",
        "/run/secrets": str(tmp_path),
        "redis+sentinel://a.example.com:26379,b.example.com:26379,c.example.com:26379/mymaster": sentinel.url,
    }
    text = SHELL
    for written, there in places.items():
        assert written in text, written
        text = text.replace(written, there)
    yield text
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.execute(f"DROP ROLE {name}_owner")
    await connection.execute(f"DROP ROLE {name}_app")
    await connection.close()


@pytest.mark.servers("postgres", "s3", "redis_sentinel")
def test_the_shared_installation_works_as_written(script: str, tmp_path: Path) -> None:
    """Migrated, examined, and used by an investigation."""
    environ = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "FM_HOME": str(tmp_path),
    }
    script += "\nfm investigate examples/failed-job/evidence --copy\nfm case list\n"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        ["bash", "-euc", script], cwd=root, env=environ, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it was empty" in done.stdout
    assert "Everything works" in done.stdout
    assert "could not be resolved" in done.stdout
    assert "investigating" in done.stdout.splitlines()[-1]

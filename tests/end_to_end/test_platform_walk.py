"""The walk of README: sign up, open a case, send evidence, have it investigated, read the report, ask, find a runbook."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from faultmaven_contract_tests.servers import shared
from faultmaven_contract_tests.servers.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
FM = Path(sys.executable).parent / "fm"
SERVERS = ("postgres", "s3", "redis_sentinel", "milvus")
PATIENCE = 240
"""Seconds for the whole walk."""


def walk() -> str:
    """The commands, as README has them."""
    text = (ROOT / "README.md").read_text()
    found = re.search(r"## As a platform\n.*?```sh\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


@contextmanager
def walking(home: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """What the walk prints, with a server of its own that ends with it."""
    port = free_port()
    script = "set -eu\ntrap 'kill $!; wait' EXIT\n" + walk().replace("localhost:8090", f"127.0.0.1:{port}")
    for name in ("fm.log", "get-data.log", "result.json"):
        script = script.replace(name, str(home / name))
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "FM_HTTP_PORT": str(port),
        **settings,
    }
    shell = subprocess.Popen(
        ["bash", "-c", script],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = shell.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        out, err = shell.communicate()
        pytest.fail(f"The walk did not end.\n{out}\n{err}")
    assert shell.returncode == 0, f"{out}\n{err}"
    yield out


def judge(out: str) -> None:
    """Each station printed what it is for."""
    first, rest = out.split("\n", 1)
    assert '"size":100000000' in first
    assert "DNS resolution fails" in rest
    assert re.search(r"^doc_[0-9a-f]{12}$", rest, re.MULTILINE)
    assert rest.rstrip().endswith("Too many connections")


def test_the_walk_of_the_readme_leads_from_sign_up_to_a_runbook(tmp_path: Path) -> None:
    """On a machine where nothing is set up."""
    with walking(tmp_path, {}) as out:
        judge(out)


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Settings for PostgreSQL, a bucket, Redis behind Sentinel, Milvus and a worker beside the server."""
    postgres, bucket, redis, milvus = (shared(name) for name in SERVERS)
    name = f"w{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(postgres.url)
    for role in ("owner", "app"):
        await connection.execute(f"CREATE ROLE {name}_{role} LOGIN")
    await connection.execute(f"CREATE DATABASE {name} OWNER {name}_owner")
    host = postgres.url.partition("@")[2].partition("/")[0]
    yield {
        "FM_DATABASE_URL": f"postgresql://{name}_app@{host}/{name}",
        "FM_DATABASE_MIGRATION_URL": f"postgresql://{name}_owner@{host}/{name}",
        "FM_BLOBS_URL": f"s3://{bucket.bucket}/{name}",
        "FM_S3_ENDPOINT_URL": bucket.url,
        "FM_S3_ACCESS_KEY_ID": bucket.access_key,
        "FM_S3_SECRET_ACCESS_KEY": bucket.secret_key,
        "FM_CACHE_URL": redis.url,
        "FM_JOBS_URL": redis.url,
        "FM_VECTORS_URL": f"{milvus.url.replace('http://', 'milvus://')}",
        "FM_EMBEDDING_URL": "onnx:",
    }
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    for role in ("owner", "app"):
        await connection.execute(f"DROP ROLE {name}_{role}")
    await connection.close()


@pytest.mark.servers(*SERVERS)
def test_the_same_walk_leads_over_servers_with_a_worker(servers: dict[str, str], tmp_path: Path) -> None:
    """Nothing of it knows which backends there are; the server itself runs no job here."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **servers}
    subprocess.run([FM, "migrate"], env=environ, check=True, capture_output=True, timeout=120)
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen([FM, "worker", "--concurrency", "1"], env=environ, stdout=log, stderr=log)
    try:
        with walking(tmp_path, servers) as out:
            judge(out)
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0

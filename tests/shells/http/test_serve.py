"""`fm serve` as a process: there at once, ready when it can be, gone when what it began is done."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from faultmaven_contract_tests.servers.ports import free_port
from faultmaven_core import codec
from faultmaven_http.serve import ALIVE
from faultmaven_http.shapes.health import Alive
from tests.shells.http.processes import SECONDS, serving, until

UNUSED = {
    "aioboto3",
    "aiosmtplib",
    "alembic",
    "anthropic",
    "asyncpg",
    "boto3",
    "botocore",
    "celery",
    "chromadb",
    "docx",
    "hyperscan",
    "jinja2",
    "joserfc",
    "kombu",
    "langchain",
    "litellm",
    "numpy",
    "onnxruntime",
    "openai",
    "opentelemetry",
    "pinecone",
    "polars",
    "pyarrow",
    "pydantic",
    "pymilvus",
    "pypdf",
    "re2",
    "redis",
    "rich",
    "tokenizers",
    "zstandard",
}
"""Modules that a server on SQLite and files has no use for when it becomes ready."""


def test_a_new_installation_serves_signs_in_and_stops(tmp_path: Path) -> None:
    """On an empty folder; at SIGTERM the process ends by itself, with 0, and all it said on stdout is JSON."""
    with serving(tmp_path) as (child, address):
        until(child, f"{address}/health/ready")
        tokens = httpx2.post(f"{address}/api/v1/auth/dev-login", json={"username": "ann"}).json()
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert httpx2.post(f"{address}/api/v1/cases", json={}, headers=bearer).status_code == 201
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=SECONDS)
    assert child.returncode == 0, err
    assert "FaultMaven listens on 127.0.0.1:" in err
    assert "FaultMaven has stopped." in err
    assert [json.loads(line)["status"] for line in out.splitlines() if '"request"' in line] == [200, 201]


def test_while_its_database_is_away_it_lives_and_is_not_ready(tmp_path: Path) -> None:
    """Nobody restarts what only waits; it can be stopped while it waits."""
    nobody = f"postgresql://fm@127.0.0.1:{free_port()}/fm"
    with serving(tmp_path, FM_DATABASE_URL=nobody, FM_STARTUP_WAIT="60s", FM_BLOBS_URL="memory:") as (child, address):
        until(child, f"{address}/health/live")
        ready = httpx2.get(f"{address}/health/ready")
        assert ready.status_code == 503
        assert int(ready.headers["retry-after"]) >= 1
        assert httpx2.get(f"{address}/api/v1/cases").status_code == 503
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=SECONDS)
    assert child.returncode == 0


@pytest.mark.parametrize(
    ("environ", "code", "said"),
    [
        ({"FM_HTTP_HOST": "nonsense"}, 78, "FM_HTTP_HOST"),
        ({"FM_DATABASE_URL": "postgresql://fm@127.0.0.1:1/fm", "FM_STARTUP_WAIT": "0s"}, 75, "database"),
    ],
    ids=["a wrong setting", "a database that is not there"],
)
def test_what_cannot_be_served_ends_with_a_sentence(
    tmp_path: Path, environ: dict[str, str], code: int, said: str
) -> None:
    """And the exit code that every command has for it."""
    with serving(tmp_path, **environ) as (child, _):
        _, err = child.communicate(timeout=SECONDS)
    assert child.returncode == code
    assert "error: " in err
    assert said in err


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """The second server ends, the first one serves on."""
    with serving(tmp_path / "one") as (first, address):
        until(first, f"{address}/health/live")
        port = address.rpartition(":")[2]
        with serving(tmp_path / "two", FM_HTTP_PORT=port) as (second, _):
            _, err = second.communicate(timeout=SECONDS)
        assert second.returncode not in {0, None}
        assert port in err
        assert httpx2.get(f"{address}/health/live").status_code == 200


def test_one_service_can_be_served_alone(tmp_path: Path) -> None:
    """It has its own endpoints and no others."""
    with serving(tmp_path, "case") as (child, address):
        until(child, f"{address}/health/ready")
        assert httpx2.get(f"{address}/api/v1/cases").status_code == 401
        assert httpx2.get(f"{address}/api/v1/auth/config").status_code == 404


async def test_what_has_begun_is_finished_before_it_ends(tmp_path: Path) -> None:
    """A request that is being read when the signal comes is answered; no new one is taken."""
    with serving(tmp_path, FM_HTTP_GRACE="30s") as (child, address):
        await asyncio.to_thread(until, child, f"{address}/health/ready")
        async with httpx2.AsyncClient(base_url=address) as client:
            tokens = (await client.post("/api/v1/auth/dev-login", json={"username": "ann"})).json()
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(
            b"POST /api/v1/cases HTTP/1.1\r\nHost: fm.test\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            b"Expect: 100-continue\r\nAuthorization: Bearer " + tokens["access_token"].encode() + b"\r\n\r\n"
        )
        async with asyncio.timeout(SECONDS):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                _, probe = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
            except ConnectionError:
                break
            probe.close()
            await asyncio.sleep(0.05)
        assert child.poll() is None
        writer.write(b"{}")
        async with asyncio.timeout(SECONDS):
            answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert b"connection: close" in answer.lower()
        await asyncio.to_thread(child.communicate, None, SECONDS)
    assert child.returncode == 0


def test_the_port_opens_before_anything_heavy_is_loaded() -> None:
    """A probe is answered at once, on the smallest machine too."""
    program = (
        "import sys\nimport faultmaven_http.__main__\n"
        "heavy = {'sqlalchemy', 'numpy', 'prometheus_client', 'cryptography', 'starlette.routing', 'injector'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_what_the_settings_do_not_choose_is_not_loaded(tmp_path: Path) -> None:
    """A server that is ready has the drivers of its own stores, and nothing that only a certain request needs."""
    program = (
        "import asyncio, sys\nfrom faultmaven import load_settings\nfrom faultmaven_http.serve import opened\n"
        "async def main():\n    async with opened(load_settings(), ()):\n"
        f"        print('loaded:', sorted({UNUSED!r} & set(sys.modules)))\nasyncio.run(main())"
    )
    given = {**os.environ, "FM_HOME": str(tmp_path), "FM_DATABASE_URL": f"sqlite:{tmp_path / 'fm.db'}"}
    for _ in ("makes the tables, by a library that is not needed again", "finds them"):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=given)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_a_service_alone_loads_the_endpoints_of_no_other(tmp_path: Path) -> None:
    """Nor the description of the interface, which knows the shapes of all."""
    program = (
        "import asyncio, sys\nfrom faultmaven import load_settings\nfrom faultmaven_http.serve import opened\n"
        "async def main():\n    async with opened(load_settings(), ('session',)):\n"
        "        print(*sorted(name for name in sys.modules if name.startswith(('faultmaven_http.services.', 'faultmaven_http.shapes.'))))\n"
        "        print('faultmaven_http.openapi' in sys.modules)\nasyncio.run(main())"
    )
    given = {**os.environ, "FM_HOME": str(tmp_path), "FM_DATABASE_URL": f"sqlite:{tmp_path / 'fm.db'}"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=given)
    loaded, described = done.stdout.splitlines()[-2:]
    services = ("services.meta", "services.session", "services.table")
    shapes = ("shapes.health", "shapes.meta", "shapes.problem", "shapes.sessions")
    assert loaded.split() == [f"faultmaven_http.{name}" for name in (*services, *shapes)]
    assert described == "False"


def test_what_is_said_before_that_is_what_is_said_after() -> None:
    """The answer of the probe is written out by hand once."""
    assert codec.encode(Alive("alive")) == ALIVE

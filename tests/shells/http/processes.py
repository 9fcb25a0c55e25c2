"""`fm serve` as processes: one of its own, or several that share all they keep."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx2
import pytest

from faultmaven_contract_tests.servers import shared
from faultmaven_contract_tests.servers.ports import free_port
from storages import as_app, new_database

SECONDS = 60.0
"""For whatever a process does; a slow machine may take its time."""


@contextmanager
def serving(home: Path, service: str = "all", **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of its own, and its address; killed at the end if it still lives."""
    port = free_port()
    given = {**os.environ, "FM_HOME": str(home), "FM_HTTP_PORT": str(port), **environ}
    child = subprocess.Popen(
        [sys.executable, "-m", "faultmaven_cli.main", "serve", service],
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child, f"http://127.0.0.1:{port}"
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def until(child: subprocess.Popen[str], address: str, *, status: int = 200) -> None:
    """Return when that address answers so."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert child.poll() is None, child.communicate()
        try:
            if httpx2.get(address, timeout=5.0).status_code == status:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.02)
    pytest.fail(f"{address} does not answer {status}.")


class Replica:
    """One of several processes that serve the same; started again it has the same address. Its log is a file."""

    def __init__(self, home: Path, environ: Mapping[str, str], name: str) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._environ = {**os.environ, "FM_HOME": str(home), "FM_HTTP_PORT": str(port), **environ}
        home.mkdir(exist_ok=True)
        self._log = home / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def child(self) -> subprocess.Popen[bytes]:
        """The process that is running."""
        assert self._child is not None
        return self._child

    def start(self) -> None:
        """Start the process."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "faultmaven_http", "all"]
            self._child = subprocess.Popen(command, env=self._environ, stdout=log, stderr=log)

    async def ready(self) -> None:
        """Return when it takes requests."""
        deadline = time.monotonic() + SECONDS
        async with httpx2.AsyncClient(base_url=self.address, timeout=5.0) as client:
            while time.monotonic() < deadline:
                assert self.child.poll() is None, self.said()
                try:
                    if (await client.get("/health/ready")).status_code == 200:
                        return
                except httpx2.TransportError:
                    pass
                await asyncio.sleep(0.05)
        pytest.fail(f"{self.address} is not ready.\n{self.said()}")

    async def stop(self) -> int:
        """Ask it to stop, as an orchestrator does, and wait for its end; the exit code."""
        self.child.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.child.wait, SECONDS)

    def kill(self) -> None:
        """End it, however it is."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def records(self) -> Sequence[Mapping[str, object]]:
        """What it has logged."""
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    def said(self) -> str:
        """The last that it has written."""
        return self._log.read_text()[-2000:]


@contextmanager
def alone(home: Path, **environ: str) -> Iterator[Replica]:
    """A server that needs no other, ready."""
    server = Replica(home, environ, "server")
    try:
        server.start()
        asyncio.run(server.ready())
        yield server
    finally:
        server.kill()


@asynccontextmanager
async def replicas(number: int, folder: Path, **environ: str) -> AsyncIterator[Sequence[Replica]]:
    """So many servers on one PostgreSQL, one Redis and one folder, all started at once where nothing is yet, and ready.

    The test has the marker for the servers postgres and redis.
    """
    database = f"replicas_{os.getpid()}"
    postgres = shared("postgres").url
    await new_database(postgres, database)
    given = {
        "FM_DATABASE_URL": as_app(postgres, database),
        "FM_CACHE_URL": shared("redis").url,
        "FM_LOG_LEVEL": "warning",
        **environ,
    }
    with ExitStack() as stack:
        made = [Replica(folder / "home", given, f"replica-{index}") for index in range(number)]
        for replica in made:
            stack.callback(replica.kill)
            replica.start()
        await asyncio.gather(*(replica.ready() for replica in made))
        yield made


async def signed_in(address: str, username: str) -> dict[str, str]:
    """The headers of somebody who has signed in there."""
    async with httpx2.AsyncClient(base_url=address, timeout=SECONDS) as client:
        answer = await client.post("/api/v1/auth/dev-login", json={"username": username})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}

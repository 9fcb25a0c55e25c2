"""The servers of the tests can be harmed and mended as their tests assume, and start though ports are taken."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator

import asyncpg
import pytest
import redis as redis_client

from faultmaven_contract_tests.servers import Server, ServerError, private, redis, shared
from faultmaven_contract_tests.servers.fleet import Fleet
from faultmaven_contract_tests.servers.ports import HIGH, LOW, free_port, free_ports


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """Servers that belong to one test alone."""
    made = Fleet()
    yield made
    made.end()


def eventually(holds: Callable[[], bool], *, seconds: float = 20) -> None:
    """Asks until it does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def run_sql(server: Server, *statements: str) -> object:
    """The value of the last one; each is a transaction."""

    async def run() -> object:
        connection = await asyncpg.connect(server.url)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.mark.servers("redis")
def test_a_shared_server_is_one_for_the_whole_run() -> None:
    """Started once, and asked for by name."""
    assert shared("redis") is shared("redis")


def test_a_name_that_no_server_has_is_refused() -> None:
    """With the names that there are."""
    with pytest.raises(ServerError, match="No server is called reddis; there are chroma, llama"):
        shared("reddis")


def test_redis_keeps_what_it_acknowledged_through_a_kill() -> None:
    """So that what is lost later was lost by the product."""
    with private("redis") as server, redis_client.Redis.from_url(server.url) as client:
        client.set("fm:key", "value")
        server.kill()
        with pytest.raises(redis_client.ConnectionError):
            redis.ask(server.processes[0].port, "PING")
        server.restart()
        assert redis.ask(server.processes[0].port, "GET", "fm:key") == "value"


def test_postgresql_keeps_what_it_committed_through_a_kill() -> None:
    """Every process of it is gone, and it recovers on its own."""
    with private("postgres") as server:
        run_sql(server, "CREATE TABLE kept (number integer)", "INSERT INTO kept VALUES (7)")
        family = server.processes[0].family()
        server.kill()
        assert len(family) > 1
        assert server.processes[0].family() == []
        server.restart()
        assert run_sql(server, "SELECT number FROM kept") == 7


def test_a_paused_server_is_silent_until_it_is_resumed() -> None:
    """It is not closed: connections are taken, and what was asked is answered late."""
    with private("redis") as server:
        port = server.processes[0].port
        server.pause()
        with pytest.raises(redis_client.TimeoutError):
            redis.ask(port, "PING")
        server.resume()
        assert redis.ask(port, "PING") is True


@pytest.mark.parametrize("name", ["redis_sentinel", "redis_cluster"])
def test_another_primary_takes_over_when_it_is_killed(name: str) -> None:
    """Within seconds, and the killed one stays dead."""
    with private(name) as server:
        old = server.primary()
        old.kill()
        eventually(lambda: server.primary().port != old.port)
        assert not old.alive


def test_a_server_whose_port_was_taken_starts_at_another(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the choice of a port and its use, anybody may take it."""
    with socket.socket() as thief:
        taken = free_port()
        thief.bind(("127.0.0.1", taken))
        thief.listen()
        choices = iter([taken, free_port()])
        monkeypatch.setattr(redis, "free_port", lambda: next(choices))
        assert fleet.start("redis").processes[0].port != taken


def test_a_server_that_somebody_else_runs_is_used_but_not_harmed(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable names it; nothing is started."""
    monkeypatch.setenv("FM_TEST_S3_URL", "https://KEY:se%2Fcret@s3.example:9000/bucket")
    server = fleet.shared("s3")
    assert (server.url, server.bucket) == ("https://s3.example:9000", "bucket")
    assert (server.access_key, server.secret_key) == ("KEY", "se/cret")
    with pytest.raises(ServerError, match="s3 was not started by this run"):
        server.kill()


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    """With room for companions, and none is given twice."""
    ports = free_ports(50, companions=(10_000,))
    assert len(set(ports)) == 50
    assert all(LOW <= port < HIGH for port in ports)

"""One Redis primary, two replicas, three sentinels."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faultmaven_contract_tests.servers.ports import free_ports
from faultmaven_contract_tests.servers.process import Process, ServerError, wait_until_ready
from faultmaven_contract_tests.servers.redis import ask, new_server, node, version_of
from faultmaven_contract_tests.servers.server import Place, Server

MASTER = "mymaster"
REPLICAS = 2


def start(place: Place) -> Server:
    """Ready when every sentinel knows both replicas and both other sentinels."""
    nodes, sentinels = _ports()
    binary = new_server()
    quick = ("--repl-diskless-sync-delay", "0", "--repl-timeout", "5")
    processes = [node(place, binary, nodes[0], *quick)]
    processes += [node(place, binary, port, *quick, "--replicaof", f"127.0.0.1 {nodes[0]}") for port in nodes[1:]]
    wait_until_ready(place.name, lambda: _linked(nodes[1:]), processes)
    processes += [_sentinel(place, binary, port, nodes[0]) for port in sentinels]

    def ready() -> object:
        return all(_sees_all(port) for port in sentinels) and _followed(_primary(sentinels))

    wait_until_ready(place.name, ready, processes)
    return Server(
        name=place.name,
        url=f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in sentinels)}/{MASTER}",
        product="Redis Sentinel",
        version=version_of(nodes[0]),
        processes=processes,
        ready=ready,
        find_primary=lambda: _primary(sentinels),
    )


def _ports() -> tuple[list[int], list[int]]:
    found = free_ports(6)
    return found[:3], found[3:]


def _sentinel(place: Place, binary: Path, port: int, primary: int) -> Process:
    """A sentinel rewrites its file, so that each has one of its own."""
    folder = place.folder / str(port)
    folder.mkdir()
    conf = folder / "sentinel.conf"
    conf.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {MASTER} 127.0.0.1 {primary} 2\n"
        f"sentinel down-after-milliseconds {MASTER} 1000\n"
        f"sentinel failover-timeout {MASTER} 3000\n"
    )
    return Process(place.guard, [binary, conf, "--sentinel"], folder=folder, port=port)


def _linked(replicas: Sequence[int]) -> bool:
    return all(ask(port, "INFO", "replication").get("master_link_status") == "up" for port in replicas)


def _followed(primary: int) -> bool:
    return bool(ask(primary, "INFO", "replication")["connected_slaves"] == REPLICAS)


def _sees_all(sentinel: int) -> bool:
    info: Any = ask(sentinel, "INFO", "sentinel")
    known = info["master0"]
    return bool(known["status"] == "ok" and int(known["slaves"]) == REPLICAS and int(known["sentinels"]) == 3)


def _primary(sentinels: Sequence[int]) -> int:
    """As the first sentinel that answers says."""
    import redis

    for port in sentinels:
        with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
            answer: Any = ask(port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
            return int(answer[1])
    raise ServerError("No sentinel answers.")

"""A Redis Cluster of three primaries with a replica each."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from faultmaven_contract_tests.servers.ports import free_ports
from faultmaven_contract_tests.servers.process import ServerError, wait_until_ready
from faultmaven_contract_tests.servers.redis import ask, new_server, node, version_of
from faultmaven_contract_tests.servers.server import Place, Server

SLOTS = 16_384
PRIMARIES = 3


def start(place: Place) -> Server:
    """Ready when every node calls the cluster healthy and every replica follows its primary."""
    found = free_ports(4 * PRIMARIES)
    ports, buses = found[: 2 * PRIMARIES], found[2 * PRIMARIES :]
    binary = new_server()
    processes = [
        node(
            place, binary, port,
            "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "1500",
            "--cluster-port", bus, "--repl-diskless-sync-delay", "0", "--cluster-replica-validity-factor", "0",
            "--repl-ping-replica-period", "1",  # a replica is listed after the first byte that it gets
        )
        for port, bus in zip(ports, buses, strict=True)
    ]  # fmt: skip
    wait_until_ready(place.name, lambda: [ask(port, "PING") for port in ports], processes)
    _meet(ports, buses)
    wait_until_ready(place.name, lambda: all(_knows_all(port) for port in ports), processes)
    for primary, replica in zip(ports[:PRIMARIES], ports[PRIMARIES:], strict=True):
        ask(replica, "CLUSTER", "REPLICATE", ask(primary, "CLUSTER", "MYID"))

    def ready() -> object:
        return all(_is_healthy(port) for port in ports)

    wait_until_ready(place.name, ready, processes)
    return Server(
        name=place.name,
        url=f"redis+cluster://{','.join(f'127.0.0.1:{port}' for port in ports)}",
        product="Redis Cluster",
        version=version_of(ports[0]),
        processes=processes,
        ready=ready,
        find_primary=lambda: _primary(ports),
    )


def _meet(ports: Sequence[int], buses: Sequence[int]) -> None:
    """Shares the slots out and makes the nodes known to each other, the first to all."""
    for number, port in enumerate(ports):
        ask(port, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for number, port in enumerate(ports[:PRIMARIES]):
        first, last = SLOTS * number // PRIMARIES, SLOTS * (number + 1) // PRIMARIES - 1
        ask(port, "CLUSTER", "ADDSLOTSRANGE", first, last)
    for port, bus in zip(ports[1:], buses[1:], strict=True):
        ask(ports[0], "CLUSTER", "MEET", "127.0.0.1", port, bus)


def _cluster_info(port: int) -> dict[str, str]:
    answer: Any = ask(port, "CLUSTER INFO")
    return dict(answer)


def _knows_all(port: int) -> bool:
    return _cluster_info(port).get("cluster_known_nodes") == str(2 * PRIMARIES)


def _is_healthy(port: int) -> bool:
    """Clients read the nodes from CLUSTER SLOTS: there, too, every range must have its replica."""
    state, replication = _cluster_info(port), ask(port, "INFO", "replication")
    slots: Any = ask(port, "CLUSTER", "SLOTS")
    linked = replication["role"] == "master" or replication["master_link_status"] == "up"
    known = sum(len(nodes) for _, _, *nodes in slots) == 2 * PRIMARIES
    return bool(linked and known and state["cluster_state"] == "ok" and state["cluster_slots_ok"] == str(SLOTS))


def _primary(ports: Sequence[int]) -> int:
    """The one that serves the first slot."""
    import redis

    for port in ports:
        with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
            slots: Any = ask(port, "CLUSTER", "SLOTS")
            return next(int(primary[1]) for first, _, primary, *_ in slots if first == 0)
    raise ServerError("No node of the cluster answers.")

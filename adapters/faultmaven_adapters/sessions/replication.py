"""Writes that a failover does not undo: they count when enough replicas have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import exceptions
from redis.asyncio import Redis, RedisCluster, SentinelConnectionPool
from redis.asyncio.cluster import ClusterNode

from faultmaven_adapters._support.redis_clients import Client, Script

_PATIENCE = 500
"""Milliseconds in which replicas must have heard of it."""


async def replicated(
    script: Script, keys: Sequence[str], arguments: Sequence[str], replicas: int, client: Client
) -> tuple[Any, bool]:
    """A script's answer, and whether so many replicas, or all that are alive, have what it wrote.

    The script must write in every case: WAIT speaks of the last write of its own connection, and without one of nothing.
    """
    command: tuple[Any, ...] = ("EVAL", script.text, len(keys), *keys, *arguments)
    if replicas == 0:
        return await client.execute_command(*command), True
    node = client.get_node_from_key(keys[0]) if isinstance(client, RedisCluster) else None
    try:
        answer, have_it = await _both(client, node, command, ("WAIT", replicas, _PATIENCE))
    except (exceptions.ConnectionError, exceptions.TimeoutError):
        if isinstance(client, RedisCluster) and node:
            # After a failed command the client looks for its nodes again, but not after a failed pipeline.
            await client.nodes_manager.initialize(last_failed_node_name=node.name)
        raise
    except exceptions.AskError:
        # The slot has moved. The client follows and learns of it, but nobody has waited there: a repetition will.
        return await client.execute_command(*command), False
    return answer, have_it >= replicas or have_it >= await _alive(client, node, replicas)


async def _both(client: Client, node: ClusterNode | None, *commands: tuple[Any, ...]) -> Sequence[Any]:
    """The answers to commands that go over one connection; raises the first error that is among them."""
    there: dict[str, Any] = {"target_nodes": node} if node else {}
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command, **there)
    only_there = {"allow_redirections": False} if node else {}
    answers: Sequence[Any] = await pipeline.execute(raise_on_error=False, **only_there)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


async def _alive(client: Client, primary: ClusterNode | None, wanted: int) -> int:
    """The replicas that nobody has declared dead; only these can be promoted."""
    if isinstance(client, Redis):
        pool = client.connection_pool
        if not isinstance(pool, SentinelConnectionPool):
            return wanted  # a single address does not tell
        # This one raises where no sentinel answers; the other would say that there are no replicas.
        await pool.sentinel_manager.discover_master(pool.service_name)
        return len(await pool.sentinel_manager.discover_slaves(pool.service_name))
    nodes = (await client.execute_command("CLUSTER NODES", target_nodes=primary)).values()
    itself = next(told["node_id"] for told in nodes if "myself" in told["flags"].split(","))
    return sum(told["master_id"] == itself and "fail" not in told["flags"].split(",") for told in nodes)

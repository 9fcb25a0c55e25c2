"""What a Redis says of itself, asked only by commands that our restricted user may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import RedisCluster, Sentinel
from redis.exceptions import ResponseError

from faultmaven_adapters._support.redis_topologies import Client
from faultmaven_core.ports.health import Inspection

CLUSTER_MODE = "cluster"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OLDEST = (6, 2)

# INFO is among the dangerous commands. A script may ask first whether its user has the right, which leaves no denial in
# the server's log; servers before 7.0 cannot be asked, and answer with an error.
_MEMORY = "if redis.acl_check_cmd('INFO', 'memory') then return redis.call('INFO', 'memory') end"


async def ask(client: Client, *command: str | int) -> Any:
    """The answer of one server, in a cluster of any primary, to a command without keys."""
    options: dict[str, Any] = {}
    if isinstance(client, RedisCluster):
        await client.initialize()
        options["target_nodes"] = client.get_random_primary_node()
    return await client.execute_command(*command, **options)


async def hello(client: Client) -> dict[str, str]:
    """The server's greeting: product, version, mode (standalone, cluster) and role. Unlike INFO it is open to everybody."""
    answer = await ask(client, "HELLO")
    return {_text(name): _text(value) for name, value in zip(answer[::2], answer[1::2], strict=True)}


async def inspected(client: Client, sentinel: Sentinel | None) -> Inspection:
    """Product, version, clock and doubtful settings."""
    about = await hello(client)
    seconds, microseconds = await ask(client, "TIME")
    clock = _EPOCH + timedelta(seconds=int(seconds), microseconds=int(microseconds))
    warnings = [
        *_on_version(about["version"]),
        *_on_memory(await _memory(client)),
        *await _on_replicas(client, sentinel),
    ]
    return Inspection(about["server"], about["version"], clock, tuple(warnings))


async def _memory(client: Client) -> dict[str, str]:
    try:
        answer = await ask(client, "EVAL", _MEMORY, 0)
    except ResponseError:
        return {}
    lines = (line.partition(":") for line in _text(answer or b"").splitlines())
    return {name: value for name, _, value in lines}


def _on_version(version: str) -> Iterator[str]:
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        yield f"Version {version} is too old: 6.2 is the first that has what is used here."


def _on_memory(memory: dict[str, str]) -> Iterator[str]:
    policy = memory.get("maxmemory_policy")
    if policy is None:
        yield "Nobody could look at maxmemory-policy, for want of the right to INFO: see to it that it is noeviction."
    elif memory.get("maxmemory") != "0" and policy != "noeviction":
        yield f"maxmemory-policy is {policy}: when memory is full, sessions and leases vanish. Set it to noeviction."


async def _on_replicas(client: Client, sentinel: Sentinel | None) -> list[str]:
    if isinstance(client, RedisCluster):
        alone = len(client.get_primaries()) > len(client.get_replicas())
        return ["Some primary has no replica: when it fails, its part of the keys is out of reach."] if alone else []
    if sentinel is None:
        return []
    # A replica that is there has acknowledged this connection's writes, for there are none: nobody waits.
    if await client.wait(1, 100) == 0:
        return ["No replica follows the primary: when it fails, Sentinel has nothing to promote."]
    return []


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

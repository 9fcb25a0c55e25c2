"""The nodes of a Redis Cluster, as redis-py knows them, without the ways in which it would lose them for ever."""

from __future__ import annotations

from typing import Any

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode, NodesManager
from redis.exceptions import ClusterDownError, SlotNotCoveredError


class Nodes(NodesManager):
    """Begins its search also where it was told to at first; says with redis-py's own errors what it takes for granted."""

    __slots__ = ("_given",)

    def __init__(self, given: list[ClusterNode], **options: Any) -> None:
        super().__init__(given, **options)
        self._given = {node.name: node for node in given}

    async def initialize(
        self,
        additional_startup_nodes_info: list[tuple[str, int]] | None = None,
        last_failed_node_name: str | None = None,
    ) -> None:
        # What was found takes the place of what was given. But names stay, and addresses change, maybe all at once.
        self._remember()
        try:
            await super().initialize(additional_startup_nodes_info, last_failed_node_name)
        except IndexError as error:
            self._remember()
            raise ClusterDownError("No node has slots so far.") from error

    def get_node_from_slot(self, slot: int, *args: Any, **options: Any) -> ClusterNode:
        try:
            return super().get_node_from_slot(slot, *args, **options)
        except KeyError as error:
            raise SlotNotCoveredError(f"Slot {slot} is nobody's.") from error

    def _remember(self) -> None:
        for name, node in self._given.items():
            self.startup_nodes.setdefault(name, node)


def watch(cluster: RedisCluster) -> None:
    """Give a cluster's client, which has not been used so far, these nodes for its own."""
    plain = cluster.nodes_manager
    cluster.nodes_manager = Nodes(
        list(plain.startup_nodes.values()),
        require_full_coverage=plain.require_full_coverage,
        connection_kwargs=plain.connection_kwargs,
    )

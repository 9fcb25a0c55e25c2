"""What every port's adapter over Redis is besides: one of several that use the same clients, and closed by itself."""

from __future__ import annotations

from typing import ClassVar

from faultmaven_adapters._support.redis_clients import RedisClients
from faultmaven_core.ports.health import Inspection
from faultmaven_core.shared.errors import ConflictError


class RedisShare:
    """The clients until `aclose`; afterwards every use raises ConflictError with the sentence `_closed_sentence`."""

    _closed_sentence: ClassVar[str]

    def __init__(self, clients: RedisClients) -> None:
        self._clients = clients
        self._closed = False

    async def ping(self) -> None:
        await self._redis.ping()

    async def inspect(self) -> Inspection:
        return await self._redis.inspect()

    async def aclose(self) -> None:
        # The clients are shared: who opened them closes them.
        self._closed = True

    @property
    def _redis(self) -> RedisClients:
        if self._closed:
            raise ConflictError(self._closed_sentence)
        return self._clients

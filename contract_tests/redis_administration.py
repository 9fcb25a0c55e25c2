"""Places and administration of Redis servers, for tests of what goes wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import redis

from faultmaven_adapters._support.redis_clients import RedisPlace, open_redis
from faultmaven_adapters.cache.redis import RedisCache
from faultmaven_contract_tests.servers import Server
from faultmaven_core.ports.cache import CacheKey
from faultmaven_core.shared.errors import FaultMavenError
from faultmaven_core.shared.ids import OrganizationId
from redis_backends import place

MINUTE = timedelta(minutes=1)
KEY = CacheKey(OrganizationId("org"), "thing")


def quick(server: Server) -> RedisPlace:
    """The place with the time-outs that the product has."""
    return replace(place(server), connect_timeout=1.0, timeout=2.0)


async def failure(where: RedisPlace) -> FaultMavenError:
    """How the first call to a place fails."""
    clients = open_redis(where)
    try:
        with pytest.raises(FaultMavenError) as caught:
            await RedisCache(clients).get(KEY)
    finally:
        await clients.aclose()
    return caught.value


@contextmanager
def admin(server: Server) -> Iterator[redis.Redis]:
    """A connection that may do everything."""
    with closing(redis.Redis.from_url(server.admin_url or server.url)) as connection:
        yield connection

"""One real use of each port, under names of our own that are removed again or expire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from faultmaven_core.cases.model import Case
from faultmaven_core.ports.blobs import BlobCapability, BlobExistsError, BlobKey, BlobStore
from faultmaven_core.ports.cache import Cache, CacheKey
from faultmaven_core.ports.leases import Leases
from faultmaven_core.ports.rate_limit import RateLimit, RateLimiter, RateLimitKey
from faultmaven_core.ports.signals import Signals, Topic
from faultmaven_core.sessions.model import SessionToken, SignIn
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import SystemClock
from faultmaven_core.shared.errors import BackendError, CorruptDataError, NotFoundError
from faultmaven_core.shared.ids import OrganizationId, RandomIds, UserId, case_id

if TYPE_CHECKING:
    from faultmaven.composition.stores import Storage

ORGANIZATION = OrganizationId("fm-doctor")
"""Everything that is tried belongs to it, so nobody ever meets it."""

OTHER = OrganizationId("fm-doctor-other")
USER = UserId("doctor")
MINUTE = timedelta(minutes=1)
OLD = timedelta(minutes=1)
"""A job that waits longer than this finds no worker."""


async def rows(storage: Storage, mark: str) -> Sequence[str]:
    """A case is kept, found and removed."""
    case = _case(mark)
    async with storage.cases(ORGANIZATION) as unit:
        await unit.cases.add(case)
        await unit.commit()
    async with storage.cases(ORGANIZATION) as unit:
        found = await unit.cases.get(case.id)
        await unit.cases.remove(case.id, found.version)
        await unit.commit()
    if found != case:
        raise CorruptDataError("A row came back other than it was stored: look for triggers on the tables.")
    return ()


async def isolation(storage: Storage, mark: str) -> Sequence[str]:
    """A case of one organization does not exist for another."""
    case = _case(mark)
    async with storage.cases(ORGANIZATION) as unit:
        await unit.cases.add(case)
        await unit.commit()
    try:
        async with storage.cases(OTHER, read_only=True) as unit:
            await unit.cases.get(case.id)
    except NotFoundError:
        return ()
    else:
        raise BackendError(
            "Another organization saw the row: do not use this database before row-level security is mended."
        )
    finally:
        async with storage.cases(ORGANIZATION) as unit:
            await unit.cases.remove(case.id, case.version)
            await unit.commit()


async def blobs(store: BlobStore, mark: str) -> Sequence[str]:
    """A blob is stored, described, read in part and removed."""
    key, data = BlobKey(f"fm-doctor/{mark}"), mark.encode() * 1000
    try:
        put = await store.put(key, _chunks(data))
        async with store.open(key, start=16, length=16) as reader:
            part = b"".join([block async for block in reader])
        found = await store.stat(key)
    finally:
        await store.delete([key])
    if part != data[16:32] or found is None or found.size != put.size or await store.stat(key) is not None:
        raise CorruptDataError(
            "The blob came back other than it was stored: the store is not faithful; use another one."
        )
    return ()


async def conditional(store: BlobStore, mark: str) -> Sequence[str]:
    """A second create of one key is refused."""
    key = BlobKey(f"fm-doctor/{mark}-once")
    try:
        await store.put(key, _chunks(b"first"))
        try:
            await store.put(key, _chunks(b"second"))
        except BlobExistsError:
            exact = BlobCapability.CONDITIONAL_WRITE in store.capabilities
            said = "also of two at the same moment" if exact else "but not of two at the same moment"
            return (said,)
    finally:
        await store.delete([key])
    raise BackendError(
        "The store took a second blob under the key of the first: it ignores conditions; use another one."
    )


async def cache(store: Cache, mark: str) -> Sequence[str]:
    """A value is added once, compared and swapped, taken once."""
    key = CacheKey(ORGANIZATION, f"doctor:{mark}")
    first, second = b"1" + mark.encode(), b"2" + mark.encode()
    steps = [
        await store.add(key, first, ttl=MINUTE),
        not await store.add(key, second, ttl=MINUTE),
        await store.replace_if(key, first, second, ttl=MINUTE),
        await store.take(key) == second,
        await store.get(key) is None,
    ]
    if not all(steps):
        raise CorruptDataError("The cache answers other than it was told: no other program may use its keys (fm:*).")
    return ()


async def leases(store: Leases, mark: str) -> Sequence[str]:
    """A lease is held by one, and its token grows."""
    name = f"doctor:{mark}"
    first = await store.acquire(name, ttl=MINUTE, owner="one")
    refused = await store.acquire(name, ttl=MINUTE, owner="two")
    if first is not None:
        await store.release(first)
    second = await store.acquire(name, ttl=MINUTE, owner="two")
    if second is not None:
        await store.release(second)
    if first is None or refused is not None or second is None or second.token <= first.token:
        raise BackendError("Leases are not exclusive here: is this server shared, or does it lose what it was told?")
    return ()


async def signals(store: Signals, mark: str) -> Sequence[str]:
    """What is published arrives."""
    topic = Topic(ORGANIZATION, f"doctor:{mark}")
    async with store.subscribe(topic) as heard:
        await store.publish(topic, mark.encode())
        try:
            async with asyncio.timeout(5):
                payload = await anext(aiter(heard))
        except TimeoutError as error:
            raise BackendError(
                "A signal did not arrive within 5 s: may this user publish and subscribe (&fm:*)?"
            ) from error
    if payload != mark.encode():
        raise CorruptDataError("A signal arrived other than it was sent.")
    return ()


async def sessions(store: SessionStore) -> Sequence[str]:
    """A session begins, is found and ends."""
    from faultmaven_core.sessions.expiry import SessionLimits

    owner = Caller(ORGANIZATION, USER)
    token = SessionToken.new(owner)
    await store.create(
        SignIn(token.id, ORGANIZATION, USER, "doctor"), limits=SessionLimits(idle=MINUTE, absolute=MINUTE)
    )
    found = await store.get(token.id)
    await store.end(token.id)
    if found is None or await store.get(token.id) is not None:
        raise CorruptDataError("A session was not kept as long as it lived, or longer.")
    return ()


async def rate_limits(limiter: RateLimiter, mark: str) -> Sequence[str]:
    """One is allowed, the next is not."""
    key, limit = RateLimitKey(ORGANIZATION, f"doctor:{mark}"), RateLimit(rate=1, period=MINUTE, burst=1)
    decisions = [(await limiter.hit(key, limit)).allowed for _ in range(2)]
    if decisions != [True, False]:
        raise BackendError("The rate limiter does not count: no other program may use its keys (fm:*).")
    return ()


async def backlog(storage: Storage, *, embedded: bool) -> Sequence[str]:
    """How much waits, and whether somebody takes it."""
    depths = await storage.jobs.depths()
    waiting = [depth for depth in depths if str(depth.state) in {"queued", "waiting"}]
    count = sum(depth.jobs for depth in waiting)
    dead = sum(depth.jobs for depth in depths if str(depth.state) == "dead")
    warnings = []
    if dead:
        warnings.append(f"{dead} jobs were given up: `fm jobs dead` shows them, `fm jobs retry` begins one anew.")
    for depth in waiting:
        if depth.oldest is not None and datetime.now(UTC) - depth.oldest > OLD and str(depth.state) == "queued":
            who = "a program with this database runs them" if embedded else f"start `fm worker --queues {depth.queue}`"
            warnings.append(f"Jobs of the queue {depth.queue} wait since {depth.oldest:%H:%M:%S} UTC: {who}.")
    return (f"{count} waiting", *warnings)


def _case(mark: str) -> Case:
    now = datetime.now(UTC)
    key = RandomIds(SystemClock()).new()
    return Case(key, case_id(key), ORGANIZATION, USER, f"doctor {mark}", "", now, now)


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data

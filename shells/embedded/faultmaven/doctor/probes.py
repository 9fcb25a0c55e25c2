"""What is tried on each dependency: reach it, ask what it is, then write, read, change and delete."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from faultmaven.doctor import knowledge, trials
from faultmaven.doctor.findings import Step
from faultmaven.tree import Settings
from faultmaven_core.ports.health import Inspection, Pingable

if TYPE_CHECKING:
    from faultmaven.composition.backends import Backends

PINGS = 5
MOST_SKEW = timedelta(seconds=5)
"""Between our clock and a server's; leases, expiry and presigned URLs are compared across both."""

Work = Callable[[], Awaitable[Sequence[str]]]


def plan(settings: Settings, backends: Backends) -> Iterator[tuple[str, Sequence[Step]]]:
    """(dependency, steps) for everything that the settings name."""
    mark = secrets.token_hex(8)
    storage = backends.storage
    yield (
        f"database ({settings.database.url.scheme})",
        _steps(
            storage,
            ("write, read, delete", partial(trials.rows, storage, mark)),
            ("other organizations see nothing", partial(trials.isolation, storage, mark)),
            reach=partial(_started, backends),
        ),
    )
    yield (
        f"blobs ({settings.blobs.scheme})",
        _steps(
            backends.blobs,
            ("write, read, delete", partial(trials.blobs, backends.blobs, mark)),
            ("create only once", partial(trials.conditional, backends.blobs, mark)),
        ),
    )
    scheme = settings.cache.url.scheme
    yield (
        f"cache ({scheme})",
        _steps(
            backends.cache,
            ("write, read, delete", partial(trials.cache, backends.cache, mark)),
            ("leases", partial(trials.leases, backends.leases, mark)),
            ("signals", partial(trials.signals, backends.signals, mark)),
            ("sessions", partial(trials.sessions, backends.sessions)),
            ("rate limits", partial(trials.rate_limits, backends.rate_limiter, mark)),
        ),
    )
    yield from _of_knowledge(settings, backends, mark)
    if settings.jobs.url.scheme == "embedded":
        yield f"jobs ({settings.jobs.url.scheme})", [Step("backlog", partial(trials.backlog, storage, embedded=True))]
    else:
        backlog = ("backlog", partial(trials.backlog, storage, embedded=False))
        yield f"jobs ({settings.jobs.url.scheme})", _steps(backends.transport, backlog)
    if backends.telemetry.records:
        yield "traces (otlp)", _steps(backends.telemetry)


def _of_knowledge(settings: Settings, backends: Backends, mark: str) -> Iterator[tuple[str, Sequence[Step]]]:
    tried = ("write, find, delete", partial(knowledge.vectors, backends.vectors, mark))
    yield f"vectors ({settings.knowledge.vectors.scheme})", _steps(backends.vectors, tried)
    if (embedder := backends.embedding.embedder) is not None:
        tried = ("embed", partial(knowledge.embedding, embedder, mark))
        yield f"embedding ({settings.knowledge.embedding.scheme})", _steps(embedder, tried)


def _steps(server: Pingable, *works: tuple[str, Work], reach: Work | None = None) -> list[Step]:
    made = [Step("reach", reach or partial(_reached, server), needed=True)]
    if hasattr(server, "inspect"):  # what faces no server has nothing to say of itself
        made.append(Step("version and clock", partial(_inspected, server)))
    return made + [Step(name, work) for name, work in works]


async def _started(backends: Backends) -> Sequence[str]:
    await backends.storage.start()
    return await _reached(backends.storage)


async def _reached(server: Pingable) -> Sequence[str]:
    taken = []
    for _ in range(PINGS):
        begin = time.perf_counter()
        await server.ping()
        taken.append(time.perf_counter() - begin)
    return (f"answers in {median(taken) * 1000:.1f} ms",)


async def _inspected(server: Any) -> Sequence[str]:
    begin = datetime.now(UTC)
    found: Inspection = await server.inspect()
    said = f"{found.product} {found.version}".strip()
    warnings = list(found.warnings)
    if found.clock is not None:
        # The answer was on its way for a while; half of it is the best guess of when the clock was read.
        here = begin + (datetime.now(UTC) - begin) / 2
        skew = found.clock - here
        if abs(skew) > MOST_SKEW:
            warnings.append(
                f"Its clock is {abs(skew).total_seconds():.0f} s {'ahead of' if skew > timedelta(0) else 'behind'} ours: let "
                "both follow a time server (NTP)."
            )
    return (said, *warnings)

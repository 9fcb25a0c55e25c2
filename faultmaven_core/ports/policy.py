"""How a port's methods are called: per method whether it is idempotent, whether it streams, how long it may take, who retries.

One wrapper reads these tables. Drivers retry nothing, except what they alone can: the parts of an S3 upload, redirects
of a Redis Cluster, finding the primary of a Redis Sentinel again. What is part of a unit of work has no row: there the
database's own time-outs hold, and only the unit as a whole can be repeated, by the service that opened it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Streaming(StrEnum):
    """What a method does with streams."""

    NONE = "none"
    TAKES = "takes"  # an asynchronous iterable among its arguments
    GIVES = "gives"  # it returns an asynchronous iterator
    OPENS = "opens"  # it returns an asynchronous context manager; entering it is the call


class Retrier(StrEnum):
    """Who tries again after a failure that is retryable; below both of them the drivers, as said above."""

    WRAPPER = "wrapper"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Policy:
    """How one method is called. Without `deadline` and `pieces`, and with another retrier, it is called as it is.

    `deadline`: seconds that the whole call may take with all its tries; of a stream, until it is open.
    `pieces`: seconds that the backend may take for each piece of a stream, either way; the caller's own time is free.
    `source`: the argument with the stream that it takes; `kept`: of that, the bytes that are kept to be sent again.
    What is not idempotent is tried again only after BackendRefusedError and RateLimitedError: then nothing has happened.
    """

    idempotent: bool
    deadline: float | None = None
    streaming: Streaming = Streaming.NONE
    retrier: Retrier = Retrier.WRAPPER
    pieces: float | None = None
    source: str = ""
    kept: int = 0


Policies: TypeAlias = Mapping[str, Policy]
"""Method to policy."""

_PLAIN = Policy(idempotent=True, retrier=Retrier.NOBODY)
"""Called as it is: it does not wait for a backend, or its end must not be cut."""

HEALTH: Policies = {
    "ping": Policy(idempotent=True, deadline=5, retrier=Retrier.NOBODY),
    "inspect": Policy(idempotent=True, deadline=15, retrier=Retrier.NOBODY),
    "aclose": _PLAIN,
}

BLOBS: Policies = {
    **HEALTH,
    # A whole upload has no bound, its parts have. A create that is repeated would find itself: not idempotent.
    "put": Policy(idempotent=False, streaming=Streaming.TAKES, pieces=120, source="chunks", kept=8 << 20),
    "open": Policy(idempotent=True, deadline=60, streaming=Streaming.OPENS, pieces=60),
    "stat": Policy(idempotent=True, deadline=60),
    "delete": Policy(idempotent=True, deadline=120),
    "list": Policy(idempotent=True, deadline=60, streaming=Streaming.GIVES, pieces=60),
    "presign_get": Policy(idempotent=True, deadline=10),
}

CACHE: Policies = {
    **HEALTH,
    "get": Policy(idempotent=True, deadline=6),
    "get_many": Policy(idempotent=True, deadline=10),
    "set": Policy(idempotent=True, deadline=6),
    # True also when the present value is ours: asking again answers the same.
    "add": Policy(idempotent=True, deadline=6),
    "replace_if": Policy(idempotent=False, deadline=6),
    "touch": Policy(idempotent=True, deadline=6),
    "delete": Policy(idempotent=True, deadline=10),
    "take": Policy(idempotent=False, deadline=6),
}

LEASES: Policies = {
    **HEALTH,
    # The same owner gets the same lease again.
    "acquire": Policy(idempotent=True, deadline=6),
    "renew": Policy(idempotent=True, deadline=6),
    "release": Policy(idempotent=True, deadline=6),
}

SIGNALS: Policies = {
    **HEALTH,
    # At most once: a signal whose fate is not known is not said twice.
    "publish": Policy(idempotent=False, deadline=6),
    # How long the next signal takes is nobody's fault.
    "subscribe": Policy(idempotent=True, deadline=15, streaming=Streaming.OPENS),
}

RATE_LIMIT: Policies = {
    **HEALTH,
    # Counting one call twice would refuse honest callers.
    "hit": Policy(idempotent=False, deadline=3),
}

SESSIONS: Policies = {
    **HEALTH,
    # Both know a repeated call by its id: the sign-in's, the change's.
    "create": Policy(idempotent=True, deadline=6),
    "get": Policy(idempotent=True, deadline=6),
    "update": Policy(idempotent=True, deadline=6),
    "end": Policy(idempotent=True, deadline=6),
    # Its answer is a count, and a second try would count what is left.
    "end_all": Policy(idempotent=False, deadline=15),
    "list": Policy(idempotent=True, deadline=15, streaming=Streaming.GIVES, pieces=15),
}

VECTORS: Policies = {
    **HEALTH,
    "ensure": Policy(idempotent=True, deadline=60),
    "describe": Policy(idempotent=True, deadline=20),
    "drop": Policy(idempotent=True, deadline=120),
    # It replaces: a second one leaves what the first did. As many batches as the caller gives.
    "upsert": Policy(idempotent=True, deadline=300),
    "delete": Policy(idempotent=True, deadline=60),
    "delete_matching": Policy(idempotent=True, deadline=120),
    "delete_organization": Policy(idempotent=True, deadline=120),
    "search": Policy(idempotent=True, deadline=20),
    "get": Policy(idempotent=True, deadline=20),
    "count": Policy(idempotent=True, deadline=30),
    "scan": Policy(idempotent=True, deadline=60, streaming=Streaming.GIVES, pieces=60),
}

EMBEDDING: Policies = {
    **HEALTH,
    # Up to 256 texts in several requests, each with a time-out of its own. A second try costs the texts again, no harm.
    "embed": Policy(idempotent=True, deadline=180),
}

JOB_TRANSPORT: Policies = {**HEALTH, "notify": _PLAIN}

JOB_STORE: Policies = {
    # A claim that is repeated would take a second job, a result that is repeated would find its token used.
    "claim": Policy(idempotent=False, deadline=30),
    "renew": Policy(idempotent=True, deadline=20),
    "finish": Policy(idempotent=False, deadline=30),
    # What it answers counts as told of: a second answer would leave out the first.
    "unclaimed": Policy(idempotent=False, deadline=30),
    "depths": Policy(idempotent=True, deadline=30),
    "sweep": Policy(idempotent=False, deadline=60),
}

MAIL: Policies = {
    # Handed over twice is read twice; who asked for the letter may ask again.
    "send": Policy(idempotent=False, deadline=30),
    "aclose": _PLAIN,
}

POLICIES: Mapping[str, Policies] = {
    "BlobStore": BLOBS,
    "Cache": CACHE,
    "Embedder": EMBEDDING,
    "JobStore": JOB_STORE,
    "JobTransport": JOB_TRANSPORT,
    "Leases": LEASES,
    "Mailer": MAIL,
    "RateLimiter": RATE_LIMIT,
    "SessionStore": SESSIONS,
    "Signals": SIGNALS,
    "VectorStore": VECTORS,
}
"""Port to table."""

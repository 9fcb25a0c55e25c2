"""How a database is used, whatever its kind."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.shared.secret import Secret


@dataclass(frozen=True, slots=True)
class SqlOptions:
    """Times are in seconds. What SQLite has no use for (all but the pool's times) it leaves aside.

    `pool_size` connections are kept, `max_overflow` more are opened under load; a unit waits `pool_timeout` for one.
    `pre_ping`: a unit whose connection died while nobody used it begins again on a new one. `statement_timeout`,
    `lock_timeout` and `idle_timeout` (inside a transaction) are enforced by the server, and the first by us too, for a server
    that hangs. `transaction_pooler`: a pooler in front gives each transaction another connection. `read_url` names a
    replica for units that may lag. `startup_wait`: how long a start waits for a server that is starting too.
    """

    pool_size: int = 5
    max_overflow: int = 10
    pool_timeout: float = 10.0
    pool_recycle: int = 1800
    pre_ping: bool = True
    statement_timeout: float = 15.0
    lock_timeout: float = 3.0
    idle_timeout: float = 30.0
    connect_timeout: float = 5.0
    transaction_pooler: bool = False
    read_url: str = ""
    password: Secret | None = None
    startup_wait: float = 60.0

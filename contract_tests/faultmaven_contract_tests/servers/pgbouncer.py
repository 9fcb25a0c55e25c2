"""PgBouncer in transaction mode before the run's PostgreSQL."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from faultmaven_contract_tests.servers.ports import free_port
from faultmaven_contract_tests.servers.postgres import SUPERUSER, account, ready_at
from faultmaven_contract_tests.servers.process import Process, program
from faultmaven_contract_tests.servers.server import Place, Server

POOL = 20
"""Connections to the database, for each user and database."""


def start(place: Place, behind: Server) -> Server:
    """Ready when a query through it is answered. Whoever may log in behind it may log in here."""
    port = free_port()
    database = urlsplit(behind.url)
    configuration = place.folder / "pgbouncer.ini"
    configuration.write_text(
        "[databases]\n"
        f"* = host={database.hostname} port={database.port} auth_user={SUPERUSER}\n"
        "[pgbouncer]\n"
        "pool_mode = transaction\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_user = {SUPERUSER}\n"
        "auth_query = SELECT rolname, '' FROM pg_roles WHERE rolname = $1\n"
        f"default_pool_size = {POOL}\nmax_client_conn = 500\nserver_connect_timeout = 3\n"
    )
    binary = program("pgbouncer", package="Debian's pgbouncer")
    process = Process(place.guard, [binary, configuration], folder=place.folder, port=port, user=account())
    url = f"postgresql://{SUPERUSER}@127.0.0.1:{port}/postgres"
    server = ready_at(place, process, url)
    server.product, server.version = "PgBouncer", _version(binary)
    return server


def _version(binary: Path) -> str:
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    return told.stdout.split()[1]

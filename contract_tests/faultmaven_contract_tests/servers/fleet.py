"""The servers of a run: one of each that its tests need, started in parallel, and private ones to kill."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

from faultmaven_contract_tests.servers import (
    chroma,
    external,
    llama,
    milvus,
    pgbouncer,
    pinecone_emulator,
    postgres,
    rabbitmq,
    redis,
    redis_cluster,
    redis_sentinel,
    seaweedfs,
)
from faultmaven_contract_tests.servers.process import Guard, ServerError
from faultmaven_contract_tests.servers.server import Place, Server

ATTEMPTS = 3
"""Starts of a server whose port somebody else took first."""


class Fleet:
    """All servers of one run."""

    def __init__(self) -> None:
        self.guard = Guard()
        self._numbers = count()
        self._lock = threading.Lock()
        self._started: dict[str, Future[Server]] = {}
        self._pool = ThreadPoolExecutor(max_workers=len(STARTERS), thread_name_prefix="server")

    def request(self, names: Iterable[str]) -> None:
        """Starts these in the background, each once."""
        for name in names:
            self._future(name)

    def shared(self, name: str) -> Server:
        """The run's instance, ready. One that could not be started fails all who ask for it."""
        return self._future(name).result()

    def start(self, name: str) -> Server:
        """A new instance."""
        if name not in STARTERS:
            raise ServerError(f"No server is called {name}; there are {', '.join(sorted(STARTERS))}.")
        for attempt in range(1, ATTEMPTS + 1):
            folder = self.guard.folder / f"{name}-{next(self._numbers)}"
            folder.mkdir(mode=0o711)
            try:
                return STARTERS[name](self, Place(name, folder, self.guard))
            except ServerError as error:
                text = str(error).lower()
                taken = "address already in use" in text or "eaddrinuse" in text
                if not taken or attempt == ATTEMPTS:
                    raise
        raise AssertionError

    def died(self) -> list[str]:
        """What the shared servers wrote last that ended by themselves."""
        started = [future.result() for future in self._started.values() if future.done() and not future.exception()]
        return [
            f"The server {server.name} ended by itself. Its last lines:\n{process.last_lines()}"
            for server in started
            for process in server.processes
            if not process.alive
        ]

    def end(self) -> None:
        """Ends every process of every server; returns when none is left."""
        self.guard.end()
        self._pool.shutdown(cancel_futures=True)

    def _future(self, name: str) -> Future[Server]:
        with self._lock:
            if name not in self._started:
                given = external.server(name)
                self._started[name] = self._pool.submit(self.start, name) if given is None else _done(given)
            return self._started[name]


def _done(server: Server) -> Future[Server]:
    future: Future[Server] = Future()
    future.set_result(server)
    return future


STARTERS: Mapping[str, Callable[[Fleet, Place], Server]] = {
    "postgres": lambda _, place: postgres.start(place),
    "postgres_tls": lambda _, place: postgres.start_tls(place),
    "pgbouncer": lambda fleet, place: pgbouncer.start(place, fleet.shared("postgres")),
    "redis": lambda _, place: redis.start(place),
    "redis_old": lambda _, place: redis.start_old(place),
    "redis_tls": lambda _, place: redis.start_tls(place),
    "redis_sentinel": lambda _, place: redis_sentinel.start(place),
    "redis_cluster": lambda _, place: redis_cluster.start(place),
    "s3": lambda _, place: seaweedfs.start(place),
    "milvus": lambda _, place: milvus.start(place),
    "milvus_tls": lambda _, place: milvus.start_tls(place),
    "llama": lambda _, place: llama.start(place),
    "rabbitmq": lambda _, place: rabbitmq.start(place),
    "pinecone_emulator": lambda _, place: pinecone_emulator.start(place),
    "chroma": lambda _, place: chroma.start(place),
}

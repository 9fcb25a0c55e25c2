"""Signals within one process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faultmaven_adapters.signals.backlog import Backlog
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.signals import Signals, Topic, checked_payload
from faultmaven_core.shared.errors import ConflictError


class MemorySignals(Signals):
    """See the port."""

    def __init__(self) -> None:
        self._listening: defaultdict[Topic, set[Backlog]] = defaultdict(set)
        self._closed = False

    async def publish(self, topic: Topic, payload: bytes) -> None:
        self._check_open()
        checked_payload(payload)
        for backlog in self._listening.get(topic, ()):
            backlog.put(payload)

    @asynccontextmanager
    async def subscribe(self, topic: Topic) -> AsyncIterator[AsyncIterator[bytes]]:
        self._check_open()
        backlog = Backlog()
        self._listening[topic].add(backlog)
        try:
            yield backlog
        finally:
            self._listening[topic].discard(backlog)
            if not self._listening[topic]:
                del self._listening[topic]

    async def ping(self) -> None:
        self._check_open()

    async def inspect(self) -> Inspection:
        self._check_open()
        return Inspection("memory", "")

    async def aclose(self) -> None:
        self._closed = True
        for backlogs in self._listening.values():
            for backlog in backlogs:
                backlog.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ConflictError("The signals were closed.")

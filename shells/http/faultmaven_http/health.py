"""Whether the process lives, and whether what it needs answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from faultmaven_core.ports.health import Pingable
from faultmaven_core.shared.errors import FaultMavenError
from faultmaven_http.metrics import Metrics
from faultmaven_http.shapes.health import Dependency, Health

PATIENCE = 2.0
"""Seconds that a dependency has for its answer; probes of Kubernetes wait for little more."""

FRESH = 1.0
"""Seconds for which an answer holds: probes must not become load on what they probe."""


class Readiness:
    """Asks all dependencies at once, each with a time of its own. `leaving` is set when no more requests are wanted."""

    def __init__(self, probes: Mapping[str, Pingable], metrics: Metrics) -> None:
        self._probes, self._metrics = probes, metrics
        self._last: tuple[float, Health] | None = None
        self._asking = asyncio.Lock()
        self.leaving = False

    async def look(self) -> Health:
        """How everything is: healthy, unhealthy where anything is away, or stopping."""
        async with self._asking:
            if self._last is None or time.monotonic() - self._last[0] > FRESH:
                names = list(self._probes)
                found = await asyncio.gather(*(self._ask(name) for name in names))
                up = all(dependency.status == "up" for dependency in found)
                self._last = time.monotonic(), Health("healthy" if up else "unhealthy", tuple(found))
        last = self._last[1]
        return Health("stopping", last.dependencies) if self.leaving else last

    async def _ask(self, name: str) -> Dependency:
        began = time.perf_counter()
        problem = ""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._probes[name].ping()
        except TimeoutError:
            problem = "deadline_exceeded"
        except FaultMavenError as error:
            problem = error.code
        self._metrics.dependency(name, up=not problem)
        took = round((time.perf_counter() - began) * 1000, 2)
        return Dependency(name, "down" if problem else "up", problem, took)

"""How long the servers themselves take for another primary."""

from __future__ import annotations

import time

from faultmaven_contract_tests.servers import Process, Server

MOST = 60.0
"""Seconds after which a failover has not happened."""


def promotion(server: Server, former: Process) -> float:
    """Seconds from now until they have another primary than the former one. Blocks."""
    began = time.monotonic()
    while server.primary().pid == former.pid:
        assert time.monotonic() - began < MOST, f"{server.name} has had no other primary for {MOST} s."
        time.sleep(0.1)
    return time.monotonic() - began

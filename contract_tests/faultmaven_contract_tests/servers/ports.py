"""Free ports for servers: below the range from which the system takes ports for outgoing connections."""

from __future__ import annotations

import random
import socket
import threading

LOW, HIGH = 10_000, 22_000
"""So high that few services live there, so low that companions at +10000 stay below the ephemeral range."""

_given: set[int] = set()
_lock = threading.Lock()
_random = random.SystemRandom()


def free_ports(count: int, *, companions: tuple[int, ...] = ()) -> list[int]:
    """Ports that nobody listens on now and that this process has not given out yet, companions (offsets) included."""
    with _lock:
        found: list[int] = []
        while len(found) < count:
            port = _random.randrange(LOW, HIGH)
            wanted = {port, *(port + offset for offset in companions)}
            if wanted & _given or not all(map(_is_free, wanted)):
                continue
            _given.update(wanted)
            found.append(port)
        return found


def free_port() -> int:
    """One such port."""
    return free_ports(1)[0]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True

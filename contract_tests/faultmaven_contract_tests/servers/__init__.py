"""Real servers for tests: `shared` ones, started once per run, and `private` ones to kill.

Outside a test run both work as well; everything ends with the process.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from faultmaven_contract_tests.servers.fleet import Fleet
from faultmaven_contract_tests.servers.process import Process, ServerError
from faultmaven_contract_tests.servers.server import Server

__all__ = [
    "Process",
    "Server",
    "ServerError",
    "at_end",
    "died",
    "end",
    "needed_by",
    "needs",
    "private",
    "request",
    "shared",
]

Opener = TypeVar("Opener", bound=Callable[..., Any])

_fleets: list[Fleet] = []
_endings: list[Callable[[], object]] = []


def needs(*names: str) -> Callable[[Opener], Opener]:
    """Declares which shared servers an opener of backends uses."""

    def mark(opener: Opener) -> Opener:
        vars(opener)["needs"] = names
        return opener

    return mark


def needed_by(opener: object) -> tuple[str, ...]:
    """What an opener declared."""
    names: tuple[str, ...] = getattr(opener, "needs", ())
    return names


def request(names: Iterable[str]) -> None:
    """Starts shared servers in the background. Also with no name, nothing outlives the run from here on."""
    _fleet().request(sorted(set(names)))


def shared(name: str) -> Server:
    """The run's one instance of a server, when it is ready."""
    return _fleet().shared(name)


@contextmanager
def private(name: str) -> Iterator[Server]:
    """An instance of one's own, to kill, hang and restart; ended at exit."""
    server = _fleet().start(name)
    try:
        yield server
    finally:
        server.resume()
        server.kill()


def died() -> list[str]:
    """What is to be said of shared servers that do not run any more: a test harmed them, or they broke."""
    return [said for fleet in _fleets for said in fleet.died()]


def at_end(ending: Callable[[], object]) -> None:
    """Has it called before the servers end: for what tests share and no server is."""
    request(())
    _endings.append(ending)


def end() -> None:
    """Ends all servers; returns when none runs."""
    while _endings:
        _endings.pop()()
    while _fleets:
        _fleets.pop().end()


def _fleet() -> Fleet:
    if not _fleets:
        _fleets.append(Fleet())
        atexit.register(end)
    return _fleets[0]

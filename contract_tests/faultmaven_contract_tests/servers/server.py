"""A running server, as tests see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faultmaven_contract_tests.servers.process import Guard, Process, ServerError, wait_until_ready


@dataclass(kw_only=True)
class Server:
    """Where it is, what it is, and how to harm it. What a server does not have is empty."""

    name: str
    url: str
    product: str
    version: str
    processes: Sequence[Process] = ()
    """All of them; none when it is somebody else's (`FM_TEST_<NAME>_URL`)."""
    ready: Callable[[], object] = field(repr=False, default=lambda: True)
    """Answers False or fails while the server is not usable."""
    begun_again: Callable[[], object] = field(repr=False, default=lambda: None)
    """What is to be done when its processes run again, before it can be ready."""
    find_primary: Callable[[], int] | None = field(repr=False, default=None)
    """The port of the process that takes writes now."""
    ca: str = ""
    """The file of the private authority that signed its certificate."""
    username: str = ""
    password: str = field(repr=False, default="")
    admin_url: str = field(repr=False, default="")
    """For the tests themselves, where `url` belongs to a user with few rights."""
    access_key: str = ""
    secret_key: str = field(repr=False, default="")
    bucket: str = ""

    @property
    def pids(self) -> list[int]:
        """The processes that were started for it (not those that they started)."""
        return [process.pid for process in self.processes]

    def primary(self) -> Process:
        """The process that takes writes now: the one to kill for a failover."""
        if self.find_primary is None:
            raise ServerError(f"{self.name} has no primary.")
        port = self.find_primary()
        return next(process for process in self._own() if process.port == port)

    def kill(self) -> None:
        """As if the machine lost power."""
        for process in self._own():
            process.kill()

    def pause(self) -> None:
        """Hangs it."""
        for process in self._own():
            process.pause()

    def resume(self) -> None:
        """Lets it go on."""
        for process in self._own():
            process.resume()

    def stop(self) -> None:
        """Ends it as an administrator would."""
        for process in self._own():
            process.stop()

    def restart(self) -> None:
        """Starts it again, at the same ports with the same data, stopping what still runs; waits until it is ready."""
        self.stop()
        for process in self.processes:
            process.start()
        self.begun_again()
        wait_until_ready(self.name, self.ready, self.processes)

    def _own(self) -> Sequence[Process]:
        if not self.processes:
            raise ServerError(f"{self.name} was not started by this run: it cannot be killed, hung or restarted.")
        return self.processes


@dataclass(frozen=True, slots=True)
class Place:
    """What a server is started with: its name, a folder of its own, and the parent of its processes."""

    name: str
    folder: Path
    guard: Guard

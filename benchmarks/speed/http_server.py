"""A server as a process of its own: started, asked until it answers, measured, ended."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.speed.measure import used
from faultmaven_contract_tests.servers.ports import free_port

PATIENCE = 60.0
STEP = 0.002


@dataclass(slots=True)
class Running:
    """A server that was started at `began` (monotonic)."""

    process: subprocess.Popen[bytes]
    port: int
    began: float = field(default_factory=time.monotonic)

    def cpu(self) -> float:
        """Seconds of processor time that it and its children have used."""
        return used([self.process.pid])

    def peak(self) -> int:
        """Bytes of memory that it had at most; the system's own count also has what the program before it had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def until(self, path: str) -> float:
        """Ask until the answer is 200; seconds since the start. Raises SystemExit where that does not come."""
        while time.monotonic() - self.began < PATIENCE:
            if self.process.poll() is not None:
                raise SystemExit(f"A server ended with {self.process.returncode}.")
            try:
                if self._asked(path) == 200:
                    return time.monotonic() - self.began
            except OSError:
                """It does not listen yet."""
            time.sleep(STEP)
        raise SystemExit(f"{path} does not answer.")

    def _asked(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> Any:
        """What it answers, decoded. Raises SystemExit where that is no success."""
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path} was answered {answer.status}: {text.decode()}")
        return json.loads(text)

    def token(self) -> str:
        """An access token of somebody of the installation's own organization."""
        signed_in: dict[str, str] = self.ask("POST", "/api/v1/auth/dev-login", {"username": "ann"})
        return signed_in["access_token"]


@contextmanager
def started(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[Running]:
    """A server by a command that takes its port from FM_HTTP_PORT; what it logs is dropped."""
    port = free_port()
    given = {**os.environ, **environ, "FM_HTTP_PORT": str(port)}
    # An installation has its bytecode. Where Python is told to write none, each start would compile the sources anew.
    given.pop("PYTHONDONTWRITEBYTECODE", None)
    quiet = subprocess.DEVNULL
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=given, stdin=quiet, stdout=quiet, stderr=said)
        try:
            yield Running(process, port)
        except SystemExit:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise
        finally:
            process.kill()
            process.wait()


@contextmanager
def product(home: Path, service: str = "all", **environ: str) -> Iterator[Running]:
    """`fm serve`, without a rate limit that a benchmark would meet; requests are counted all the same."""
    given = {"FM_HOME": str(home), "FM_RATE_LIMIT": "1000000", **environ}
    with started([sys.executable, "-m", "faultmaven_http", service], given) as running:
        yield running


@contextmanager
def peer(name: str, *arguments: str) -> Iterator[Running]:
    """An application of `http_peers`."""
    with started([sys.executable, "-m", "benchmarks.speed.http_peers", name, *arguments], {}) as running:
        yield running

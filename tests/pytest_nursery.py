"""Runs of pytest that begin with everything imported that is not ours: most of a short run's time goes there.

Run as a program this is a nursery: it has imported that, and forks a run for each line on its standard input. What is ours
each run imports anew.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import pytest
from billiard.util import set_pdeathsig

ROOT = Path(__file__).resolve().parents[1]
OTHERS = (
    *("aiosqlite", "asyncpg", "httpx", "hypothesis.strategies", "hypothesis.stateful", "numpy", "pinecone", "psutil"),
    *("pymilvus.grpc_gen", "redis.asyncio", "sqlalchemy.ext.asyncio"),
)
"""What suites import and takes long."""


class Nursery:
    """A process that bears runs, one at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.pytest_nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], output: Path, *, timeout: float
    ) -> int | None:
        """Pytest with these arguments, its output in a file: its exit code, None where it did not end in time."""
        assert self._process.stdin
        assert self._process.stdout
        wanted = {"arguments": [*arguments], "environment": {**environment}, "output": str(output), "timeout": timeout}
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        code: int | None = json.loads(self._process.stdout.readline())
        return code

    def end(self) -> None:
        """Nothing of it is left."""
        self._process.communicate(timeout=30)


def _bear() -> None:
    _import()
    for line in sys.stdin:
        wanted = json.loads(line)
        run = os.fork()
        if run == 0:
            sys.exit(_run(**wanted))
        sys.stdout.write(f"{json.dumps(_code(run, wanted['timeout']))}\n")
        sys.stdout.flush()


def _import() -> None:
    with tempfile.TemporaryDirectory() as nothing, contextlib.redirect_stdout(sys.stderr):
        # Pytest itself must import its plugins, or it could not rewrite their assertions.
        options = ["-o", "asyncio_default_fixture_loop_scope=function", "-c", os.devnull, "--rootdir", nothing]
        pytest.main(["-qqq", "--noconftest", "-p", "no:cacheprovider", "--collect-only", *options, nothing])
    for name in OTHERS:
        import_module(name)
    # Pytest collects garbage several times at the end of a run, which would look through all of this.
    gc.freeze()


def _run(arguments: list[str], environment: dict[str, str], output: str, timeout: float) -> int:
    os.setsid()
    set_pdeathsig(signal.SIGKILL)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(written, 1)
    os.dup2(written, 2)
    return pytest.main(arguments)


def _code(run: int, timeout: float) -> int | None:
    """The run's exit code; None where it was killed, because its time was up or nobody waits for it any more."""
    end, parent = time.monotonic() + timeout, os.getppid()
    while True:
        ended, status = os.waitpid(run, os.WNOHANG)
        if ended:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        if time.monotonic() > end or os.getppid() != parent:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run, signal.SIGKILL)
        time.sleep(0.01)


if __name__ == "__main__":
    _bear()

"""`fm` as a person runs it: a process of its own, with a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FM = [sys.executable, "-m", "faultmaven_cli.main"]

DESCRIBED = """\
Name:             web-0
Namespace:        shop
Status:           Pending
Containers:
  app:
    Image:          registry.local/web:1.0
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  9
    Limits:
      memory:       128Mi
Events:
  Type     Reason   Age                 From     Message
  ----     ------   ----                ----     -------
  Warning  BackOff  90s (x12 over 9m)   kubelet  Back-off restarting failed container app in pod web-0
"""
"""A container that is killed for memory, as `kubectl describe pod` tells it."""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has no cases yet."""
    return {**os.environ, "FM_HOME": str(tmp_path / "home"), "COLUMNS": "100"}


@pytest.fixture
def fm(environ: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `fm` with arguments, and perhaps something on standard input."""

    def run(*arguments: str | Path, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*FM, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={**environ, **more},
        )

    return run


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """A folder with a broken pod, its log, and a file that cannot be read as text."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "describe.txt").write_text(DESCRIBED)
    (folder / "web-0.log").write_text(
        "".join(f"2026-03-02T14:{n // 60:02d}:{n % 60:02d}Z INFO served request {n}\n" for n in range(300))
        + "2026-03-02T14:05:01Z ERROR java.lang.OutOfMemoryError: Java heap space password=Tr0ub4dor&3xyz\n"
    )
    (folder / "core.bin").write_bytes(bytes(range(256)) * 64)
    return folder

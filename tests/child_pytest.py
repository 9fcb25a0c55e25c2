"""Runs tests in a child process against a changed module: would they notice?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.changed_source import FILE, MODULE

ROOT = Path(__file__).resolve().parents[1]

_NAME = re.compile(r"^(?:FAILED|ERROR) \S*?::(test_\w+)", re.MULTILINE)
"""The test's name in a line `FAILED file::Class::name[parameters] - error`; ERROR where its tear-down found it."""

FAILURES = 1
"""Pytest's exit code where tests ran and some failed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child run ended; `code` is None where it did not end in time."""

    code: int | None
    failed: frozenset[str]
    """Names of the tests that failed."""
    output: str


def run_changed(module: str, source: str, arguments: Sequence[str], folder: Path, *, timeout: float) -> Outcome:
    """Run pytest with these arguments where `module` has this source."""
    file = folder / f"{module}.py"
    file.write_text(source)
    # Coverage would count the changed text, a contract record would tell of it, and hypothesis would remember it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "FM_CONTRACT"))}
    environment |= {MODULE: module, FILE: str(file), "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}
    command = [sys.executable, "-m", "pytest", "-p", "tests.changed_source", "-p", "no:cacheprovider", "--no-cov"]
    try:
        done = subprocess.run(
            [*command, "-q", "--tb=line", "-rfE", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return Outcome(None, frozenset(), str(late.output))
    return Outcome(done.returncode, frozenset(_NAME.findall(done.stdout)), done.stdout)

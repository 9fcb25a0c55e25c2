"""Runs tests in a child process against a changed module: would they notice?"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faultmaven_contract_tests.servers import at_end
from tests.changed_source import FILE, MODULE
from tests.pytest_nursery import Nursery

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
    options = ["-p", "tests.changed_source", "-p", "no:cacheprovider", "--no-cov", "-q", "--tb=line", "-rfE"]
    output = folder / f"{module}.txt"
    try:
        nursery = _idle.pop()
    except IndexError:
        nursery = _new_nursery()
    code = nursery.run([*options, *arguments], environment, output, timeout=timeout)
    _idle.append(nursery)
    told = output.read_text(errors="replace")
    return Outcome(code, frozenset(_NAME.findall(told)) if code is not None else frozenset(), told)


_idle: list[Nursery] = []
"""Those who bear no run; as many as there ever were runs at once."""


def _new_nursery() -> Nursery:
    nursery = Nursery()
    at_end(nursery.end)
    return nursery

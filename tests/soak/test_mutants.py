"""Of 200 mutants of the adapters in memory, on the file system and on SQLite, at least four in five are noticed."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.child_pytest import Outcome, run_changed
from tests.pytest_nursery import ROOT
from tests.soak.mutation import Mutant, mutants

SEED = 20261123
SAMPLED = 200
LEAST_KILLED = 0.8
PATIENCE = 180
"""Seconds after which a mutant counts as noticed: it hangs, and so does its test."""

NOTICED = {1, 2, None}
"""Exit codes of a run in which tests failed, or could not even be collected; None where it did not end."""

_BLOBS, _BLOB_FILES = (
    "contract_tests/test_blobs.py",
    "contract_tests/test_blobs.py tests/unit/storage/test_blob_files.py",
)
_ROWS, _JOBS = "contract_tests/test_repositories.py", "contract_tests/test_jobs.py"
_EVERYTHING = f"{_ROWS} {_JOBS}"

TESTS: dict[str, tuple[str, str]] = {
    "adapters/faultmaven_adapters/blobs/memory.py": (_BLOBS, "memory"),
    "adapters/faultmaven_adapters/blobs/filesystem.py": (_BLOB_FILES, "filesystem"),
    "adapters/faultmaven_adapters/blobs/blob_file.py": (_BLOB_FILES, "filesystem"),
    "adapters/faultmaven_adapters/cache/memory.py": ("contract_tests/test_cache.py", "memory"),
    "adapters/faultmaven_adapters/leases/memory.py": ("contract_tests/test_leases.py", "memory"),
    "adapters/faultmaven_adapters/ratelimit/memory.py": ("contract_tests/test_rate_limit.py", "memory"),
    "adapters/faultmaven_adapters/sessions/memory.py": ("contract_tests/test_sessions.py", "memory"),
    "adapters/faultmaven_adapters/signals/memory.py": ("contract_tests/test_signals.py", "memory"),
    "adapters/faultmaven_adapters/sql/memory.py": (_EVERYTHING, "memory,embedded_memory"),
    "adapters/faultmaven_adapters/sql/memory_contexts.py": (_ROWS, "memory"),
    "adapters/faultmaven_adapters/sql/memory_jobs.py": (f"{_JOBS} {_ROWS}", "memory"),
    "adapters/faultmaven_adapters/sql/memory_tables.py": (_EVERYTHING, "memory,embedded_memory"),
    "adapters/faultmaven_adapters/sql/[ace]*.py": (_ROWS, "sqlite"),
    "adapters/faultmaven_adapters/sql/job*.py": (f"{_JOBS} {_ROWS}", "sqlite"),
    "adapters/faultmaven_adapters/sql/migrate.py": (f"tests/unit/storage/test_migration.py {_ROWS}", "sqlite"),
    "adapters/faultmaven_adapters/sql/[rstu]*.py": (_EVERYTHING, "sqlite,embedded"),
    "faultmaven_core/ports/blobs.py": (f"{_BLOBS} tests/unit/storage/test_blob_values.py", "memory,filesystem"),
    "faultmaven_core/ports/cache.py": ("contract_tests/test_cache.py", "memory"),
    "faultmaven_core/ports/leases.py": ("contract_tests/test_leases.py", "memory"),
    "faultmaven_core/ports/lifetime.py": ("contract_tests/test_cache.py contract_tests/test_leases.py", "memory"),
    "faultmaven_core/ports/rate_limit.py": ("contract_tests/test_rate_limit.py", "memory"),
    "faultmaven_core/ports/signals.py": ("contract_tests/test_signals.py", "memory"),
    "faultmaven_core/sessions/[em]*.py": ("contract_tests/test_sessions.py", "memory"),
}
"""Files to the tests that should notice, and the backends to run these on. PostgreSQL's own modules need a server."""


def population() -> Iterator[tuple[Mutant, str, str]]:
    """Every mutant there is, with its tests and backends."""
    for pattern, (tests, backends) in TESTS.items():
        files = sorted(ROOT.glob(pattern))
        assert files, f"No file is called {pattern}."
        for file in files:
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removeprefix("adapters.")
            for mutant in mutants(module, file.read_text()):
                yield mutant, tests, backends


def unsound(folder: Path) -> list[str]:
    """What the sets of tests say that fail without a mutant: there every mutant would count as noticed."""
    first = {(tests, backends): mutant for mutant, tests, backends in population()}
    outcomes = []
    for number, ((tests, backends), mutant) in enumerate(first.items()):
        place = folder / f"unchanged-{number}"
        place.mkdir()
        outcomes.append(_run(mutant.module, mutant.original, tests, backends, place))
    return [outcome.output for outcome in outcomes if outcome.code != 0]


def tried(chosen: tuple[Mutant, str, str], folder: Path) -> tuple[Mutant, Outcome]:
    """A mutant, and how its tests ended."""
    mutant, tests, backends = chosen
    folder.mkdir()
    return mutant, _run(mutant.module, mutant.source(), tests, backends, folder)


def _run(module: str, source: str, tests: str, backends: str, folder: Path) -> Outcome:
    return run_changed(module, source, ["-x", "--backends", backends, *tests.split()], folder, timeout=PATIENCE)


@pytest.mark.soak
def test_four_in_five_mutants_are_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who survives is listed: each is a clause to write, or a change that changes nothing."""
    assert unsound(tmp_path) == []
    chosen = random.Random(SEED).sample(list(population()), SAMPLED)
    folders = [tmp_path / str(number) for number in range(SAMPLED)]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(tried, chosen, folders))
    survivors = [mutant for mutant, outcome in outcomes if outcome.code not in NOTICED]
    with capsys.disabled():
        sys.stdout.write(f"\n{SAMPLED - len(survivors)} of {SAMPLED} mutants were noticed. The others:\n")
        sys.stdout.writelines(f"  {mutant.module} {mutant.what}\n" for mutant in survivors)
    assert {outcome.code for _, outcome in outcomes} <= NOTICED | {0}
    assert len(survivors) <= SAMPLED * (1 - LEAST_KILLED)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("if a < b:\n        f()", "if a <= b:\n        f()"),
        ("if a < b:\n        f()", "if not a < b:\n        f()"),
        ("await g()", "g()"),
        ("await g()", "pass"),
        ("return a + 1", "return a - 1"),
        ("return a + 1", "return a + 2"),
        ("return a + 1", "return"),
        ("return a and b", "return a or b"),
        ("raise E('no')", "pass"),
        ("return f(a, key=b)", "return f(a)"),
        ("self.x = 1", "pass"),
    ],
)
def test_each_kind_of_mistake_is_made(good: str, bad: str) -> None:
    """Planted."""
    head = "async def planted(a, b):\n    "
    made = {mutant.source() for mutant in mutants("planted", f"{head}{good}\n")}
    assert f"{head}{bad}" in made


def test_words_are_left_alone() -> None:
    """Docstrings, logs, and what errors say: a change there is no mistake."""
    source = 'def planted():\n    """Says 1."""\n    _log.info("%d", 1 + 1)\n'
    assert mutants("planted", source) == []

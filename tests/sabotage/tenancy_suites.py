"""Which tests are to notice that a tenant predicate is gone: by the module that it is gone from, the nearest ones first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.child_pytest import FAILURES, run_changed
from tests.pytest_nursery import ROOT
from tests.sabotage.tenant_predicates import Predicate, predicates

NOTHING_CHOSEN = 5
"""Pytest's exit code where `-k` chose no test."""

SOURCES = ("adapters/faultmaven_adapters", "faultmaven_core", "shells")
_OTHERS = "organization or foreign or other or tenant or everybody or same_ids or loses_its_job or chosen_id or apart"


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests on backends; `-k` chooses among them, the empty text chooses all."""

    tests: str
    backends: str = ""
    chosen: str = ""

    def arguments(self) -> list[str]:
        """For pytest."""
        backends = ["--backends", self.backends] if self.backends else []
        return ["-x", *self.tests.split(), *backends, *(["-k", self.chosen] if self.chosen else [])]


def _on(tests: str, backends: str) -> tuple[Suite, ...]:
    """The clauses that speak of organizations, then all."""
    return Suite(tests, backends, _OTHERS), Suite(tests, backends)


_ROWS, _PEOPLE, _JOBS = (
    f"contract_tests/{name}.py" for name in ("test_repositories", "test_identity_repositories", "test_jobs")
)
_ROWS = f"contract_tests/test_pages.py {_ROWS}"
_POLICIES = (
    Suite("contract_tests/test_postgres_migrations.py", "", "forces or down"),
    Suite("contract_tests/test_postgres.py", "", "sql or setting or foreign"),
)
_KEYS = Suite("tests/unit/storage/test_tenant_keys.py")

SUITES: dict[str, tuple[Suite, ...]] = {
    "adapters/faultmaven_adapters/cache/redis.py": _on("contract_tests/test_cache.py", "redis"),
    "adapters/faultmaven_adapters/ratelimit/redis.py": _on("contract_tests/test_rate_limit.py", "redis"),
    "adapters/faultmaven_adapters/signals/redis.py": _on("contract_tests/test_signals.py", "redis"),
    "adapters/faultmaven_adapters/sql/memory_jobs.py": _on(f"{_ROWS} {_JOBS}", "memory,embedded_memory"),
    "adapters/faultmaven_adapters/sql/memory_identity*.py": _on(_PEOPLE, "memory"),
    "adapters/faultmaven_adapters/sql/memory_credentials.py": _on(_PEOPLE, "memory"),
    "adapters/faultmaven_adapters/sql/memory*.py": _on(f"{_ROWS} {_JOBS}", "memory,embedded_memory"),
    "adapters/faultmaven_adapters/sql/migrations/versions/v0004_knowledge.py": (
        *_POLICIES,
        Suite("contract_tests/test_knowledge_index.py"),
    ),
    "adapters/faultmaven_adapters/sql/migrations/*/*.py": _POLICIES,
    "adapters/faultmaven_adapters/sql/identity*.py": _on(_PEOPLE, "sqlite"),
    "adapters/faultmaven_adapters/sql/knowledge*.py": (
        Suite("contract_tests/test_knowledge_index.py"),
        *_on(_ROWS, "sqlite"),
    ),
    "adapters/faultmaven_adapters/sql/job*.py": _on(f"{_ROWS} {_JOBS}", "sqlite,embedded"),
    "adapters/faultmaven_adapters/sql/postgres.py": _on(_ROWS, "postgres"),
    "adapters/faultmaven_adapters/sql/transfer.py": (Suite("tests/unit/transfer/test_tables.py"),),
    "adapters/faultmaven_adapters/sql/unit.py": (Suite("contract_tests/test_postgres_locks.py"), *_on(_ROWS, "sqlite")),
    "adapters/faultmaven_adapters/sql/*.py": _on(_ROWS, "sqlite"),
    "adapters/faultmaven_adapters/vectors/chroma/*.py": _on("contract_tests/test_vectors.py", "chroma"),
    "adapters/faultmaven_adapters/vectors/memory.py": _on("contract_tests/test_vectors.py", "memory"),
    "adapters/faultmaven_adapters/vectors/milvus/*.py": _on("contract_tests/test_vectors.py", "milvus_lite"),
    "adapters/faultmaven_adapters/vectors/pgvector/*.py": (
        *_on("contract_tests/test_vectors.py", "pgvector"),
        Suite("contract_tests/test_pgvector.py"),
    ),
    "adapters/faultmaven_adapters/vectors/pinecone/*.py": (
        *_on("contract_tests/test_vectors.py", "pinecone_emulated"),
        Suite("contract_tests/test_pinecone.py"),
    ),
    "adapters/faultmaven_adapters/vectors/sqlite/*.py": (
        Suite("tests/unit/vectors/test_sqlite_conditions.py"),
        *_on("contract_tests/test_vectors.py", "sqlite"),
    ),
    "faultmaven_core/evidence/*.py": (_KEYS, Suite("tests/unit/evidence")),
    "faultmaven_core/identity/*.py": (Suite("tests/unit/identity"),),
    "faultmaven_core/investigation/*.py": (_KEYS,),
    "faultmaven_core/jobs/*.py": (_KEYS, Suite("tests/unit/jobs")),
    "faultmaven_core/knowledge/*.py": (_KEYS, Suite("contract_tests/test_knowledge_tenancy.py", "memory")),
    "faultmaven_core/ports/*.py": _on(_ROWS, "memory"),
    "faultmaven_core/sessions/*.py": (_KEYS, *_on("contract_tests/test_sessions.py", "memory")),
    "faultmaven_core/shared/*.py": (_KEYS, *_on("contract_tests/test_cache.py", "memory")),
}
"""Files to the suites to run, the first pattern that a file meets."""

_BY_POLICY = "keeps apart what row-level security keeps apart: that is removed in turn"
_SAID = "what people are told"

NO_PREDICATES = {
    **dict.fromkeys(
        [
            f"faultmaven_adapters.vectors.pgvector.store PgVectorStore.{name}"
            for name in ("_search", "_count", "_remove", "_get", "_pages")
        ],
        _BY_POLICY,
    ),
    "faultmaven_core.evidence.uploads Quota.left": "limits of size, in order",
    "faultmaven_core.evidence.uploads Quota.check": "limits of size, in words",
    "faultmaven_core.identity.letters Letters.invitation": _SAID,
    "faultmaven_core.shared.caller Caller.__post_init__": "the name of a field, in words",
    "faultmaven_core.transfer.tables TableCargo.found": _SAID,
    "faultmaven_core.transfer.tables TableCargo.parts": _SAID,
    "faultmaven_core.transfer.vectors VectorCargo.found": _SAID,
    "faultmaven_core.transfer.vectors VectorCargo.parts": _SAID,
    "faultmaven_cli.audit verify": _SAID,
    "faultmaven.variables Reading.caller": "variables of the environment: another kind of organization",
}
"""Functions in which an organization is named and nothing is kept apart by it alone, and why."""


def population() -> Sequence[tuple[Predicate, tuple[Suite, ...]]]:
    """Every predicate there is, with the suites that are to notice its absence."""
    return [(one, _suites(file)) for file, one in looking_alike() if one.where not in NO_PREDICATES]


@cache
def looking_alike() -> Sequence[tuple[Path, Predicate]]:
    """Also what is none."""
    files = [file for source in SOURCES for file in sorted((ROOT / source).rglob("*.py"))]
    return [(file, one) for file in files for one in predicates(_module(file), file.read_text())]


def noticed(predicate: Predicate, suites: Sequence[Suite], folder: Path) -> Sequence[str]:
    """The tests that failed without it: nothing where all passed. What cannot even be imported proves nothing."""
    return _failed(predicate.module, predicate.removed(), suites, folder)


def failed_anyway(predicate: Predicate, suites: Sequence[Suite], folder: Path) -> Sequence[str]:
    """The tests that fail with all of its module's predicates in place, and would notice nothing."""
    return _failed(predicate.module, predicate.kept(), suites, folder)


def _failed(module: str, source: str, suites: Sequence[Suite], folder: Path) -> Sequence[str]:
    for suite in suites:
        outcome = run_changed(module, source, suite.arguments(), folder, timeout=300)
        assert outcome.code in {0, FAILURES, NOTHING_CHOSEN}, f"{module}\n{outcome.output}"
        if outcome.failed:
            return sorted(outcome.failed)
    return ()


def _module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    top = {"adapters": 1, "shells": 2}.get(parts[0], 0)
    return ".".join(parts[top:])


def _suites(file: Path) -> tuple[Suite, ...]:
    near = file.relative_to(ROOT)
    found = next((suites for pattern, suites in SUITES.items() if near.match(pattern)), None)
    assert found, f"{near} keeps organizations apart: say in SUITES which tests notice where it does not."
    return found

"""Nothing was left out: every backend of every table ran, and every port of the table below has a suite."""

from __future__ import annotations

import pytest

from faultmaven_contract_tests.harness import Contract, chosen
from faultmaven_contract_tests.record import passed_clauses

SQL = {"memory", "sqlite", "postgres", "pgbouncer"}
REDIS = {"memory", "resilient", "redis", "redis_old", "redis_tls", "sentinel", "cluster"}
BACKENDS = {
    "blobs": {"memory", "resilient", "filesystem", "s3"},
    "cache": REDIS,
    "cases": SQL | {"postgres_tls"},
    "embedding": {"hashing", "resilient", "cached", "onnx", "openai_compatible"},
    "evidence": SQL,
    "identity": SQL,
    "job_stores": SQL,
    "jobs": {"embedded_memory", "embedded", "embedded_postgres", "celery_redis", "celery_sentinel", "celery_rabbitmq"},
    "knowledge": SQL,
    "leases": REDIS,
    "mail": {"memory", "smtp"},
    "passwords": {"argon2"},
    "rate_limit": REDIS,
    "sessions": REDIS,
    "signals": REDIS,
    "tokens": {"ed25519", "es256", "rs256"},
    "transactions": SQL | {"postgres_tls"},
    "vectors": {
        *("memory", "resilient", "sqlite", "chroma", "chroma_server"),
        *("milvus", "milvus_lite", "pgvector", "pinecone_emulated"),
    },
}
"""Every port with every backend that it must hold on."""


def test_every_port_held_on_every_backend(request: pytest.FixtureRequest) -> None:
    """An empty run is not a green one. Runs last; judges the suites that were collected with it."""
    collected = {item.cls for item in request.session.items if isinstance(item, pytest.Function)}
    suites = [suite for suite in collected if suite is not None and issubclass(suite, Contract)]
    wanted = request.config.getoption("--backends")
    declared = {(suite.port, backend) for suite in suites for backend in chosen(suite, wanted)}
    proofs = passed_clauses(request.config)
    proven = {(port, backend) for port, by in proofs.items() for backend, proof in by.items() if proof["clauses"]}
    assert declared == proven
    whole = request.config.args == request.config.getini("testpaths") or "contract_tests" in request.config.args
    if whole and not wanted:
        assert {port: set(by) for port, by in proofs.items()} == BACKENDS

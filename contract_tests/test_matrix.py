"""Nothing was left out: every backend of every table ran, and every port of the table below has a suite."""

from __future__ import annotations

import pytest

from faultmaven_contract_tests.harness import Contract, chosen
from faultmaven_contract_tests.record import passed_clauses

PORTS = {"blobs", "cache", "cases", "evidence", "jobs", "leases", "rate_limit", "sessions", "signals", "transactions"}


def test_every_port_held_on_every_backend(request: pytest.FixtureRequest) -> None:
    """An empty run is not a green one. Runs last; judges the suites that were collected with it."""
    collected = {item.cls for item in request.session.items if isinstance(item, pytest.Function)}
    suites = [suite for suite in collected if suite is not None and issubclass(suite, Contract)]
    wanted = request.config.getoption("--backends")
    declared = {(suite.port, backend) for suite in suites for backend in chosen(suite, wanted)}
    proofs = passed_clauses(request.config)
    proven = {(port, backend) for port, by in proofs.items() for backend, proof in by.items() if proof["clauses"]}
    assert declared == proven
    if request.config.args == request.config.getini("testpaths") or "contract_tests" in request.config.args:
        assert {suite.port for suite in suites} == PORTS

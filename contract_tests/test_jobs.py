"""The contracts of job rows, and of running jobs, on our storages and transports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_contract_tests.job_stores import JobClaimContract, JobRelayContract, JobRowContract
from faultmaven_contract_tests.samples import Storage
from storages import OPENERS


@pytest.fixture
async def subject(backend: str, tmp_path: Path) -> AsyncIterator[Storage]:
    """A fresh storage."""
    async with OPENERS[backend](tmp_path) as storage:
        yield storage


class TestClaims(JobClaimContract):
    """Claims, leases, ends."""

    port = "job_stores"
    openers = OPENERS


class TestRelay(JobRelayContract):
    """What is told again, counted and swept."""

    port = "job_stores"
    openers = OPENERS


class TestRows(JobRowContract):
    """The outbox and the rows of an organization."""

    port = "job_stores"
    openers = OPENERS

"""The contracts of job rows, and of running jobs, on our storages and transports."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from celery_jobs import OPENERS as CELERY
from celery_workers import end_workers
from embedded_jobs import opened
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.job_installation import Installation
from faultmaven_contract_tests.job_leases import JobLeaseContract
from faultmaven_contract_tests.job_rows import JobRowContract
from faultmaven_contract_tests.job_stores import JobClaimContract, JobRelayContract
from faultmaven_contract_tests.job_views import JobViewContract
from faultmaven_contract_tests.jobs import JobRunContract
from faultmaven_contract_tests.samples import Storage
from faultmaven_contract_tests.servers import needs, shared
from storages import OPENERS, as_app, emptied, migrated


@asynccontextmanager
async def embedded_memory(folder: Path) -> AsyncIterator[Installation]:
    """Rows in memory."""
    async with opened(folder, "") as installation:
        yield installation


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Installation]:
    """Rows in a file, which runners in other processes may open too."""
    place = folder / "faultmaven.db"
    shutil.copy(migrated(), place)
    async with opened(folder, str(place)) as installation:
        yield installation


@needs("postgres")
@asynccontextmanager
async def embedded_postgres(folder: Path) -> AsyncIterator[Installation]:
    """Rows in a PostgreSQL."""
    await emptied(shared("postgres"))
    async with opened(folder, as_app(shared("postgres").url)) as installation:
        yield installation


INSTALLATIONS: Mapping[str, Opener] = {
    "embedded_memory": embedded_memory,
    "embedded": embedded,
    "embedded_postgres": embedded_postgres,
    **CELERY,
}


@pytest.fixture(scope="module", autouse=True)
def nursery() -> Iterator[None]:
    """No worker is left when these tests are over."""
    yield
    end_workers()


@pytest.fixture
async def subject(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Storage | Installation]:
    """A fresh storage, or a fresh installation."""
    async with request.cls.openers[backend](tmp_path) as opened:
        yield opened


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


class TestRuns(JobRunContract):
    """From the commit to the end."""

    port = "jobs"
    openers = INSTALLATIONS


class TestLeases(JobLeaseContract):
    """Runners that die, hang, are stopped or are too late."""

    port = "jobs"
    openers = INSTALLATIONS


class TestViews(JobViewContract):
    """What people and operations see."""

    port = "jobs"
    openers = INSTALLATIONS

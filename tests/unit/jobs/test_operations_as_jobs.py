"""Operations of the table, as a runner calls them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from faultmaven import FaultMaven
from faultmaven_core import codec
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.evidence.commands import AddEvidence
from faultmaven_core.investigation.commands import Investigate, Investigated
from faultmaven_core.jobs.context import Handler, JobCancelledError, JobContext
from faultmaven_core.jobs.model import Job
from faultmaven_core.operations import OPERATIONS, handlers
from faultmaven_core.shared.errors import InvalidInputError
from tests.unit.jobs.conftest import START


def context(fm: FaultMaven) -> JobContext:
    """A first attempt on behalf of the user."""
    return JobContext(Job(UUID(int=1), fm.caller, "x", b"{}", START, START, "default", 5, timedelta(minutes=1)))


async def _case(fm: FaultMaven, evidence: Path) -> str:
    opened = await fm.cases.open(OpenCase("Why?"), fm.caller)
    await fm.evidence.add(AddEvidence(opened.case_id, str(evidence)), fm.caller)
    return opened.case_id


def _run(fm: FaultMaven) -> Handler:
    return handlers(fm.application)["investigation.run"]


async def test_every_operation_can_be_a_job(fm: FaultMaven) -> None:
    """By its name."""
    assert set(handlers(fm.application)) == set(OPERATIONS)


async def test_an_investigation_says_how_far_it_is(fm: FaultMaven, crash: Path) -> None:
    """In files read, for whoever looks at its job."""
    case_id, watched = await _case(fm, crash), context(fm)
    done = await _run(fm)(codec.encode(Investigate(case_id)), watched)
    assert isinstance(done, Investigated)
    assert done.record.root_cause is not None
    assert watched.latest.done == watched.latest.total == 2


async def test_a_cancelled_investigation_ends_where_it_next_says_how_far_it_is(fm: FaultMaven, crash: Path) -> None:
    """And leaves no conclusion."""
    case_id, watched = await _case(fm, crash), context(fm)
    watched.stopped = True
    with pytest.raises(JobCancelledError):
        await _run(fm)(codec.encode(Investigate(case_id)), watched)
    assert watched.latest.total == 2


async def test_a_payload_that_is_no_command_is_the_jobs_failure(fm: FaultMaven) -> None:
    """An older or newer program asked for it; trying again would not help."""
    with pytest.raises(InvalidInputError):
        await _run(fm)(b'{"nothing": 1}', context(fm))

"""What is measured of an ingest ends, also where the ingest does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.speed.knowledge_work import synced
from faultmaven_core.knowledge.commands import DocumentsTaken


def installation(*states: str) -> Any:
    """One whose only job is found in these states, one after another."""
    found = iter(states)

    async def sync(*_: object) -> DocumentsTaken:
        return DocumentsTaken(added=1, jobs=("j",))

    async def show(*_: object) -> object:
        return SimpleNamespace(job=SimpleNamespace(state=next(found), error="the disk is full"))

    return SimpleNamespace(knowledge=SimpleNamespace(sync=sync), jobs=SimpleNamespace(show=show), caller=None)


async def test_an_ingest_is_over_when_its_jobs_have_succeeded() -> None:
    """Not before."""
    taken = await synced(installation("queued", "running", "waiting", "succeeded"), "kb", look=0)
    assert taken.added == 1


@pytest.mark.parametrize("state", ["dead", "cancelled"])
async def test_a_job_that_was_given_up_ends_the_measurement(state: str) -> None:
    """With what it said; nobody waits for it."""
    with pytest.raises(SystemExit, match=f"{state}: the disk is full"):
        await synced(installation("running", state), "kb", look=0)

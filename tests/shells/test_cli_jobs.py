"""`fm jobs`: what was left to do, how it went, and what a person can do about it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import SystemClock
from faultmaven_core.shared.ids import OrganizationId, RandomIds, UserId

Fm = Callable[..., subprocess.CompletedProcess[str]]
Ask = Callable[..., Sequence[str]]

LATER = timedelta(days=1)


@pytest.fixture
def ask(environ: dict[str, str]) -> Ask:
    """Ask for jobs of operations in the database of this home; their ids."""

    def now(*operations: str, later: timedelta = timedelta(0), organization: str = "local") -> Sequence[str]:
        return asyncio.run(_ask(Path(environ["FM_HOME"]) / "faultmaven.db", operations, later, organization))

    return now


async def _ask(path: Path, operations: Sequence[str], later: timedelta, organization: str) -> Sequence[str]:
    clock = SystemClock()
    storage = SqlStorage(str(path), clock, RandomIds(clock), lambda _: None)
    caller = Caller(OrganizationId(organization), UserId("ann"))
    await storage.start()
    try:
        async with storage.cases(caller.organization) as unit:
            run_at = clock.now() + later
            ids = [await unit.outbox.add(JobRequest(name, b"{}", caller, run_at=run_at)) for name in operations]
            await unit.commit()
    finally:
        await storage.aclose()
    return [str(job_id) for job_id in ids]


def _states(fm: Fm, *arguments: str) -> dict[str, str]:
    done = fm("jobs", "list", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return {job["job_id"]: job["state"] for job in json.loads(done.stdout)["jobs"]}


def test_jobs_are_listed_newest_first_and_by_what_one_asks(fm: Fm, ask: Ask) -> None:
    """By state, operation and queue, in pages."""
    first, second = ask("job.sweep", "evidence.sweep", later=LATER)
    assert list(_states(fm).items()) == [(second, "queued"), (first, "queued")]
    assert list(_states(fm, "--operation", "job.sweep")) == [first]
    assert _states(fm, "--state", "dead") == {}
    assert _states(fm, "--queue", "slow") == {}
    page = json.loads(fm("jobs", "list", "--limit", "1", "--json").stdout)
    assert [job["job_id"] for job in page["jobs"]] == [second]
    assert list(_states(fm, "--after", page["next"])) == [first]
    table = fm("jobs", "list").stdout.splitlines()
    assert [line.split("\t")[:3] for line in table] == [
        [second, "queued", "evidence.sweep"],
        [first, "queued", "job.sweep"],
    ]


def test_a_job_is_run_by_the_next_command_and_shows_its_result(fm: Fm, ask: Ask) -> None:
    """The embedded runner takes what is due while any command runs."""
    (job,) = ask("job.sweep")
    fm("jobs", "list")
    shown = json.loads(fm("jobs", "show", job, "--json").stdout)
    assert (shown["job"]["state"], shown["job"]["attempts"], shown["result"]) == ("succeeded", 1, {"jobs": 0})
    assert shown["job"]["asked_by"] == "ann"
    told = fm("jobs", "show", job)
    assert "state: succeeded\n" in told.stdout
    assert "result: jobs=0\n" in told.stdout


def test_a_job_that_was_given_up_is_found_and_begun_anew(fm: Fm, ask: Ask) -> None:
    """With its error; it is given up again where nothing has changed."""
    (job,) = ask("no.such")
    fm("jobs", "list")
    (dead,) = json.loads(fm("jobs", "dead", "--json").stdout)["jobs"]
    assert (dead["job_id"], dead["error"]) == (job, "fault: There is no operation no.such.")
    retried = json.loads(fm("jobs", "retry", job, "--json").stdout)
    assert (retried["state"], retried["attempts"]) == ("queued", 0)
    assert _states(fm) == {job: "dead"}


def test_a_job_is_cancelled_before_it_runs(fm: Fm, ask: Ask) -> None:
    """And can be begun anew; one that succeeded can be neither."""
    (job,) = ask("job.sweep", later=LATER)
    assert json.loads(fm("jobs", "cancel", job, "--json").stdout)["state"] == "cancelled"
    assert _states(fm) == {job: "cancelled"}
    assert fm("jobs", "retry", job).returncode == 0
    assert _states(fm) == {job: "succeeded"}
    for verb in ("cancel", "retry"):
        refused = fm("jobs", verb, job)
        assert refused.returncode == 5
        assert "succeeded" in refused.stderr


def test_another_organizations_job_looks_like_none(fm: Fm, ask: Ask) -> None:
    """And so does what is no id at all."""
    (foreign,) = ask("job.sweep", later=LATER, organization="other")
    assert _states(fm) == {}
    tried = [
        ("show", str(UUID(int=7))),
        ("show", "nonsense"),
        *((verb, foreign) for verb in ("show", "cancel", "retry")),
    ]
    for verb, name in tried:
        done = fm("jobs", verb, name, "--json")
        assert done.returncode == 4
        assert json.loads(done.stderr)["message"] == f"There is no job {name}."


def test_a_wrong_state_is_refused_with_the_right_ones(fm: Fm) -> None:
    """A sentence that says what to write."""
    refused = fm("jobs", "list", "--state", "done")
    assert refused.returncode == 2
    assert "queued, running, waiting, succeeded, cancelled, dead" in refused.stderr

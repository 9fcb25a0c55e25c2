"""Background jobs: what became of them, over and over until they are done; cancelling, and trying again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from faultmaven_core import codec
from faultmaven_core.cases.ports import CaseChangedError
from faultmaven_core.investigation.long_turns import FINISH
from faultmaven_core.investigation.turn_commands import TurnPlace
from faultmaven_core.jobs import commands as c
from faultmaven_core.operations import OPERATIONS
from faultmaven_http.endpoint import Answer, Asked, Endpoint, bound
from faultmaven_http.errors import LABELS, HttpError
from faultmaven_http.paging import following
from faultmaven_http.shapes.jobs import JobFilter, JobList, JobRow

ONE = "/api/v1/jobs/{job_id}"
STATUS = {
    "queued": "queued",
    "waiting": "queued",
    "running": "running",
    "succeeded": "completed",
    "cancelled": "cancelled",
    "dead": "failed",
}
SHOWING = OPERATIONS["job.show"]
PACE = 2
"""Seconds after which a client that waits should look again."""


def row_of(view: c.JobView, result: object = None) -> JobRow:
    """A job for clients."""
    return JobRow(
        view.job_id,
        view.operation,
        STATUS[view.state],
        view.done,
        view.total,
        round(view.done / view.total, 3) if view.total else None,
        view.doing,
        view.attempts,
        view.created_at,
        view.started_at,
        view.finished_at,
        view.asked_by,
        view.cancel_requested,
        view.error or None,
        result,
    )


def accepted(view: c.JobView, _: Asked) -> Answer:
    """The answer to what will be done by a job: where to look."""
    return Answer(row_of(view), 202, ((b"location", place_of(view).encode()), (b"retry-after", str(PACE).encode())))


def place_of(view: c.JobView) -> str:
    """Where to look for a job."""
    return ONE.format(job_id=view.job_id)


async def show(asked: Asked) -> Answer:
    """202 while it runs: clients take every other answer for the result. That of a turn is the turn's own."""
    command = c.ShowJob(asked.path["job_id"])
    detail = await SHOWING.call(asked.application, command, asked.caller)
    row = row_of(detail.job, detail.result)
    if row.status == "failed":
        raise _failed(row)
    if row.status == "cancelled":
        raise _ended(422, "The job was cancelled.", "job_cancelled")
    if row.status != "completed":
        return Answer(row, 202, ((b"retry-after", str(PACE).encode()),))
    if row.operation != FINISH:
        return Answer(row)
    place = codec.restored(TurnPlace, row.result)
    turn = codec.to_builtins(await asked.application.turns.taken(place, asked.caller))
    return Answer(codec.to_builtins(replace(row, result=turn)) | turn)


def _failed(row: JobRow) -> HttpError:
    """Clients give up on 4xx and go on asking on 5xx, so that a failure which is the last one is none of theirs."""
    code, _, told = (row.error or "").partition(": ")
    if code == CaseChangedError.code:
        return _ended(409, told, code, {"x-error-code": LABELS[CaseChangedError]})
    return _ended(422, row.error or "The job was given up.", "job_failed")


def _ended(status: int, detail: str, code: str, headers: Mapping[str, str] | None = None) -> HttpError:
    members = {"status": "failed", "error": {"message": detail, "code": code}}
    return HttpError(status, detail, code=code, headers=headers, members=members)


def _page(page: c.JobPage, asked: Asked) -> Answer:
    listed = JobList(tuple(row_of(view) for view in page.jobs), page.next, page.next)
    return Answer(listed, headers=following(asked, page.next))


def _changed(view: c.JobView, _: Asked) -> JobRow:
    return row_of(view)


def _list(asked: Asked) -> c.ListJobs:
    wanted: JobFilter = asked.query
    return c.ListJobs(wanted.state, wanted.operation, "", wanted.cursor or wanted.after, wanted.limit)


ENDPOINTS: Sequence[Endpoint] = (
    bound("GET", "/api/v1/jobs", "job.list", _list, _page, JobList, query=JobFilter),
    Endpoint(
        method="GET",
        path=ONE,
        name=SHOWING.name,
        summary=SHOWING.summary,
        permission=SHOWING.permission,
        work=show,
        answer=JobRow,
        later=JobRow,
        failures=(404, 409, 422),
    ),
    bound(
        "POST",
        f"{ONE}/cancel",
        "job.cancel",
        lambda asked: c.CancelJob(asked.path["job_id"]),
        _changed,
        JobRow,
        failures=(404, 409),
        cost=2,
        keyed=False,
    ),
    bound(
        "POST",
        f"{ONE}/retry",
        "job.retry",
        lambda asked: c.RetryJob(asked.path["job_id"]),
        _changed,
        JobRow,
        failures=(404, 409),
        cost=2,
        keyed=False,
    ),
)

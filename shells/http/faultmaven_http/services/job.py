"""Background jobs: what became of them, over and over until they are done; cancelling, and trying again."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core.jobs import commands as c
from faultmaven_http.endpoint import Answer, Asked, Endpoint, bound
from faultmaven_http.errors import HttpError
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
    place = f"/api/v1/jobs/{view.job_id}".encode()
    return Answer(row_of(view), 202, ((b"location", place), (b"retry-after", str(PACE).encode())))


def _shown(detail: c.JobDetail, _: Asked) -> Answer:
    """202 while it runs: clients take every other answer for the result."""
    row = row_of(detail.job, detail.result)
    if row.status == "failed":
        raise HttpError(422, row.error or "The job was given up.", code="job_failed")
    if row.status == "cancelled":
        raise HttpError(422, "The job was cancelled.", code="job_cancelled")
    if row.status == "completed":
        return Answer(row)
    return Answer(row, 202, ((b"retry-after", str(PACE).encode()),))


def _page(page: c.JobPage, _: Asked) -> JobList:
    return JobList(tuple(row_of(view) for view in page.jobs), page.next)


def _changed(view: c.JobView, _: Asked) -> JobRow:
    return row_of(view)


def _list(asked: Asked) -> c.ListJobs:
    wanted: JobFilter = asked.query
    return c.ListJobs(wanted.state, wanted.operation, "", wanted.after, wanted.limit)


ENDPOINTS: Sequence[Endpoint] = (
    bound("GET", "/api/v1/jobs", "job.list", _list, _page, JobList, query=JobFilter),
    bound("GET", ONE, "job.show", lambda asked: c.ShowJob(asked.path["job_id"]), _shown, JobRow, failures=(404, 422)),
    bound(
        "POST",
        f"{ONE}/cancel",
        "job.cancel",
        lambda asked: c.CancelJob(asked.path["job_id"]),
        _changed,
        JobRow,
        failures=(404, 409),
        cost=2,
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
    ),
)

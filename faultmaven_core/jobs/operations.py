"""The operations over jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from faultmaven_core.jobs import commands as c
from faultmaven_core.jobs.service import JobService
from faultmaven_core.shared.operation import Operation
from faultmaven_core.shared.schedule import Schedule

OPERATIONS: tuple[Operation[JobService, Any, Any], ...] = (
    Operation(
        "job.list", c.ListJobs, c.JobPage, JobService.list, "List background jobs, newest first", permission="job:read"
    ),
    Operation("job.show", c.ShowJob, c.JobDetail, JobService.show, "Show a job and its result", permission="job:read"),
    Operation(
        "job.retry",
        c.RetryJob,
        c.JobView,
        JobService.retry,
        "Begin a dead or cancelled job anew",
        permission="job:write",
    ),
    Operation("job.cancel", c.CancelJob, c.JobView, JobService.cancel, "End a job", permission="job:write"),
    Operation(
        "job.dead", c.ListDeadJobs, c.JobPage, JobService.dead, "List jobs that were given up", permission="job:read"
    ),
    Operation("job.sweep", c.SweepJobs, c.JobsSwept, JobService.sweep, "Remove jobs that ended long ago", True),
)

SCHEDULES = (Schedule("job.sweep", "job.sweep", every=timedelta(hours=1)),)

"""Investigations that nobody waits for: a job row now, the work whenever a runner takes it."""

from __future__ import annotations

import hashlib
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.cases.service import CaseService
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.jobs.commands import JobView
from faultmaven_core.jobs.service import JobService
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.caller import Caller

RUN = "investigation.run"
"""The operation that the job is of."""


class Starting:
    """Asks for investigations."""

    def __init__(self, cases: CaseService, jobs: JobService) -> None:
        self._cases, self._jobs = cases, jobs

    async def start(self, command: Investigate, caller: Caller) -> JobView:
        """Have a case investigated; where that was asked for already and is not done, the job that there is.

        With a request key, the same job for the same key, also after it ended. Raises NotFoundError, or
        PreconditionFailedError where the case has ended.
        """
        await self._cases.require_open(command.case_id, caller)
        return await self._jobs.ask(
            JobRequest(RUN, codec.encode(command), caller, f"{RUN} {command.case_id}", id=_id(caller))
        )


def _id(caller: Caller) -> UUID | None:
    if not caller.request_key:
        return None
    whole = f"{RUN}\0{caller.organization}\0{caller.user}\0{caller.request_key}"
    return UUID(bytes=hashlib.sha256(whole.encode()).digest()[:16], version=5)

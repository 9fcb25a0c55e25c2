"""The operation table: all that every shell offers, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from faultmaven_core import codec
from faultmaven_core.application import Application
from faultmaven_core.cases.operations import OPERATIONS as CASES
from faultmaven_core.evidence.operations import OPERATIONS as EVIDENCE
from faultmaven_core.evidence.operations import SCHEDULES as OF_EVIDENCE
from faultmaven_core.investigation.operations import OPERATIONS as INVESTIGATION
from faultmaven_core.investigation.operations import STARTS, TURNS
from faultmaven_core.jobs.context import Handler, JobContext
from faultmaven_core.jobs.operations import OPERATIONS as JOBS
from faultmaven_core.jobs.operations import SCHEDULES as OF_JOBS
from faultmaven_core.knowledge.operations import OPERATIONS as KNOWLEDGE
from faultmaven_core.knowledge.operations import SCHEDULES as OF_KNOWLEDGE
from faultmaven_core.sessions.operations import OPERATIONS as SESSIONS
from faultmaven_core.shared.operation import Operation
from faultmaven_core.shared.schedule import Schedule

AnyOperation = Operation[Application, Any, Any]


def _table() -> dict[str, AnyOperation]:
    every: list[AnyOperation] = [operation.within(lambda app: app.cases) for operation in CASES]
    every += [operation.within(lambda app: app.evidence) for operation in EVIDENCE]
    every += [operation.within(lambda app: app.knowledge) for operation in KNOWLEDGE]
    every += [operation.within(lambda app: app.investigation) for operation in INVESTIGATION]
    every += [operation.within(lambda app: app.turns) for operation in TURNS]
    every += [operation.within(lambda app: app.starting) for operation in STARTS]
    every += [operation.within(lambda app: app.jobs) for operation in JOBS]
    every += [operation.within(lambda app: app.sessions) for operation in SESSIONS]
    return {operation.name: operation for operation in every}


OPERATIONS: Mapping[str, AnyOperation] = MappingProxyType(_table())

SCHEDULES: tuple[Schedule, ...] = (*OF_EVIDENCE, *OF_KNOWLEDGE, *OF_JOBS)
"""What happens again and again, by operations of the table."""


def handlers(application: Application) -> Mapping[str, Handler]:
    """Every operation as a job runner calls it."""
    return {name: _handler(operation, application) for name, operation in OPERATIONS.items()}


def _handler(operation: AnyOperation, application: Application) -> Handler:
    async def handle(payload: bytes, context: JobContext) -> object:
        command = codec.decode(operation.command, payload)
        return await operation.work(application, command, context.caller, context.progress)

    return handle

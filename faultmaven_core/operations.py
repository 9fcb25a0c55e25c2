"""The operation table: all that every shell offers, by name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from faultmaven_core import codec
from faultmaven_core.application import Application
from faultmaven_core.cases.operations import OPERATIONS as CASES
from faultmaven_core.evidence.operations import OPERATIONS as EVIDENCE
from faultmaven_core.evidence.operations import SCHEDULES as OF_EVIDENCE
from faultmaven_core.investigation.operations import OPERATIONS as INVESTIGATION
from faultmaven_core.investigation.operations import REPORTS, STARTS, TURNS
from faultmaven_core.jobs.context import Handler, JobContext
from faultmaven_core.jobs.operations import OPERATIONS as JOBS
from faultmaven_core.jobs.operations import SCHEDULES as OF_JOBS
from faultmaven_core.knowledge.operations import OPERATIONS as KNOWLEDGE
from faultmaven_core.knowledge.operations import SCHEDULES as OF_KNOWLEDGE
from faultmaven_core.ports.telemetry import Span, SpanKind, Value, spanning
from faultmaven_core.sessions.operations import OPERATIONS as SESSIONS
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.operation import Operation, Watch
from faultmaven_core.shared.schedule import Schedule

AnyOperation = Operation[Application, Any, Any]


def _table() -> dict[str, AnyOperation]:
    every: list[AnyOperation] = [operation.within(lambda app: app.cases) for operation in CASES]
    every += [operation.within(lambda app: app.evidence) for operation in EVIDENCE]
    every += [operation.within(lambda app: app.knowledge) for operation in KNOWLEDGE]
    every += [operation.within(lambda app: app.investigation) for operation in INVESTIGATION]
    every += [operation.within(lambda app: app.turns) for operation in TURNS]
    every += [operation.within(lambda app: app.reporting) for operation in REPORTS]
    every += [operation.within(lambda app: app.starting) for operation in STARTS]
    every += [operation.within(lambda app: app.jobs) for operation in JOBS]
    every += [operation.within(lambda app: app.sessions) for operation in SESSIONS]
    return {operation.name: _told(operation) for operation in every}


def _told(operation: AnyOperation) -> AnyOperation:
    """The same, with a span for each call."""

    async def call(app: Application, command: Any, caller: Caller) -> Any:
        if not app.telemetry.records:
            return await operation.call(app, command, caller)
        with _spanning(app, operation, caller):
            return await operation.call(app, command, caller)

    async def watched(app: Application, command: Any, caller: Caller, watch: Watch) -> Any:
        with _spanning(app, operation, caller):
            return await operation.work(app, command, caller, watch)

    return replace(operation, call=call, watched=watched)


def _spanning(app: Application, operation: AnyOperation, caller: Caller) -> AbstractContextManager[Span]:
    attributes: dict[str, Value] = {"faultmaven.organization": caller.organization}
    return spanning(app.telemetry, operation.name, attributes=attributes)


OPERATIONS: Mapping[str, AnyOperation] = MappingProxyType(_table())

SCHEDULES: tuple[Schedule, ...] = (*OF_EVIDENCE, *OF_KNOWLEDGE, *OF_JOBS)
"""What happens again and again, by operations of the table."""


def handlers(application: Application) -> Mapping[str, Handler]:
    """Every operation as a job runner calls it."""
    return {name: _handler(operation, application) for name, operation in OPERATIONS.items()}


def _handler(operation: AnyOperation, application: Application) -> Handler:
    async def handle(payload: bytes, context: JobContext) -> object:
        attributes: dict[str, Value] = {"faultmaven.job": str(context.job_id), "faultmaven.attempt": context.attempt}
        name = f"job {operation.name}"
        with spanning(application.telemetry, name, SpanKind.CONSUMER, attributes, parent=context.trace):
            command = codec.decode(operation.command, payload)
            return await operation.work(application, command, context.caller, context.progress)

    return handle

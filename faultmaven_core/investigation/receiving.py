"""What comes with a turn before anything is done with it: is it one, may it be taken, and what of it is said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from faultmaven_core import codec
from faultmaven_core.cases import model
from faultmaven_core.cases.commands import CaseView
from faultmaven_core.investigation.triage import split
from faultmaven_core.investigation.turn_commands import Attachment, TakeTurn
from faultmaven_core.jobs.context import JobCancelledError
from faultmaven_core.shared.errors import (
    BackendError,
    FaultMavenError,
    InvalidInputError,
    PreconditionFailedError,
    StaleVersionError,
)
from faultmaven_core.shared.text import checked

MOST_QUERY = 200_000
MOST_PASTED = 10 << 20
MOST_URL = 1_000


def check(command: TakeTurn, attachments: Sequence[Attachment]) -> None:
    """Raises InvalidInputError where it is no turn."""
    checked("query", command.query, most=MOST_QUERY)
    checked("pasted_content", command.pasted_content.replace("\0", ""), most=MOST_PASTED)
    checked("input_type", command.input_type, most=64)
    checked("source_url", command.source_url, most=MOST_URL)
    checked("intent_type", command.intent_type, most=64)
    given = (command.query.strip(), command.pasted_content.strip(), attachments, command.intent_type)
    if not any(given):
        raise InvalidInputError("Say something, or attach a file.", fields={"query": "empty"})


def require_open(case: CaseView, command: TakeTurn, attachments: Sequence[Attachment]) -> None:
    """An ended case answers questions, and nothing more: raises PreconditionFailedError on anything else."""
    brings = attachments or command.pasted_content.strip()
    if case.status in model.TERMINAL and (brings or command.intent_type == "status_transition"):
        raise PreconditionFailedError(f"{case.case_id} is {case.status}: ask about it, or open a new case for more.")


def digest(command: TakeTurn, attachments: Sequence[Attachment]) -> str:
    """What tells a turn apart from others under one request key: all that was sent, files by their digests."""
    return hashlib.sha256(codec.canonical((command, [(one.name, one.sha256) for one in attachments]))).hexdigest()


def refused(error: BaseException) -> bool:
    """Whether a turn is over with it: not where the same one may succeed later, or is another runner's by now."""
    passing = isinstance(error, (BackendError, StaleVersionError, JobCancelledError))
    return isinstance(error, FaultMavenError) and not (passing or error.retryable)


def said(case: CaseView, command: TakeTurn) -> tuple[str, str]:
    """What is asked, and what of the question's text is evidence; an ended case takes none."""
    return ("", "") if case.status in model.TERMINAL else split(command.query)

"""The agent service: turns of a conversation, answered, and the case at a glance."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from faultmaven_core import codec
from faultmaven_core.investigation.ports import Watch
from faultmaven_core.investigation.screen_views import CaseScreen, ReadScreen
from faultmaven_core.investigation.service import unwatched
from faultmaven_core.investigation.turn_commands import Attachment, TakeTurn, TurnView
from faultmaven_core.jobs.commands import JobView
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.ports.extraction_runner import Extracted, Progress
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_http.answering import until_gone
from faultmaven_http.bodies import from_texts
from faultmaven_http.endpoint import Answer, Asked, Endpoint, bound
from faultmaven_http.event_stream import Event, Tell, streamed
from faultmaven_http.exchange import exchange_of
from faultmaven_http.forms import Form, read_form
from faultmaven_http.services.job import accepted, place_of, row_of
from faultmaven_http.shapes.jobs import JobRow
from faultmaven_http.shapes.turns import TurnForm

MOST_TEXT = 4 << 20
"""Bytes of a text of the form: 200,000 characters of a question fit, and a long paste."""

TURN_SECONDS = 110.0
"""Clients wait 120 s. What takes longer goes on as a job."""

SPARE = 5.0
"""Seconds of these that are left to say so."""

_WAIT = re.compile(r"\bwait\s*=\s*(\d{1,4})\b", re.IGNORECASE)

TAKING = OPERATIONS["turn.take"]


async def take(asked: Asked) -> TurnView | Answer:
    """Answer a turn, or say where its answer will be."""
    taken = await _taken(asked, unwatched)
    return accepted(taken, asked) if isinstance(taken, JobView) else taken


async def _taken(asked: Asked, watch: Watch) -> TurnView | JobView:
    end = asyncio.get_running_loop().time() + TURN_SECONDS - SPARE
    async with _read(asked) as (command, attachments):
        left = min(_patience(asked), end - asyncio.get_running_loop().time())
        taking = asked.application.long_turns.take(command, asked.caller, attachments, seconds=left, progress=watch)
        return cast("TurnView | JobView", await until_gone(asked.receive, taking))


def _patience(asked: Asked) -> float:
    """How long the client wants to wait (RFC 7240), and may."""
    given = asked.header(b"prefer")
    if "respond-async" in given.lower() and not _WAIT.search(given):
        return 0.0
    found = _WAIT.search(given)
    return min(asked.settings.turn_wait, float(found[1])) if found else asked.settings.turn_wait


async def stream(asked: Asked) -> Answer:
    """Answer a turn, and tell meanwhile how the reading of its files goes; or, as `accepted`, where its answer will be."""

    async def work(tell: Tell) -> TurnView | Event:
        def watch(news: Progress | Extracted) -> None:
            if isinstance(news, Progress):
                tell(Event("progress", news))

        taken = await _taken(asked, watch)
        if isinstance(taken, JobView):
            return Event("accepted", {"location": place_of(taken), "job": row_of(taken)})
        return taken

    return await streamed(exchange_of(asked.scope), work, seconds=TURN_SECONDS)


@asynccontextmanager
async def _read(asked: Asked) -> AsyncIterator[tuple[TakeTurn, Sequence[Attachment]]]:
    async with read_form(asked.scope, asked.receive, most_file=asked.settings.upload_max, most_text=MOST_TEXT) as form:
        files = [Attachment(file.name, file.chunks(), await file.sha256()) for file in form.files]
        yield _command(asked, form), files


def _command(asked: Asked, form: Form) -> TakeTurn:
    t = from_texts(TurnForm, form.texts)
    return TakeTurn(
        asked.path["case_id"],
        t.query,
        t.pasted_content,
        t.input_type,
        t.source_url,
        t.observed_at,
        t.intent_type,
        _intent(t.intent_data),
    )


def _intent(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        return codec.decode(dict[str, Any], text.encode())
    except InvalidInputError as error:
        raise InvalidInputError("`intent_data` is no JSON object.", fields={"intent_data": "no JSON object"}) from error


def _screen(asked: Asked) -> ReadScreen:
    return ReadScreen(asked.path["case_id"])


def _shown(screen: CaseScreen, _: Asked) -> CaseScreen:
    return screen


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        method="POST",
        path="/api/v1/cases/{case_id}/turns",
        name=TAKING.name,
        summary=TAKING.summary,
        permission=TAKING.permission,
        work=take,
        answer=TurnView,
        later=JobRow,
        parts=TurnForm,
        seconds=TURN_SECONDS,
        cost=10,
        failures=(404, 409, 503, 504),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/cases/{case_id}/turns/stream",
        name="turn.stream",
        summary="Ask about a case, and be told meanwhile how far it is",
        permission=TAKING.permission,
        work=stream,
        answer=None,
        parts=TurnForm,
        seconds=TURN_SECONDS,
        cost=10,
        failures=(404, 409, 503, 504),
        headers={"content-type": "text/event-stream"},
    ),
    bound("GET", "/api/v1/cases/{case_id}/ui", "turn.screen", _screen, _shown, CaseScreen, failures=(404,)),
)

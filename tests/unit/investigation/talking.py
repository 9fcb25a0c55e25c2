"""Conversations as tests hold them: through the service, as clients do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from faultmaven import FaultMaven
from faultmaven_core.cases.commands import CaseView, OpenCase, ShowCase
from faultmaven_core.cases.turn_commands import MessageView, ReadMessages
from faultmaven_core.investigation.turn_commands import Attachment, SuggestedAction, TakeTurn, TurnView
from faultmaven_core.shared.caller import Caller


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Content as it comes."""
    yield data


async def opened(fm: FaultMaven) -> str:
    """A case as clients open it: without a word."""
    return (await fm.cases.open(OpenCase(), fm.caller)).case_id


async def say(
    fm: FaultMaven, case: str, query: str = "", *files: Path, caller: Caller | None = None, **more: Any
) -> TurnView:
    """One turn, perhaps with files."""
    attached = [Attachment(file.name, once(file.read_bytes())) for file in files]
    return await fm.application.turns.take(TakeTurn(case, query, **more), caller or fm.caller, attached)


async def said(fm: FaultMaven, case: str) -> Sequence[MessageView]:
    """All messages."""
    return (await fm.cases.messages(ReadMessages(case), fm.caller)).messages


async def shown(fm: FaultMaven, case: str) -> CaseView:
    """The case."""
    return await fm.cases.show(ShowCase(case), fm.caller)


async def found(fm: FaultMaven, crash: Path) -> str:
    """A case whose root cause was found in its first turn."""
    case = await opened(fm)
    await say(fm, case, "Why does web crash?", crash / "describe.txt", crash / "app.log")
    return case


def offered(view: TurnView, label: str) -> SuggestedAction:
    """The suggestion of this label."""
    return next(one for one in view.suggested_actions if one.label == label)


async def click(fm: FaultMaven, case: str, action: SuggestedAction, **extra: Any) -> TurnView:
    """What clients send for a suggestion."""
    intent = {**(action.intent or {}), **extra}
    return await say(fm, case, action.payload or "", intent_type=str(intent.get("type", "")), intent_data=intent)

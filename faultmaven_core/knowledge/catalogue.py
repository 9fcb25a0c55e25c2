"""Looking at documents one has: lists, texts and counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge.access import Access
from faultmaven_core.knowledge.model import DocumentState
from faultmaven_core.knowledge.ports import DocumentQuery, KnowledgeUnits
from faultmaven_core.knowledge.views import view
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.page import cursor, limited, passed_over
from faultmaven_core.shared.text import choice


class Catalogue:
    """Shows documents under the embedder with this fingerprint (empty for none)."""

    def __init__(self, units: KnowledgeUnits, access: Access, fingerprint: str, clock: Clock) -> None:
        self._units, self._access, self._fingerprint, self._clock = units, access, fingerprint, clock

    async def list(self, command: c.ListDocuments, caller: Caller) -> c.DocumentPage:
        """A page of documents of the scopes."""
        passed_over(command.offset)
        scopes = await self._access.scopes(command.scopes, caller)
        query = DocumentQuery(scopes, source=command.source or None, tags=command.tags, kind=command.kind)
        if command.state:
            query = replace(query, states=(_shown(command.state),))
        after, limit = cursor(command.after), limited(command.limit)
        async with self._units(caller.organization, read_only=True) as unit:
            page = await unit.knowledge.page(
                query, after=after, limit=limit, offset=command.offset, newest=command.newest
            )
            total = await unit.knowledge.count(query) if command.counted else None
        views = tuple(view(document, self._today, self._fingerprint) for document in page.items)
        return c.DocumentPage(views, page.next.hex if page.next else None, total)

    async def show(self, command: c.ShowDocument, caller: Caller) -> c.DocumentDetail:
        """A document and a part of its text. Raises NotFoundError."""
        if command.start < 0 or command.characters < 0:
            raise InvalidInputError("A part of a text begins at 0 or later and has no negative length.")
        end = command.start + command.characters
        async with self._units(caller.organization, read_only=True) as unit:
            document = await self._access.document(unit, command.document_id, caller)
            chunks = await unit.knowledge.chunks(document.key) if command.characters else ()
        # Outside of the transaction: the cases have their own, and nobody holds two connections at once.
        await self._access.require_case(document, caller)
        parts = [
            chunk.text[max(command.start - chunk.start, 0) : end - chunk.start]
            for chunk in chunks
            if chunk.end > command.start and chunk.start < end
        ]
        return c.DocumentDetail(view(document, self._today, self._fingerprint), command.start, "".join(parts))

    async def count(self, command: c.CountKnowledge, caller: Caller) -> c.KnowledgeCounts:
        """How much stands in the scopes."""
        scopes = await self._access.scopes(command.scopes, caller)
        async with self._units(caller.organization, read_only=True) as unit:
            census = await unit.knowledge.census(scopes, self._fingerprint)
        states = {str(state): count for state, count in census.states.items() if state is not DocumentState.REMOVED}
        return c.KnowledgeCounts(
            sum(states.values()),
            states,
            census.chunks,
            census.characters,
            census.size,
            census.embedded if self._fingerprint else 0,
            self._fingerprint,
        )

    @property
    def _today(self) -> date:
        return self._clock.now().date()


def _shown(state: str) -> DocumentState:
    """The state. A deleted document is in none."""
    found = choice(DocumentState, "state", state)
    if found is DocumentState.REMOVED:
        raise InvalidInputError("Deleted documents are not shown.", fields={"state": "pending, ready or failed"})
    return found

"""Documents go: their rows say so at once, a job destroys the rest, and a sweep takes up what crashes left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import model, requests
from faultmaven_core.knowledge.index import VectorIndex
from faultmaven_core.knowledge.model import Document, DocumentState
from faultmaven_core.knowledge.originals import Originals, prefix
from faultmaven_core.knowledge.ports import DocumentQuery, KnowledgeUnitOfWork, KnowledgeUnits
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import CaseId, OrganizationId
from faultmaven_core.shared.page import MOST

ON_ITS_WAY = timedelta(hours=24)
"""How old an original without a row, or a row without progress, must be before it counts as left behind."""


class Removal:
    """Deletes documents, and destroys what belongs to none."""

    def __init__(self, units: KnowledgeUnits, originals: Originals, index: VectorIndex, clock: Clock) -> None:
        self._units, self._originals, self._index, self._clock = units, originals, index, clock
        self._write = Writes(units, clock)

    async def remove(self, unit: KnowledgeUnitOfWork, documents: Sequence[Document], caller: Caller) -> Sequence[UUID]:
        """Mark documents as deleted and ask for the jobs that destroy the rest; the jobs' ids."""
        now = self._clock.now()
        await unit.knowledge.save([model.removed(document, now) for document in documents])
        return [await unit.outbox.add(job) for job in requests.discard(documents, caller)]

    async def discard(self, command: c.DiscardDocuments, caller: Caller) -> c.KnowledgeDiscarded:
        """Destroy vectors, then originals, then rows, which name the others as long as there are any."""
        async with self._units(caller.organization, read_only=True) as unit:
            found = await unit.knowledge.get_many([UUID(hex=key) for key in command.documents])
        deleted = [document for document in found.values() if document.state is DocumentState.REMOVED]
        await self._index.remove(deleted)
        await self._originals.destroy([document.blob for document in deleted])

        async def work(unit: KnowledgeUnitOfWork) -> c.KnowledgeDiscarded:
            await unit.knowledge.remove([document.key for document in deleted])
            return c.KnowledgeDiscarded(documents=len(deleted))

        return await self._write(command, caller, c.KnowledgeDiscarded, work)

    async def discard_original(self, command: c.DiscardOriginal, caller: Caller) -> c.KnowledgeDiscarded:
        """Destroy an original that another has replaced. Raises InvalidInputError on another organization's key."""
        if not command.blob.startswith(prefix(caller.organization)):
            raise InvalidInputError("This original belongs to another organization.")
        await self._originals.destroy([command.blob])
        return c.KnowledgeDiscarded(originals=1)

    async def discard_case(self, command: c.DiscardCaseKnowledge, caller: Caller) -> c.KnowledgeDiscarded:
        """Delete what belonged to a case that is gone."""
        query = DocumentQuery([model.case_scope(CaseId(command.case_id))])

        async def work(unit: KnowledgeUnitOfWork) -> int:
            page = await unit.knowledge.page(query, after=None, limit=MOST)
            await self.remove(unit, page.items, caller)
            return len(page.items)

        count = 0
        # What was deleted leaves the query's answer, so that the first page is always the next one.
        while done := await self._write(command, replace(caller, request_key=""), int, work):
            count += done
        return c.KnowledgeDiscarded(documents=count)

    async def sweep(self, caller: Caller) -> c.KnowledgeDiscarded:
        """Destroy originals and vectors that no document names, and ask again for jobs that were given up."""
        before = self._clock.now() - ON_ITS_WAY
        originals = await self._sweep_originals(caller.organization, before)
        vectors = await self._sweep_vectors(caller.organization)

        async def work(unit: KnowledgeUnitOfWork) -> None:
            for state, request in ((DocumentState.PENDING, requests.ingest), (DocumentState.REMOVED, requests.discard)):
                left = [d for d in await unit.knowledge.in_state(state, MOST) if d.updated_at < before]
                for job in request(left, caller):
                    await unit.outbox.add(job)

        await self._write(None, replace(caller, request_key=""), type(None), work)
        return c.KnowledgeDiscarded(originals=originals, vectors=vectors)

    async def _sweep_originals(self, organization: OrganizationId, before: datetime) -> int:
        old = await self._originals.older(organization, before)
        # Asked after the listing: a row that came meanwhile is then known, and its original kept.
        async with self._units(organization, read_only=True) as unit:
            named = set(await unit.knowledge.blobs())
        orphans = [key for key in old if key not in named]
        await self._originals.destroy(orphans)
        return len(orphans)

    async def _sweep_vectors(self, organization: OrganizationId) -> int:
        count = 0
        async for tier, counts in self._index.counted(organization):
            keys, known = list(counts), set[UUID]()
            async with self._units(organization, read_only=True) as unit:
                for some in batched(keys, MOST):
                    known.update(await unit.knowledge.get_many(some))
            strange = [key for key in keys if key not in known]
            await self._index.remove_keys(organization, tier, strange)
            count += sum(counts[key] for key in strange)
        return count

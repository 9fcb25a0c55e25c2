"""The use cases that change knowledge: documents come, are synced with where they came from, are read anew, and go."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import events as e
from faultmaven_core.knowledge import requests
from faultmaven_core.knowledge.access import Access
from faultmaven_core.knowledge.front_matter import MOST_TAG, MOST_TAGS, MOST_TITLE
from faultmaven_core.knowledge.intake import MOST_NAME, Bundle, DocumentIntake, gone
from faultmaven_core.knowledge.kinds import TAKEN, media_type
from faultmaven_core.knowledge.model import Document, DocumentState, KnowledgeScope, Tier
from faultmaven_core.knowledge.ports import DocumentFiles, DocumentQuery, Found, KnowledgeUnitOfWork, KnowledgeUnits
from faultmaven_core.knowledge.removal import Removal
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import (
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    UnsupportedTypeError,
)
from faultmaven_core.shared.events import Event
from faultmaven_core.shared.ids import Ids
from faultmaven_core.shared.operation import Watch
from faultmaven_core.shared.page import MOST, Page
from faultmaven_core.shared.text import checked

TITLE = "title"
"""The one of the details that counts: it goes before the title in the text."""

MOST_DETAILS = 20
MOST_DETAIL = 2000

NOTE = "case.note"
"""The operation, of the cases context, that writes an event into the journal."""


def unwatched(_done: int, _total: int, _sentence: str) -> None:
    """Nobody looks at the progress."""


class Curation:
    """Adds, syncs, deletes and reindexes documents of the caller's organization."""

    def __init__(
        self,
        units: KnowledgeUnits,
        access: Access,
        files: DocumentFiles,
        intake: DocumentIntake,
        removal: Removal,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._units, self._access, self._files = units, access, files
        self._intake, self._removal, self._clock, self._ids = intake, removal, clock, ids
        self._write = Writes(units, clock)

    async def add(self, command: c.AddDocuments, caller: Caller, watch: Watch = unwatched) -> c.DocumentsTaken:
        """Take a file, or every document of a folder. What is there already, by name or content, is not taken twice.

        Raises NotFoundError where nothing stands at the path, UnsupportedTypeError for a file of another kind.
        """
        bundle = await self._bundle(command.scope, command.tags, caller)
        found = await self._files.find(command.path)
        return await self._answer(command, await self._intake.files(found, bundle, watch), bundle)

    async def add_content(
        self, command: c.AddDocumentContent, chunks: AsyncIterable[bytes], caller: Caller
    ) -> c.DocumentsTaken:
        """Take content that has no place of its own. Raises UnsupportedTypeError where its name tells of no document."""
        bundle = await self._bundle(command.scope, command.tags, caller)
        bundle = replace(bundle, details=_details(command.title, command.details))
        name = checked("name", command.name, most=MOST_NAME, least=1)
        if not media_type(name):
            raise UnsupportedTypeError(f"{name} has no ending of a document: {TAKEN} are taken.")
        stored = await self._intake.content(name, chunks, bundle)
        # The content is part of what was asked for: the same key with other content is another command.
        asked = (command, stored.sha256)
        if isinstance(stored, Document):
            return await self._answer(asked, c.DocumentsTaken(duplicates=1, same=stored.id), bundle)

        async def work(unit: KnowledgeUnitOfWork) -> c.DocumentsTaken:
            written = await self._intake.write(unit, [stored], bundle)
            ids = (*written.added, *written.changed)
            if ids:
                await self._tell(unit, bundle.scope, e.DocumentsAdded(1, name), caller)
            return c.DocumentsTaken(
                added=len(written.added),
                changed=len(written.changed),
                unchanged=written.unchanged,
                documents=ids,
                jobs=tuple(map(str, written.jobs)),
                same=written.known if written.unchanged else "",
            )

        return await self._write(asked, caller, c.DocumentsTaken, work)

    async def sync(self, command: c.SyncDocuments, caller: Caller, watch: Watch = unwatched) -> c.DocumentsTaken:
        """Make the scope hold what a folder or checkout holds. Files with the size and time that they had cost nothing.

        Raises InvalidInputError for a file, and PreconditionFailedError where a source that had documents has none now:
        an empty folder is a disk that is not mounted sooner than a wish.
        """
        bundle = await self._bundle(command.scope, command.tags, caller)
        found = await self._files.find(command.path)
        if not found.source:
            raise InvalidInputError(f"{command.path} is a file: only folders are synced, files are added.")
        bundle = replace(bundle, source=found.source)
        removed, jobs = await self._leave(found, bundle)
        taken = await self._intake.files(found, bundle, watch)
        return await self._answer(command, replace(taken, removed=removed, jobs=(*jobs, *taken.jobs)), bundle)

    async def update(self, command: c.UpdateDocument, caller: Caller) -> c.DocumentsTaken:
        """Change what is said of a document; it is read again, for its title is searched too. Raises NotFoundError."""
        await self._require_case(command.document_id, caller)

        async def work(unit: KnowledgeUnitOfWork) -> c.DocumentsTaken:
            document = await self._access.document(unit, command.document_id, caller)
            title = document.details.get("title", "") if command.title is None else command.title
            kept = document.details if command.details is None else command.details
            changed = replace(
                document,
                title=title or document.title,
                tags=document.tags if command.tags is None else _tags(command.tags),
                details=_details(title, {key: text for key, text in kept.items() if key != TITLE}),
                updated_at=self._clock.now(),
            )
            await unit.knowledge.save([changed])
            asked = requests.ingest([changed], replace(caller, request_key=""), again=True)
            jobs = [str(await unit.outbox.add(request)) for request in asked]
            return c.DocumentsTaken(changed=1, documents=(document.id,), jobs=tuple(jobs))

        return await self._write(command, caller, c.DocumentsTaken, work)

    async def delete(self, command: c.DeleteDocument, caller: Caller) -> c.DocumentDeleted:
        """Delete a document: no search finds it from now on. Raises NotFoundError."""
        await self._require_case(command.document_id, caller)

        async def work(unit: KnowledgeUnitOfWork) -> c.DocumentDeleted:
            document = await self._access.document(unit, command.document_id, caller)
            (job,) = await self._removal.remove(unit, [document], caller)
            await self._tell(unit, document.scope, e.DocumentDeleted(document.id, document.name), caller)
            return c.DocumentDeleted(document.id, str(job))

        return await self._write(command, caller, c.DocumentDeleted, work)

    async def reindex(self, command: c.ReindexKnowledge, caller: Caller) -> c.ReindexAsked:
        """Read every original of the scopes again and embed all anew; searches go on meanwhile with what there is."""
        query = DocumentQuery(await self._access.scopes(command.scopes, caller))
        caller_of_jobs = replace(caller, request_key="")

        async def work(unit: KnowledgeUnitOfWork) -> c.ReindexAsked:
            count, jobs = 0, list[str]()
            page: Page[Document] = Page((), None)
            while not count or page.next:
                page = await unit.knowledge.page(query, after=page.next, limit=MOST)
                if not page.items:
                    break
                wanted = requests.ingest(page.items, caller_of_jobs, again=True)
                jobs += [str(await unit.outbox.add(request)) for request in wanted]
                count += len(page.items)
            return c.ReindexAsked(count, tuple(jobs))

        return await self._write(command, caller, c.ReindexAsked, work)

    async def _require_case(self, document_id: str, caller: Caller) -> None:
        """Outside of the transaction that writes, for cases have their own. Raises NotFoundError."""
        found: Document | None = None
        with suppress(NotFoundError):  # a repeated request has its answer, whatever became of the document
            async with self._units(caller.organization, read_only=True) as unit:
                found = await self._access.document(unit, document_id, caller)
        if found:
            await self._access.require_case(found, caller)

    async def _bundle(self, scope: str, tags: Sequence[str], caller: Caller) -> Bundle:
        return Bundle(await self._access.scope(scope, caller), "", _tags(tags), caller)

    async def _leave(self, found: Found, bundle: Bundle) -> tuple[int, Sequence[str]]:
        """Delete the source's documents whose files are gone; how many, and the jobs."""
        async with self._units(bundle.caller.organization, read_only=True) as unit:
            known = await unit.knowledge.of_source(bundle.scope, bundle.source)
        if known and not found.documents:
            raise PreconditionFailedError(
                f"{bundle.source} holds no documents any more, and {len(known)} came from it: "
                "look whether it is there; `fm knowledge delete` deletes documents."
            )
        left = gone(known, found.documents)
        jobs: list[str] = []
        for keys in batched((document.key for document in left), MOST):

            async def work(unit: KnowledgeUnitOfWork, keys: Sequence[UUID] = keys) -> tuple[str, ...]:
                now = (await unit.knowledge.get_many(keys)).values()
                alive = [document for document in now if document.state is not DocumentState.REMOVED]
                return tuple(map(str, await self._removal.remove(unit, alive, bundle.caller)))

            jobs += await self._write(None, replace(bundle.caller, request_key=""), tuple, work)
        return len(left), jobs

    async def _answer(self, command: object, taken: c.DocumentsTaken, bundle: Bundle) -> c.DocumentsTaken:
        """Keep the answer under the caller's request key, and tell the case what became part of it."""

        async def work(unit: KnowledgeUnitOfWork) -> c.DocumentsTaken:
            if taken.documents:
                event = e.DocumentsAdded(len(taken.documents), ", ".join(taken.documents[:20]))
                await self._tell(unit, bundle.scope, event, bundle.caller)
            return taken

        if not bundle.caller.request_key and bundle.scope.tier is not Tier.CASE:
            return taken
        return await self._write(command, bundle.caller, c.DocumentsTaken, work)

    async def _tell(self, unit: KnowledgeUnitOfWork, scope: KnowledgeScope, event: Event, caller: Caller) -> None:
        if scope.tier is not Tier.CASE:
            return
        note = {"case_id": scope.owner, "key": str(self._ids.new()), "kind": event.kind, "detail": event.detail()}
        await unit.outbox.add(JobRequest(NOTE, codec.encode(note), caller))


def _tags(given: Sequence[str]) -> tuple[str, ...]:
    if len(given) > MOST_TAGS:
        raise InvalidInputError(f"{len(given)} tags were given, {MOST_TAGS} are allowed.", fields={"tags": "too many"})
    return tuple(dict.fromkeys(checked("tag", tag.strip(), most=MOST_TAG, least=1) for tag in given))


def _details(title: str, given: Mapping[str, str]) -> dict[str, str]:
    if len(given) > MOST_DETAILS:
        raise InvalidInputError(
            f"{len(given)} details were given, {MOST_DETAILS} are allowed.", fields={"details": "too many"}
        )
    kept = {
        checked("details", key, most=64, least=1): checked(key, text, most=MOST_DETAIL) for key, text in given.items()
    }
    return kept | ({TITLE: checked("title", title.strip(), most=MOST_TITLE)} if title.strip() else {})

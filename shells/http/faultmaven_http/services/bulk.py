"""Many cases at once, and many documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from faultmaven_core.cases import commands as c
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_http.bodies import from_texts
from faultmaven_http.bulk import SECONDS, each, known, named
from faultmaven_http.endpoint import Asked, Endpoint
from faultmaven_http.forms import read_form
from faultmaven_http.services import knowledge
from faultmaven_http.shapes import bulk as s
from faultmaven_http.shapes.case_rows import made
from faultmaven_http.shapes.knowledge import DocumentChange, DocumentForm

CASES, DOCUMENTS = "/api/v1/cases/bulk", "/api/v1/knowledge/documents"

COMMANDS: dict[str, Callable[[str], object]] = {
    "delete": c.DeleteCase,
    "restore": c.RestoreCase,
    "archive": c.ArchiveCase,
    "unarchive": c.UnarchiveCase,
}
"""What can be done to many cases, by the last word of its operation and of its address."""


async def of_cases(asked: Asked, verb: str) -> s.BulkOutcome:
    """One operation on many cases; under an idempotency key once for each of them."""
    operation, caller = OPERATIONS[f"case.{verb}"], asked.caller

    async def work(case_id: str) -> tuple[int, object]:
        view = await operation.call(asked.application, COMMANDS[verb](known(case_id)), caller.step(case_id))
        return (200, made(view, asked)) if isinstance(view, c.CaseView) else (204, None)

    return await each(named("case_ids", asked.body.case_ids), work)


async def delete_documents(asked: Asked) -> s.BulkOutcome:
    """Delete many documents, each if one may."""

    async def work(document_id: str) -> tuple[int, object]:
        await knowledge.delete_one(asked, known(document_id))
        return 204, None

    return await each(named("document_ids", asked.body.document_ids), work)


async def change_documents(asked: Asked) -> s.BulkOutcome:
    """Say other things of many documents, of each what stands beside its id."""
    wishes = {wish.document_id: asdict(wish) for wish in asked.body.documents}

    async def work(document_id: str) -> tuple[int, object]:
        told = {name: value for name, value in wishes[document_id].items() if name != "document_id"}
        return 200, await knowledge.change_one(asked, known(document_id), DocumentChange(**told))

    return await each(named("documents", [wish.document_id for wish in asked.body.documents]), work)


async def upload_documents(asked: Asked) -> s.BulkOutcome:
    """Take several documents; each is called what its file is called, and all that is said beside them is said of each."""
    most = asked.settings.upload_max
    async with read_form(asked.scope, asked.receive, most_file=most, most_text=knowledge.MOST_TEXT) as form:
        told = from_texts(DocumentForm, form.texts)
        files = {file.name: file for file in form.files if file.field == "file"}
        if len(files) < len(form.files) or not files:
            raise InvalidInputError(
                "The form must hold files of different names, as `file`.", fields={"file": "missing"}
            )
        knowledge.require_writing(asked, told.scope or knowledge.PERSONAL)

        async def work(name: str) -> tuple[int, object]:
            row, new = await knowledge.keep_one(asked, told, files[name], asked.caller.step(_key(name)))
            return (201 if new else 200), row

        return await each(tuple(files), work)


def _key(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _row(path: str, operation: str, work: Any, body: type, summary: str) -> Endpoint:
    context, _, verb = operation.partition(".")
    return Endpoint(
        method="POST",
        path=path,
        name=f"{context}.bulk-{verb}",
        summary=summary,
        permission=OPERATIONS[operation].permission,
        work=work,
        answer=s.BulkOutcome,
        body=body,
        seconds=SECONDS,
        cost=10,
    )


OF_CASES: Sequence[Endpoint] = tuple(
    _row(f"{CASES}/{verb}", f"case.{verb}", partial(of_cases, verb=verb), s.CaseIds, f"{verb.capitalize()} many cases")
    for verb in COMMANDS
)

OF_DOCUMENTS: Sequence[Endpoint] = (
    Endpoint(
        method="POST",
        path=f"{DOCUMENTS}/bulk-upload",
        name="knowledge.bulk-add",
        summary="Upload several documents",
        permission=OPERATIONS["knowledge.add"].permission,
        work=upload_documents,
        answer=s.BulkOutcome,
        parts=DocumentForm,
        seconds=SECONDS,
        cost=20,
        failures=(413,),
    ),
    _row(f"{DOCUMENTS}/bulk-delete", "knowledge.delete", delete_documents, s.DocumentIds, "Delete many documents"),
    _row(
        f"{DOCUMENTS}/bulk-update",
        "knowledge.update",
        change_documents,
        s.DocumentUpdates,
        "Say other things of many documents",
    ),
)

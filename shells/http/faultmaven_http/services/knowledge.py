"""The knowledge service: documents of one's own and of everybody, uploaded, looked at, searched and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from faultmaven_core.evidence.media import HEAD, TEXT, media_type
from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import kinds
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError, PermissionDeniedError, UnsupportedTypeError
from faultmaven_core.shared.file_names import file_name
from faultmaven_http.auth import require
from faultmaven_http.bodies import from_texts
from faultmaven_http.endpoint import Answer, Asked, Endpoint, Work
from faultmaven_http.forms import Form, FormFile, read_form
from faultmaven_http.paging import following
from faultmaven_http.shapes import knowledge as s
from faultmaven_http.shapes.knowledge_rows import details_of, document_row, hit_row

PERSONAL, GLOBAL = "personal", "global"
EVERYBODYS = "knowledge:write:org"
DELETING = {PERSONAL: "knowledge:delete", "case": "knowledge:delete"}
WRITING = {PERSONAL: "knowledge:write", "case": "knowledge:write"}
"""What one must have to touch a document, by its scope; of any other scope the permission for everybody's."""

MOST_SHOWN = 50_000
"""Characters of a document's text that are shown with it."""
MOST_LISTED = 100
MOST_TEXT = 64 << 10
WIDER = 5
"""So many times more passages are asked for where some of them are left out afterwards."""

_AS_TEXT = ("json", "csv", "log", "yaml", "yml")
"""Endings that folders of documents are not read for, but that one may upload."""
_IS = {kinds.PDF: (kinds.PDF,), kinds.WORD: (kinds.WORD, "application/zip")}


async def upload(asked: Asked, scope: str = "") -> Answer:
    """Take a document; it is in lists at once, and read a moment later."""
    most = asked.settings.upload_max
    async with read_form(asked.scope, asked.receive, most_file=most, most_text=MOST_TEXT) as form:
        told, file = from_texts(s.DocumentForm, form.texts), _file(form)
        told = replace(told, scope=scope or told.scope)
        require_writing(asked, told.scope or PERSONAL)
        row, new = await keep_one(asked, told, file, asked.caller, told.title)
    place = f"/api/v1/knowledge/documents/{row.document_id}".encode()
    return Answer(row, 201 if new else 200, ((b"location", place),))


def require_writing(asked: Asked, scope: str) -> None:
    """Raises PermissionDeniedError where one may not write documents of a scope."""
    _require(asked, WRITING, scope)


async def keep_one(
    asked: Asked, told: s.DocumentForm, file: FormFile, caller: Caller, title: str = ""
) -> tuple[s.DocumentRow, bool]:
    """Take a file as a document, by its own name where it has no title; whether it is a new one."""
    name = file_name(file.name)
    title = title.strip() or name.rpartition(".")[0] or name
    await _check(file, name)
    ending = ".txt" if name.rpartition(".")[2].lower() in _AS_TEXT else ""
    command = c.AddDocumentContent(
        # The title is part of the name: two files `notes.md` are two documents, one that is sent again is the same.
        f"{file_name(title)}/{name}{ending}",
        told.scope or PERSONAL,
        _tags(told.tags),
        title,
        details_of(asdict(told)),
    )
    taken = await asked.application.knowledge.add_content(command, file.chunks(), caller)
    view = (await _shown(asked, next(iter(taken.documents), taken.same))).item
    return document_row(view), bool(taken.documents)


async def show(asked: Asked) -> s.DocumentRow:
    """A document with its text."""
    found = await _shown(asked, asked.path["document_id"], MOST_SHOWN)
    _readable(asked, found.item.scope)
    return document_row(found.item, found.text)


async def listed(asked: Asked, scope: str = "") -> Answer:
    """Documents, the newest first, so that one that was just uploaded is seen."""
    q: s.DocumentFilter = asked.query
    if not 1 <= q.limit <= MOST_LISTED or q.offset < 0:
        raise InvalidInputError(f"`limit` must be 1 to {MOST_LISTED}.", fields={"limit": "out of range"})
    scopes = (scope or q.scope,) if scope or q.scope else (PERSONAL, GLOBAL)
    for one in scopes:
        _readable(asked, one)
    command = c.ListDocuments(
        scopes,
        tags=_tags(q.tags),
        after=q.cursor or None,
        limit=q.limit,
        kind=q.document_type,
        offset=0 if q.cursor else q.offset,
        newest=True,
        counted=True,
    )
    page = await asked.application.knowledge.list(command, asked.caller)
    total = page.total or 0
    rows = tuple(document_row(view) for view in page.items)
    listed = s.DocumentList(rows, total, total, q.limit, q.offset, page.next)
    return Answer(listed, headers=((b"x-total-count", str(total).encode()), *following(asked, page.next)))


async def change(asked: Asked) -> s.DocumentRow:
    """Say other things of a document."""
    return await change_one(asked, asked.path["document_id"], asked.body)


async def change_one(asked: Asked, document_id: str, body: s.DocumentChange) -> s.DocumentRow:
    """Say other things of one, if one may. Raises NotFoundError, PermissionDeniedError."""
    item = (await _shown(asked, document_id)).item
    _readable(asked, item.scope)
    _require(asked, WRITING, item.scope)
    details = details_of(asdict(body), item.details)
    command = c.UpdateDocument(item.document_id, body.title, body.tags, details)
    await asked.application.knowledge.update(command, asked.caller.step(document_id))
    return document_row((await _shown(asked, item.document_id)).item)


async def delete(asked: Asked, scope: str = "") -> None:
    """Delete a document, if it is of that scope."""
    await delete_one(asked, asked.path["document_id"], scope)


async def delete_one(asked: Asked, document_id: str, scope: str = "") -> None:
    """Delete one, if one may. Raises NotFoundError, PermissionDeniedError."""
    item = (await _shown(asked, document_id)).item
    if scope not in ("", item.scope):
        raise NotFoundError(f"There is no document {item.document_id}.")
    _readable(asked, item.scope)
    _require(asked, DELETING, item.scope, "knowledge:delete:org")
    await asked.application.knowledge.delete(c.DeleteDocument(item.document_id), asked.caller.step(document_id))


async def search(asked: Asked) -> s.SearchRows:
    """Passages that answer a question."""
    body: s.SearchRequest = asked.body
    scopes = body.scopes or (PERSONAL, GLOBAL)
    for scope in scopes:
        _readable(asked, scope)
    tags = set(_tags(body.tags or ""))
    narrowed = bool(tags or body.document_type or body.category)
    limit = min(body.limit * WIDER, MOST_LISTED) if narrowed else body.limit
    found = await asked.application.knowledge.search(c.SearchKnowledge(body.query, scopes, limit), asked.caller)
    views: dict[str, c.DocumentView] = {}
    for document_id in dict.fromkeys(hit.document_id for hit in found.hits):
        with suppress(NotFoundError):  # deleted since it was found
            views[document_id] = (await _shown(asked, document_id)).item
    pairs = ((hit, views[hit.document_id]) for hit in found.hits if hit.document_id in views)
    rows = [hit_row(hit, view) for hit, view in pairs if _wanted(view, body, tags)]
    kept = tuple(rows[: body.limit])
    return s.SearchRows(body.query, kept, len(kept), found.coverage.documents, found.coverage.notes)


def _wanted(view: c.DocumentView, body: s.SearchRequest, tags: set[str]) -> bool:
    told = view.details
    return (
        (not body.document_type or told.get("document_type", "other") == body.document_type)
        and (not body.category or told.get("category") == body.category)
        and tags <= set(view.tags)
    )


async def _shown(asked: Asked, document_id: str, characters: int = 0) -> c.DocumentDetail:
    command = c.ShowDocument(document_id, 0, characters)
    return await asked.application.knowledge.show(command, asked.caller)


def _file(form: Form) -> FormFile:
    if len(form.files) != 1 or form.files[0].field != "file":
        raise InvalidInputError("The form must hold one file, as `file`.", fields={"file": "missing"})
    return form.files[0]


async def _check(file: FormFile, name: str) -> None:
    """Raises UnsupportedTypeError where the content is not of the kind that its name promises: nobody could read it."""
    kind = kinds.media_type(name)
    if not kind and name.rpartition(".")[2].lower() not in _AS_TEXT:
        raise UnsupportedTypeError(
            f"{name} cannot be read as a document: {kinds.TAKEN} are taken, JSON and CSV as text."
        )
    head = await file.content.read(HEAD)
    await file.content.seek(0)
    found = media_type(head)
    if found not in _IS.get(kind, (TEXT, kinds.HTML)):
        raise UnsupportedTypeError(f"{name} is not what its name says: its content is {found}.")


def _tags(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))


def _require(asked: Asked, permissions: dict[str, str], scope: str, other: str = EVERYBODYS) -> None:
    require(asked.who, permissions.get(scope.partition(":")[0], other))


def _readable(asked: Asked, scope: str) -> None:
    """Raises PermissionDeniedError for documents of a team that the caller is not in, unless he keeps everybody's."""
    if not scope.startswith("team:") or asked.who.may(EVERYBODYS):
        return
    if scope.removeprefix("team:") not in asked.who.teams:
        raise PermissionDeniedError("A team's documents are shown to its members and who keeps everybody's documents.")


def _at(method: str, path: str, operation: str, work: Work, answer: type | None, **more: Any) -> Endpoint:
    found = OPERATIONS[operation]
    given = {"name": operation, "summary": found.summary, "permission": found.permission, **more}
    return Endpoint(method=method, path=path, work=work, answer=answer, **given)


def _uploading(path: str, scope: str, permission: str, name: str) -> Endpoint:
    return _at(
        "POST",
        path,
        "knowledge.add",
        partial(upload, scope=scope),
        s.DocumentRow,
        name=name,
        summary="Upload a document",
        permission=permission,
        parts=s.DocumentForm,
        status=201,
        again=True,
        seconds=120.0,
        cost=5,
        failures=(413, 415),
    )


MINE, ADMIN, COMMON = "/api/v1/documents", "/api/v1/admin/kb/documents", "/api/v1/knowledge/documents"
_LIST = {"query": s.DocumentFilter}
_GONE = {"status": 204, "failures": (404,), "cost": 2}
_FIND = {"body": s.SearchRequest, "cost": 5, "failures": (503,)}

ENDPOINTS: Sequence[Endpoint] = (
    _uploading(f"{MINE}/upload", PERSONAL, "knowledge:write", "knowledge.upload-own"),
    _uploading(ADMIN, GLOBAL, EVERYBODYS, "knowledge.upload-global"),
    _uploading(COMMON, "", "knowledge:write", "knowledge.upload"),
    _at("GET", MINE, "knowledge.list", partial(listed, scope=PERSONAL), s.DocumentList, name="knowledge.own", **_LIST),
    _at(
        "GET",
        ADMIN,
        "knowledge.list",
        partial(listed, scope=GLOBAL),
        s.DocumentList,
        name="knowledge.global",
        permission=EVERYBODYS,
        **_LIST,
    ),
    _at("GET", COMMON, "knowledge.list", listed, s.DocumentList, **_LIST),
    _at("GET", COMMON + "/{document_id}", "knowledge.show", show, s.DocumentRow, failures=(404,)),
    _at(
        "PUT",
        COMMON + "/{document_id}",
        "knowledge.update",
        change,
        s.DocumentRow,
        body=s.DocumentChange,
        failures=(404,),
        cost=2,
    ),
    _at("DELETE", COMMON + "/{document_id}", "knowledge.delete", delete, None, **_GONE),
    _at(
        "DELETE",
        MINE + "/{document_id}",
        "knowledge.delete",
        partial(delete, scope=PERSONAL),
        None,
        name="knowledge.delete-own",
        **_GONE,
    ),
    _at(
        "DELETE",
        ADMIN + "/{document_id}",
        "knowledge.delete",
        partial(delete, scope=GLOBAL),
        None,
        name="knowledge.delete-global",
        permission="knowledge:delete:org",
        **_GONE,
    ),
    _at("POST", "/api/v1/knowledge/search", "knowledge.search", search, s.SearchRows, **_FIND),
    _at("POST", f"{MINE}/search", "knowledge.search", search, s.SearchRows, alias=True, **_FIND),
)

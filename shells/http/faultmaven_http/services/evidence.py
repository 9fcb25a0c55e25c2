"""The evidence service: files of cases come, are looked at, searched, fetched and taken away."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterable, Sequence
from contextlib import aclosing

from faultmaven_core.evidence import commands as c
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.page import MOST
from faultmaven_http.bodies import declared_length, from_query, from_texts
from faultmaven_http.downloads import MEDIA, download
from faultmaven_http.endpoint import Answer, Asked, Endpoint, bound
from faultmaven_http.multipart import MOST_FIELD, is_multipart, pieces, streamed
from faultmaven_http.paging import following
from faultmaven_http.shapes import evidence as s
from faultmaven_http.shapes.evidence_rows import detail_of, file_of

ALL = "/api/v1/cases/{case_id}/evidence"
ONE = ALL + "/{evidence_id}"
FILES = "/api/v1/cases/{case_id}/uploaded-files"

LONGEST_UPLOAD = 6 * 3600.0
"""Seconds; a body that stops coming is given up long before."""

_REPR_DIGEST = re.compile(r"(?:.*,\s*)?sha-256=:([A-Za-z0-9+/]{43}=):.*")


async def add(asked: Asked) -> Answer:
    """Keep a file, from a form or as the body itself, as it comes."""
    evidence = asked.application.evidence
    if is_multipart(asked):
        async with streamed(asked, evidence.most_copied + MOST_FIELD) as upload:
            form = from_texts(s.EvidenceForm, upload.fields)
            # A digest in the head is of the whole body: of the form, and not of the file in it.
            return await _kept(asked, form, form.name or upload.name, form.sha256, upload.chunks)
    form = from_query(s.EvidenceForm, asked.scope["query_string"])
    async with aclosing(pieces(asked, evidence.most_copied)) as chunks:
        return await _kept(asked, form, form.name, form.sha256 or _digest(asked), chunks)


async def _kept(asked: Asked, form: s.EvidenceForm, name: str, sha256: str, chunks: AsyncIterable[bytes]) -> Answer:
    case_id = asked.path["case_id"]
    told = {"source_url": form.source_url} if form.source_url else {}
    command = c.AddContent(
        case_id,
        name,
        form.evidence_role,
        "file_upload",
        details=told,
        sha256=sha256,
        size=declared_length(asked.scope) or -1,
    )
    added = await asked.application.evidence.add_content(command, chunks, asked.caller)
    place = ONE.format(case_id=case_id, evidence_id=added.evidence_id)
    return Answer(added, headers=((b"location", place.encode()),))


def _digest(asked: Asked) -> str:
    """The SHA-256 that a header announces (RFC 9530), in hexadecimal."""
    given = asked.header(b"content-digest") or asked.header(b"repr-digest")
    found = _REPR_DIGEST.fullmatch(given)
    return base64.b64decode(found.group(1)).hex() if found else ""


async def content(asked: Asked) -> Answer:
    """The file itself, or a part of it."""
    command = c.ReadContent(asked.path["case_id"], asked.path["evidence_id"])
    return download(asked, await asked.application.evidence.content(command, asked.caller))


async def link(asked: Asked) -> c.ContentLink:
    """An address from which the file can be fetched for a short time."""
    command = c.LinkContent(asked.path["case_id"], asked.path["evidence_id"], asked.body.seconds)
    return await asked.application.evidence.link(command, asked.caller)


async def files(asked: Asked) -> Answer:
    """The files of a case by number, as its clients count them."""
    q: s.FileFilter = asked.query
    if not 1 <= q.limit <= MOST or q.offset < 0:
        raise InvalidInputError(
            f"`limit` must be 1 to {MOST}, `offset` not negative.", fields={"limit": "out of range"}
        )
    case_id = asked.path["case_id"]
    command = c.ListEvidence(case_id, q.cursor or None, q.limit, quick=True, offset=0 if q.cursor else q.offset)
    page = await asked.application.evidence.list(command, asked.caller)
    total = await asked.application.evidence.count(case_id, asked.caller)
    rows = tuple(file_of(item) for item in page.items)
    listed = s.UploadedFiles(rows, total, q.limit, q.offset, page.next)
    return Answer(listed, headers=((b"x-total-count", str(total).encode()), *following(asked, page.next)))


def _list(asked: Asked) -> c.ListEvidence:
    q: s.RowFilter = asked.query
    return c.ListEvidence(asked.path["case_id"], q.cursor or q.after or None, q.limit, quick=True)


def _listed(page: c.EvidencePage, asked: Asked) -> Answer:
    return Answer(s.EvidenceList(page.items, page.next, page.next), headers=following(asked, page.next))


def _show(asked: Asked) -> c.ShowEvidence:
    q: s.LineFilter = asked.query
    return c.ShowEvidence(asked.path["case_id"], asked.path["evidence_id"], q.source, q.first_line, q.lines)


def _file(asked: Asked) -> c.ShowEvidence:
    return c.ShowEvidence(asked.path["case_id"], asked.path["file_id"])


def _classify(asked: Asked) -> c.ClassifyEvidence:
    return c.ClassifyEvidence(asked.path["case_id"], asked.path["evidence_id"], asked.body.kind)


def _search(asked: Asked) -> c.SearchEvidence:
    b: s.LineSearch = asked.body
    return c.SearchEvidence(asked.path["case_id"], b.text, b.regex, b.evidence_id, b.limit)


def _delete(asked: Asked) -> c.DeleteEvidence:
    return c.DeleteEvidence(asked.path["case_id"], asked.path["evidence_id"])


def _as_it_is(view: object, _: Asked) -> object:
    return view


def _gone(_view: object, _: Asked) -> None:
    return None


def _detail(view: c.EvidenceDetail, _: Asked) -> s.UploadedFileDetail:
    return detail_of(view)


READ, WRITE = OPERATIONS["evidence.list"].permission, OPERATIONS["evidence.add"].permission

ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        method="POST",
        path=ALL,
        name="evidence.upload",
        summary="Add a file",
        permission=WRITE,
        work=add,
        answer=c.EvidenceView,
        parts=s.EvidenceForm,
        status=201,
        seconds=LONGEST_UPLOAD,
        cost=5,
        failures=(402, 404, 409, 413),
    ),
    bound("GET", ALL, "evidence.list", _list, _listed, s.EvidenceList, query=s.RowFilter, failures=(404,)),
    bound(
        "POST",
        ALL + "/search",
        "evidence.search",
        _search,
        _as_it_is,
        c.SearchResult,
        body=s.LineSearch,
        failures=(404,),
        cost=5,
    ),
    bound("GET", ONE, "evidence.show", _show, _as_it_is, c.EvidenceDetail, query=s.LineFilter, failures=(404,)),
    bound(
        "PUT",
        ONE + "/kind",
        "evidence.classify",
        _classify,
        _as_it_is,
        c.EvidenceView,
        body=s.KindWish,
        failures=(404, 409),
    ),
    bound("DELETE", ONE, "evidence.delete", _delete, _gone, None, status=204, failures=(404, 409), cost=2),
    Endpoint(
        method="GET",
        path=ONE + "/content",
        name="evidence.content",
        summary="Fetch a file",
        permission=READ,
        work=content,
        answer=None,
        media=MEDIA,
        failures=(404, 409, 416),
    ),
    Endpoint(
        method="POST",
        path=ONE + "/link",
        name="evidence.link",
        summary="Make a short-lived address of a file",
        permission=READ,
        work=link,
        answer=c.ContentLink,
        body=s.LinkWish,
        failures=(404, 409, 501),
    ),
    Endpoint(
        method="GET",
        path=FILES,
        name="evidence.files",
        summary="List a case's files by number",
        permission=READ,
        work=files,
        answer=s.UploadedFiles,
        query=s.FileFilter,
        failures=(404,),
    ),
    bound(
        "GET",
        FILES + "/{file_id}",
        "evidence.show",
        _file,
        _detail,
        s.UploadedFileDetail,
        name="evidence.file",
        failures=(404,),
    ),
)

"""Cases as archives: one is fetched whole, another comes and becomes a case."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing

from faultmaven_core.archives import commands as c
from faultmaven_http.bodies import from_query, from_texts
from faultmaven_http.downloads import disposition
from faultmaven_http.endpoint import Answer, Asked, Endpoint
from faultmaven_http.multipart import MOST_FIELD, is_multipart, pieces, streamed
from faultmaven_http.shapes import archives as s
from faultmaven_http.shapes.case_rows import made

LONGEST_IMPORT = 6 * 3600.0
"""Seconds; a body that stops coming is given up long before."""


async def export(asked: Asked) -> Answer:
    """The archive as it is made. Where it breaks off there is no end to it, and no reader takes it for whole."""
    archive = await asked.application.archives.export(c.ExportCase(asked.path["case_id"]), asked.caller)
    headers = (
        (b"content-type", b"application/zip"),
        (b"content-disposition", disposition(archive.name)),
        (b"cache-control", b"private, no-store"),
    )
    return Answer(_nothing() if asked.scope["method"] == "HEAD" else archive.chunks(), headers=headers)


async def take(asked: Asked) -> Answer:
    """Make a case of what comes, from a form or as the body itself."""
    most = asked.application.archives.most
    if is_multipart(asked):
        async with streamed(asked, most + MOST_FIELD) as upload:
            return await _taken(asked, from_texts(s.ArchiveForm, upload.fields), upload.chunks)
    form = from_query(s.ArchiveForm, asked.scope["query_string"])
    async with aclosing(pieces(asked, most)) as chunks:
        return await _taken(asked, form, chunks)


async def _taken(asked: Asked, form: s.ArchiveForm, chunks: AsyncIterable[bytes]) -> Answer:
    found = await asked.application.archives.take(c.ImportCase(form.sha256), chunks, asked.caller)
    row = made(found.case, asked)
    shown = s.ImportedCase(
        row.case_id, row, found.from_case, found.from_organization, found.evidence, found.missing, found.sha256
    )
    return Answer(shown, headers=((b"location", f"/api/v1/cases/{row.case_id}".encode()),))


async def _nothing(of: Sequence[bytes] = ()) -> AsyncIterator[bytes]:
    for piece in of:
        yield piece


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        method="GET",
        path="/api/v1/cases/{case_id}/export",
        name="case.export",
        summary="Fetch a case as one archive",
        permission="case:read",
        besides=("evidence:read", "report:read"),
        work=export,
        answer=None,
        media=("application/zip",),
        cost=10,
        failures=(404, 409),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/cases/import",
        name="case.import",
        summary="Make a case of an archive",
        permission="case:write",
        besides=("evidence:write",),
        work=take,
        answer=s.ImportedCase,
        parts=s.ArchiveForm,
        raw="application/zip",
        status=201,
        seconds=LONGEST_IMPORT,
        cost=10,
        failures=(402, 409, 413),
    ),
)

"""Files that are sent in parts, so that a broken connection costs one part: the core of tus 1.0, and its creation and end."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from email.utils import format_datetime

from faultmaven_core.evidence.uploading import BeginUpload, NameUpload, UploadView
from faultmaven_core.operations import OPERATIONS
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_http.bodies import ClientLeftError, from_texts
from faultmaven_http.endpoint import Answer, Asked, Endpoint
from faultmaven_http.errors import HttpError
from faultmaven_http.multipart import pieces
from faultmaven_http.shapes.uploads import NewUpload

ALL = "/api/v1/cases/{case_id}/uploads"
ONE = ALL + "/{upload_id}"
PART = "application/offset+octet-stream"
VERSION = (b"tus-resumable", b"1.0.0")
LONGEST_PART = 6 * 3600.0
"""Seconds; a part that stops coming ends long before, and what came of it stays."""


async def begin(asked: Asked) -> Answer:
    """Keep room for a file, and say where its parts are to be sent."""
    told: NewUpload = asked.body
    if asked.header(b"upload-length"):
        given = {"size": asked.header(b"upload-length"), **_metadata(asked.header(b"upload-metadata"))}
        told = from_texts(NewUpload, given)
    if not told.name or told.size < 0:
        raise InvalidInputError("An upload needs a name and a size.", fields={"size": "missing"})
    details = {"source_url": told.source_url} if told.source_url else {}
    command = BeginUpload(asked.path["case_id"], told.name, told.size, told.evidence_role, told.sha256, details)
    view = await asked.application.evidence.uploads.begin(command, asked.caller)
    place = ONE.format(case_id=view.case_id, upload_id=view.upload_id)
    return Answer(view, headers=(*_headers(view), (b"location", place.encode())))


async def show(asked: Asked) -> Answer:
    """How much of a file is here; for HEAD it stands in the headers."""
    view = await asked.application.evidence.uploads.show(_named(asked), asked.caller)
    return Answer(view, headers=_headers(view))


async def receive(asked: Asked) -> Answer:
    """Take a part. What came of one that broke off stays, and the client goes on behind it."""
    uploads, named = asked.application.evidence.uploads, _named(asked)
    before = await uploads.show(named, asked.caller)
    if asked.header(b"content-type").partition(";")[0].strip().lower() != PART:
        raise HttpError(415, f"A part of an upload is sent as {PART}.", code="unsupported_type")
    offset = asked.header(b"upload-offset")
    if not (offset.isascii() and offset.isdigit() and len(offset) < 19):
        raise InvalidInputError("Upload-Offset must say where the part begins.", fields={"Upload-Offset": "missing"})
    coming = _Coming()
    async with aclosing(coming.chunks(pieces(asked, before.size - before.offset))) as chunks:
        view = await uploads.receive(named, int(offset), chunks, asked.caller)
    headers = (*_headers(view), *coming.headers)
    if view.evidence is not None:
        place = f"/api/v1/cases/{view.case_id}/evidence/{view.evidence.evidence_id}"
        headers += ((b"location", place.encode()),)
    return Answer(None, headers=headers)


async def drop(asked: Asked) -> Answer:
    """Give an upload up."""
    await asked.application.evidence.uploads.drop(_named(asked), asked.caller)
    return Answer(None, headers=(VERSION,))


class _Coming:
    """A part as far as it comes: that is what parts are for. `headers` belong to the answer, where it stopped."""

    def __init__(self) -> None:
        self.headers: tuple[tuple[bytes, bytes], ...] = ()

    async def chunks(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """What came."""
        try:
            async with aclosing(body):
                async for chunk in body:
                    yield chunk
        except ClientLeftError:
            return
        except HttpError as error:
            self.headers = tuple((name.encode(), value.encode()) for name, value in error.headers.items())


def _named(asked: Asked) -> NameUpload:
    return NameUpload(asked.path["case_id"], asked.path["upload_id"])


def _headers(view: UploadView) -> tuple[tuple[bytes, bytes], ...]:
    return (
        VERSION,
        (b"upload-offset", str(view.offset).encode()),
        (b"upload-length", str(view.size).encode()),
        (b"upload-expires", format_datetime(view.expires_at, usegmt=True).encode()),
    )


def _metadata(header: str) -> dict[str, str]:
    """The pairs of Upload-Metadata: names, and values in base64."""
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        name, _, value = pair.partition(" ")
        name = {"filename": "name"}.get(name, name)
        if name in found:
            raise InvalidInputError("Upload-Metadata says something twice.", fields={name[:60]: "given twice"})
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidInputError(
                "Upload-Metadata must hold UTF-8 in base64.", fields={name[:60]: "unreadable"}
            ) from error
    return found


WRITE = OPERATIONS["evidence.add"].permission

ENDPOINTS: Sequence[Endpoint] = (
    Endpoint(
        method="POST",
        path=ALL,
        name="upload.begin",
        summary="Begin to send a file in parts",
        permission=WRITE,
        work=begin,
        answer=UploadView,
        body=NewUpload,
        status=201,
        cost=5,
        keyed=False,
        failures=(402, 404, 409, 413),
    ),
    Endpoint(
        method="GET",
        path=ONE,
        name="upload.show",
        summary="Say how much of a file is here",
        permission=WRITE,
        work=show,
        answer=UploadView,
        failures=(404,),
    ),
    Endpoint(
        method="PATCH",
        path=ONE,
        name="upload.receive",
        summary="Send the next part of a file",
        permission=WRITE,
        work=receive,
        answer=None,
        status=204,
        seconds=LONGEST_PART,
        raw=PART,
        failures=(404, 409),
    ),
    Endpoint(
        method="DELETE",
        path=ONE,
        name="upload.drop",
        summary="Give an upload up",
        permission=WRITE,
        work=drop,
        answer=None,
        status=204,
        failures=(404,),
    ),
)

"""Forms with files, read whole: texts in memory, files beside it once they are large."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Receive, Scope

from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_http import bodies
from faultmaven_http.errors import HttpError

PIECE = 64 << 10
MOST_FILES = 10
MOST_FIELDS = 50


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form, under the name that its sender gave it. `size` is in bytes."""

    field: str
    name: str
    content_type: str
    size: int
    content: UploadFile

    async def chunks(self) -> AsyncIterator[bytes]:
        """Its bytes, piece by piece."""
        while piece := await self.content.read(PIECE):
            yield piece


@dataclass(frozen=True, slots=True)
class Form:
    """Texts by their names, and files in their order."""

    texts: dict[str, str]
    files: Sequence[FormFile]


class _WholeParser(MultiPartParser):
    """Also knows whether the form came to its end."""

    ended = False

    def on_end(self) -> None:
        """The last boundary was read."""
        self.ended = True


@asynccontextmanager
async def read_form(scope: Scope, receive: Receive, *, most_file: int, most_text: int) -> AsyncIterator[Form]:
    """The form, multipart or urlencoded; its files are gone afterwards.

    Raises TooLargeError where a file or the whole is over the limits, InvalidInputError where it is no form, HttpError 415 on
    another type, ClientLeftError.
    """
    content_type = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        yield Form(bodies.pairs_of(await bodies.read(scope, receive, most=most_text)), ())
        return
    if kind != "multipart/form-data":
        raise HttpError(415, "The body must be a form: send multipart/form-data.", code="unsupported_type")
    most = most_file * MOST_FILES + most_text
    if bodies.declared_length(scope) > most:
        raise bodies.too_large(most)
    headers = Headers(raw=list(scope["headers"]))
    parser = _WholeParser(
        headers, _pieces(receive, most), max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=most_text
    )
    try:
        parsed = await parser.parse()
    except MultiPartException as error:
        raise InvalidInputError(f"The form cannot be read: {error.message.rstrip('.')}.") from error
    try:
        if not parser.ended:
            raise InvalidInputError("The form ends before its last boundary.")
        yield _form(parsed.multi_items(), most_file)
    finally:
        await parsed.close()


def _form(items: Sequence[tuple[str, UploadFile | str]], most_file: int) -> Form:
    texts: dict[str, str] = {}
    files: list[FormFile] = []
    for name, value in items:
        if isinstance(value, str):
            if name in texts:
                raise InvalidInputError("A field is given twice.", fields={name: "given twice"})
            texts[name] = value
            continue
        if (value.size or 0) > most_file:
            raise bodies.too_large(most_file)
        files.append(FormFile(name, value.filename or "", value.content_type or "", value.size or 0, value))
    return Form(texts, files)


async def _pieces(receive: Receive, most: int) -> AsyncGenerator[bytes, None]:
    taken, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise bodies.ClientLeftError
        piece = message.get("body", b"")
        taken += len(piece)
        if taken > most:
            raise bodies.too_large(most)
        more = message.get("more_body", False)
        yield piece

"""Forms with files, read whole: texts in memory, files beside it once they are large."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
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

    async def sha256(self) -> str:
        """The digest of its bytes, in hexadecimal."""
        digest = hashlib.sha256()
        async for piece in self.chunks():
            digest.update(piece)
        return digest.hexdigest()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Its bytes, piece by piece, from the first on."""
        await self.content.seek(0)
        while piece := await self.content.read(PIECE):
            yield piece


@dataclass(frozen=True, slots=True)
class Form:
    """Texts by their names, and files in their order."""

    texts: dict[str, str]
    files: Sequence[FormFile]


class _WholeParser(MultiPartParser):
    """Also knows whether the form came to its end; its texts are UTF-8 and hold `most_text` bytes together."""

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], most_text: int) -> None:
        super().__init__(headers, stream, max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=most_text)
        self.ended = False
        self._text, self._most_text = 0, most_text

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Some of a part came."""
        if self._current_part.file is None:
            self._text += end - start
            if self._text > self._most_text:
                raise bodies.too_large(self._most_text)
        super().on_part_data(data, start, end)

    def on_part_end(self) -> None:
        """A part is whole."""
        part = self._current_part
        if part.file is None:
            try:
                part.data.decode()  # what is none would be read as Latin-1
            except UnicodeDecodeError as error:
                raise InvalidInputError(f"The field {part.field_name[:60]} is not in UTF-8.") from error
        super().on_part_end()

    def on_end(self) -> None:
        """The last boundary was read."""
        self.ended = True


@asynccontextmanager
async def read_form(scope: Scope, receive: Receive, *, most_file: int, most_text: int) -> AsyncIterator[Form]:
    """The form, multipart or urlencoded; its files are gone afterwards.

    Raises TooLargeError where a file, all texts together or the whole are over the limits, InvalidInputError where it is no
    form, HttpError 415 on another type or charset, ClientLeftError.
    """
    content_type = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), "")
    kind = _kind(content_type)
    if kind == "application/x-www-form-urlencoded":
        data = await bodies.read(scope, receive, most=most_text)
        # A long text, each byte of it escaped, takes a second to decode.
        yield Form(await asyncio.to_thread(bodies.pairs_of, data) if len(data) > PIECE else bodies.pairs_of(data), ())
        return
    if kind != "multipart/form-data":
        raise HttpError(415, "The body must be a form: send multipart/form-data.", code="unsupported_type")
    most = most_file * MOST_FILES + most_text
    if bodies.declared_length(scope) > most:
        raise bodies.too_large(most)
    headers = Headers(raw=list(scope["headers"]))
    parser = _WholeParser(headers, _pieces(receive, most), most_text)
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


def _kind(content_type: str) -> str:
    """The media type. Raises HttpError 415 where the sender picks a codec: some take seconds, or make what no UTF-8 can hold."""
    kind, options = parse_options_header(content_type)
    if options.get(b"charset", b"utf-8").lower() != b"utf-8":
        raise HttpError(415, "The texts of a form must be in UTF-8.", code="unsupported_type")
    return kind.decode("latin-1").strip().lower()


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

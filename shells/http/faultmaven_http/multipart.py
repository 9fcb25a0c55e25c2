"""Bodies that are read as they come, and the file of a form in parts (RFC 7578) among them: never whole in memory."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, MutableMapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive

from faultmaven_core.shared.errors import InvalidInputError, TooLargeError
from faultmaven_http.bodies import ClientLeftError, declared_length, too_large
from faultmaven_http.endpoint import Asked
from faultmaven_http.errors import HttpError

MOST_PARTS = 16
MOST_FIELD = 64 << 10
"""Bytes of a field that is no file."""

MOST_PART_HEADERS = 8
MOST_PART_HEADER = 4 << 10
IDLE_SECONDS = 60.0
"""How long nothing may come while a body is read."""

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


@dataclass(frozen=True, slots=True)
class PartHead:
    """What a part says of itself; `file_name` is None for a field."""

    name: str
    file_name: str | None
    content_type: str


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part is whole."""


Event = PartHead | bytes | PartEnd


@dataclass(frozen=True, slots=True)
class Upload:
    """The fields of a form and its one file, of which `chunks` is still to come; it raises where the rest is no such form."""

    fields: Mapping[str, str]
    name: str
    chunks: AsyncGenerator[bytes, None]


def is_multipart(asked: Asked) -> bool:
    """Whether the body says to be such a form."""
    return asked.header(b"content-type").partition(";")[0].strip().lower() == "multipart/form-data"


async def pieces(asked: Asked, most: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes.

    Raises TooLargeError, before a byte is read where the length is told; ClientLeftError; HttpError 408 where nothing comes.
    """
    if declared_length(asked.scope) > most:
        raise too_large(most)
    size, more = 0, True
    while more:
        message = await _next(asked.receive)
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        body: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(body)
        if size > most:
            raise too_large(most)
        if body:
            yield body


async def _next(receive: Receive) -> MutableMapping[str, Any]:
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            return await receive()
    except TimeoutError as error:
        raise HttpError(408, "The body stopped coming.", code="timeout", headers={"connection": "close"}) from error


@asynccontextmanager
async def streamed(asked: Asked, most: int) -> AsyncIterator[Upload]:
    """A form of fields and, after them, one file that is read as it comes. Raises InvalidInputError where there is none."""
    async with aclosing(events(asked, most)) as parts:
        fields: dict[str, str] = {}
        async for event in parts:
            if isinstance(event, PartHead):
                if event.file_name is not None:
                    yield Upload(fields, event.file_name, _rest(parts))
                    return
                await _field(event, parts, fields)
    raise InvalidInputError("The form holds no file.", fields={"file": "missing"})


async def events(asked: Asked, most: int) -> AsyncGenerator[Event, None]:
    """What the body holds, part by part. Raises InvalidInputError where it is no form or does not end."""
    reading = _Reading()
    parser = MultipartParser(
        _boundary(asked),
        reading.callbacks(),  # type: ignore[arg-type]  # a dictionary of its own type, whose members are all optional
        max_header_count=MOST_PART_HEADERS,
        max_header_size=MOST_PART_HEADER,
    )
    async with aclosing(pieces(asked, most)) as body:
        async for piece in body:
            try:
                parser.write(piece)
            except FormParserError as error:
                raise InvalidInputError("The form is not written as RFC 7578 has it.") from error
            for event in reading.taken():
                yield event
    if not reading.ended:
        raise InvalidInputError("The form does not end.")


class _Reading:
    """Gathers what the parser calls out."""

    def __init__(self) -> None:
        self.ended = False
        self._events: list[Event] = []
        self._headers: dict[str, str] = {}
        self._name, self._value = bytearray(), bytearray()
        self._parts = 0

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._head,
            "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
            "on_part_end": lambda: self._events.append(PartEnd()),
            "on_end": self._end,
        }

    def taken(self) -> list[Event]:
        """What was called out since it was asked last."""
        found, self._events = self._events, []
        return found

    def _header(self) -> None:
        name = self._name.decode("latin-1").lower()
        if name in self._headers:
            raise InvalidInputError(f"A part of the form has two headers {name}.")
        self._headers[name] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def _head(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise InvalidInputError(f"The form has over {MOST_PARTS} parts.")
        kind, options = parse_options_header(self._headers.get("content-disposition"))
        if kind != b"form-data" or b"name" not in options:
            raise InvalidInputError("A part of the form has no name.")
        given = options.get(b"filename")
        self._events.append(
            PartHead(
                options[b"name"].decode(errors="replace"),
                None if given is None else given.decode(errors="replace"),
                self._headers.get("content-type", ""),
            )
        )
        self._headers = {}

    def _end(self) -> None:
        self.ended = True


def _boundary(asked: Asked) -> bytes:
    if not is_multipart(asked):
        raise HttpError(415, "The body must be a form: send Content-Type multipart/form-data.", code="unsupported_type")
    _, options = parse_options_header(asked.header(b"content-type"))
    boundary = options.get(b"boundary", b"").decode("latin-1")
    if not _BOUNDARY.fullmatch(boundary):
        raise InvalidInputError("The form's boundary is not one that RFC 2046 allows.")
    return boundary.encode()


async def _field(head: PartHead, parts: AsyncIterator[Event], fields: dict[str, str]) -> None:
    value = bytearray()
    async for event in parts:
        if isinstance(event, PartEnd):
            break
        value += event if isinstance(event, bytes) else b""
        if len(value) > MOST_FIELD:
            raise TooLargeError(f"The field {head.name[:60]} is over {MOST_FIELD >> 10} KiB.")
    if head.name in fields:
        raise InvalidInputError("A field of the form is given twice.", fields={head.name[:60]: "given twice"})
    try:
        fields[head.name] = value.decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"The field {head.name[:60]} is not in UTF-8.") from error


async def _rest(parts: AsyncGenerator[Event, None]) -> AsyncGenerator[bytes, None]:
    """The file's content; what stands after it must be the form's end, or nothing of it counts."""
    async for event in parts:
        if isinstance(event, PartEnd):
            break
        if isinstance(event, bytes):
            yield event
    if await anext(parts, None) is not None:
        raise InvalidInputError("The file must come last in the form, and there can be one only.")

"""HTTP/1.1 for the emulator: requests with a length, answers in JSON, connections that stay open."""

from __future__ import annotations

import asyncio
import http
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from faultmaven_contract_tests.servers.pinecone_emulator.refusals import RefusalError

MOST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request; the parts of its path are decoded."""

    method: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object."""
        try:
            found = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict):
            raise RefusalError(422, "UNPROCESSABLE_ENTITY", "Failed to deserialize the JSON body into the target type.")
        return found


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    content: Any = None
    headers: tuple[tuple[str, str], ...] = ()


Answer = Callable[[Request], Response]


async def serve(answer: Answer, port: int) -> None:
    """Answers on the loopback interface until it is cancelled."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read(reader):
                writer.write(_encoded(*_answered(answer, request)))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port, limit=MOST_BODY)
    async with server:
        await server.serve_forever()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    url = urlsplit(target)
    parts = tuple(unquote(part) for part in url.path.split("/") if part)
    return Request(method, parts, dict(parse_qsl(url.query)), headers, body)


def _answered(answer: Answer, request: Request) -> tuple[Response, bytes, str]:
    try:
        response = answer(request)
    except RefusalError as refusal:
        if not refusal.code:
            return Response(refusal.status, headers=refusal.headers), str(refusal).encode(), "text/plain"
        content = {"error": {"code": refusal.code, "message": str(refusal)}, "status": refusal.status}
        response = Response(refusal.status, content, refusal.headers)
    return response, msgspec.json.encode(response.content), "application/json"


def _encoded(response: Response, body: bytes, kind: str) -> bytes:
    reason = http.HTTPStatus(response.status).phrase
    lines = [f"HTTP/1.1 {response.status} {reason}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

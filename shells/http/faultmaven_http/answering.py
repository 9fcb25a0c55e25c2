"""How an answer gets to its client, and what happens when that has left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable

from starlette.types import Receive, Send

from faultmaven_core import codec
from faultmaven_http.bodies import ClientLeftError
from faultmaven_http.endpoint import Answer, Endpoint


async def send_answer(endpoint: Endpoint, answered: object, receive: Receive, send: Send) -> None:
    """Write the answer: a value in JSON, bytes as they are, or pieces as they come.

    Raises ClientLeftError where nobody takes the pieces any more; no more of them are asked for then.
    """
    answer = answered if isinstance(answered, Answer) else Answer(answered)
    status, value = answer.status or endpoint.status, answer.value
    headers = [(name.encode(), text.encode()) for name, text in endpoint.headers.items()] + list(answer.headers)
    if not any(name == b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"no-store"))
    if isinstance(value, AsyncIterable):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        sending = _send_pieces(value, send)
        # A server says nothing to who sends to a client that has left: all the rest would be fetched for nobody.
        await (sending if answer.watched else until_gone(receive, sending))
        return
    body = value if isinstance(value, bytes) else b"" if value is None else codec.encode(value)
    if value is not None and not isinstance(value, bytes):
        headers.append((b"content-type", b"application/json"))
    if status not in (204, 304):
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def until_gone(receive: Receive, work: Awaitable[object]) -> object:
    """The work's result. Where the client leaves before that, the work is cancelled; raises ClientLeftError then."""
    doing = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait((doing, watching), return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientLeftError
        return await doing
    finally:
        watching.cancel()
        doing.cancel()
        await asyncio.gather(doing, watching, return_exceptions=True)


async def _send_pieces(pieces: AsyncIterable[bytes], send: Send) -> None:
    try:
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

"""HTTP/1.1 as the edge takes it: heads are bounded in size and time, trailers are dropped, refusals are problems."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 64 << 10
"""Bytes of a head that are read at all; what is smaller is refused by its own limits, in `hygiene`."""

HEAD_SECONDS = 10.0
LINGER_SECONDS = 2.0
MOST_DISCARDED = 64 << 20
"""Bytes of a body that are read and thrown away after a refusal, so that the client gets to read it."""


class EdgeProtocol(HttpToolsProtocol):
    """One connection."""

    _reading_head = True
    _ended = False
    _head = 0
    _discarded = 0
    _deadline: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """A client has HEAD_SECONDS for its first head, from now on."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that does not end is refused. After a refusal nothing is read but thrown away."""
        if self._refused:
            self._discard(len(data))
            return
        if self._reading_head and self._deadline is None:
            self._arm()
        self._ended = False
        super().data_received(data)
        # Where a request has ended in these bytes, they were its own and not those of the next head.
        if self._reading_head and not self._ended and not self._refused and not self.transport.is_closing():
            self._head += len(data)
            if self._head > MOST_HEAD:
                self._refuse(431, "The head of the request is too large.")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._reading_head, self._head, self._discarded = True, 0, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one that comes after the body is a trailer, which nobody here has use for."""
        if self._reading_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._reading_head = False
        self._disarm()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next byte is of another head."""
        super().on_message_complete()
        self._reading_head, self._head, self._ended = True, 0, True

    def on_body(self, body: bytes) -> None:
        """A piece of the body; what nobody reads any more is taken for a while, and then not."""
        if self.cycle.response_complete:
            self._discard(len(body))
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are for its own form
        """What is not HTTP, in the form of all refusals."""
        if self._head > MOST_HEAD:
            self._refuse(431, "The head of the request is too large.")
        else:
            self._refuse(400, "This is not HTTP as RFC 9112 has it.")

    def _arm(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._refuse, 408, "The request did not come in time.")

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: int, sentence: str) -> None:
        self._disarm()
        if self._refused or self.transport.is_closing():
            return
        # Not into an answer that has begun: the client would take it for a part of that.
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            from faultmaven_http.correlation import correlate
            from faultmaven_http.errors import MEDIA_TYPE, HttpError, told

            correlation = correlate(())
            answer = told(HttpError(status, sentence, code="invalid_request"), correlation.id)
            head = (
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
                f"content-type: {MEDIA_TYPE.decode()}\r\ncontent-length: {len(answer.body)}\r\n"
                f"x-request-id: {correlation.id}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + answer.body)
        # Closed at once, the system would answer what is still on its way with a reset, and the client lose our words.
        self._refused = True
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > MOST_DISCARDED:
            self.transport.close()

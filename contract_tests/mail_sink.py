"""A mail server on this machine that keeps the letters, or says what it is told to say."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from faultmaven_core.ports.mail import Mail

FROM = "faultmaven@example.org"


@dataclass
class Sink:
    """Takes mail as a real server does, or says what it is told to say."""

    envelopes: list[Envelope] = field(default_factory=list)
    recipient: str = ""
    data: str = ""

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        """Take the address, or refuse it."""
        if not self.recipient:
            envelope.rcpt_tos.append(address)
        return self.recipient or "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Keep the letter, or refuse it."""
        if not self.data:
            self.envelopes.append(envelope)
        return self.data or "250 OK"

    def arrived(self) -> Sequence[Mail]:
        """What was kept, as its reader sees it."""
        letters = []
        for envelope in self.envelopes:
            assert isinstance(envelope.content, bytes)
            message = message_from_bytes(envelope.content, policy=policy.default)
            (recipient,) = envelope.rcpt_tos
            assert (message["To"], message["From"], envelope.mail_from) == (recipient, FROM, FROM)
            assert message["Auto-Submitted"] == "auto-generated"
            body = message.get_content().replace("\r\n", "\n")
            letters.append(Mail(recipient, str(message["Subject"]), body))
        return letters


class Conversation(SMTP):
    """Knows when it is over."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.over = asyncio.Event()
        self.over.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """With a client, or anew after STARTTLS."""
        self.over.clear()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """By whichever side."""
        super().connection_lost(error)
        self.over.set()


@asynccontextmanager
async def listening(sink: Sink, *, tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[int]:
    """A mail server on this machine; its port."""
    loop = asyncio.get_running_loop()
    sessions: list[Conversation] = []

    def session() -> SMTP:
        sessions.append(Conversation(sink, loop=loop, hostname="mail.example.org", **options))
        return sessions[-1]

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        for each in sessions:
            await asyncio.wait_for(each.over.wait(), 30)

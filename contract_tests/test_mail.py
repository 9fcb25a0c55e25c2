"""The contract of mail on our ways of sending it, and SMTP against a server that misbehaves."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from faultmaven_adapters.mail.memory import MemoryMailer
from faultmaven_adapters.mail.none import NoMailer
from faultmaven_adapters.mail.smtp import SmtpMailer
from faultmaven_contract_tests.mail import MailContract, OpenedMailer
from faultmaven_contract_tests.servers.certificates import certificate
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.mail import Mail
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    DeadlineExceededError,
    InvalidInputError,
    MisconfiguredError,
)
from faultmaven_core.shared.secret import Secret
from mail_sink import FROM, Sink, listening

CLOCK = FixedClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
LETTER = Mail("ann@example.org", "Subject", "text\n")


@asynccontextmanager
async def memory(_: Path) -> AsyncIterator[OpenedMailer]:
    """Keeps what is sent."""
    mailer = MemoryMailer()
    yield OpenedMailer(mailer, lambda: list(mailer.sent))


@asynccontextmanager
async def smtp(_: Path) -> AsyncIterator[OpenedMailer]:
    """A real conversation."""
    sink = Sink()
    async with listening(sink) as port:
        yield OpenedMailer(SmtpMailer(f"smtp://127.0.0.1:{port}", FROM, CLOCK), sink.arrived)


OPENERS = {"memory": memory, "smtp": smtp}


class TestMail(MailContract):
    """Mail."""

    port = "mail"
    openers = OPENERS

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[OpenedMailer]:
        """A fresh one."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"recipient": "550 no such user"}, InvalidInputError),
        ({"recipient": "450 come back later"}, BackendUnavailableError),
        ({"data": "554 we do not like it"}, BackendError),
        ({"data": "452 disk full"}, BackendUnavailableError),
    ],
)
async def test_what_a_server_answers_becomes_an_error_of_ours(said: dict[str, Any], error: type[Exception]) -> None:
    """For good, or for now; without a word of the server."""
    async with listening(Sink(**said)) as port:
        with pytest.raises(error) as raised:
            await SmtpMailer(f"smtp://127.0.0.1:{port}", FROM, CLOCK).send(LETTER)
    assert type(raised.value) is error
    assert f"127.0.0.1:{port}" in str(raised.value)
    assert "like it" not in str(raised.value)


async def test_a_server_that_is_not_there_or_says_nothing_is_unavailable() -> None:
    """Within the time that it has."""
    async with listening(Sink()) as port:
        pass
    with pytest.raises(BackendUnavailableError):
        await SmtpMailer(f"smtp://127.0.0.1:{port}", FROM, CLOCK).send(LETTER)
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    async with silent:
        mute = SmtpMailer(f"smtp://127.0.0.1:{silent.sockets[0].getsockname()[1]}", FROM, CLOCK, timeout=0.2)
        with pytest.raises(DeadlineExceededError):
            await mute.send(LETTER)
    for writer in writers:
        writer.close()
        await writer.wait_closed()


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    files = certificate(folder)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(files.chain, files.key)
    return server, ssl.create_default_context(cafile=str(files.authority))


@pytest.mark.filterwarnings(
    "ignore:Requiring AUTH while not requiring TLS:UserWarning"
)  # of the server that is to be shunned
async def test_a_user_is_only_named_over_an_encrypted_connection(tmp_path: Path) -> None:
    """From the first byte, or by STARTTLS; a server without either gets neither password nor letter."""
    server, client = _contexts(tmp_path)
    sink, tried = Sink(), []

    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        tried.append((data.login, data.password))
        return AuthResult(success=data.password == b"right password", handled=False)

    secret = Secret("right password")
    options: dict[str, Any] = {"authenticator": known, "auth_required": True}
    async with listening(sink, tls_context=server, **options) as port:
        url = f"smtp://mailer@127.0.0.1:{port}"
        await SmtpMailer(url, FROM, CLOCK, password=secret, context=client).send(LETTER)
        with pytest.raises(AuthenticationError):
            await SmtpMailer(url, FROM, CLOCK, password=Secret("wrong"), context=client).send(LETTER)
    async with listening(sink, tls=server, auth_require_tls=False, **options) as port:
        url = f"smtps://mailer@127.0.0.1:{port}"
        await SmtpMailer(url, FROM, CLOCK, password=secret, context=client).send(LETTER)
        with pytest.raises(BackendError, match="certificate that is not trusted"):
            await SmtpMailer(url, FROM, CLOCK, password=secret).send(LETTER)
    assert list(dict.fromkeys(tried)) == [(b"mailer", b"right password"), (b"mailer", b"wrong")]
    assert list(sink.arrived()) == [LETTER, LETTER]
    before = len(tried)
    async with listening(sink, auth_require_tls=False, **options) as port:
        with pytest.raises(BackendError):
            await SmtpMailer(f"smtp://mailer@127.0.0.1:{port}", FROM, CLOCK, password=secret).send(LETTER)
    assert len(tried) == before


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1", "smtp://", "smtp:", "127.0.0.1:25", "smtp://user:password@127.0.0.1:25"]
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    """A password in it is none of a log's business."""
    with pytest.raises(MisconfiguredError) as raised:
        SmtpMailer(url, FROM, CLOCK)
    assert "password@" not in str(raised.value)


def test_a_sender_that_is_none_is_refused() -> None:
    """At the start."""
    with pytest.raises(MisconfiguredError, match="FM_MAIL_FROM"):
        SmtpMailer("smtp://127.0.0.1", "nobody", CLOCK)


async def test_letters_that_are_not_sent_are_not_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Neither address nor text; that there was one is."""
    caplog.set_level(logging.INFO)
    await NoMailer().send(LETTER)
    assert "ann@" not in caplog.text
    assert "text" not in caplog.text
    assert "FM_MAIL_URL" in caplog.text
    await NoMailer().aclose()

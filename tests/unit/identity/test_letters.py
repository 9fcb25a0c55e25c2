"""Letters beside the answer: what becomes of those that cannot be sent, and of the others."""

from __future__ import annotations

import asyncio
import logging

import pytest

from faultmaven_adapters.mail.memory import MemoryMailer
from faultmaven_core.identity.letters import MOST_WAITING, Letters
from faultmaven_core.ports.mail import Mail

BROKEN = "bob@example.org"


class Slow(MemoryMailer):
    """It sends when it is told to, and has a defect with one address."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()

    async def send(self, mail: Mail) -> None:
        """See the port."""
        if mail.to == BROKEN:
            raise ValueError(f"{mail.to}: {mail.text}")
        await self.open.wait()
        await super().send(mail)


async def test_a_defect_with_one_letter_keeps_back_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """The log says where it was, and nothing of address and text; closing waits for the others."""
    mailer = Slow()
    letters = Letters(mailer, "FaultMaven", "https://fm.example")
    for to in ("ann@example.org", BROKEN, "cem@example.org"):
        letters.reset(to, "fmp_secret", 15)
    closing = asyncio.create_task(letters.aclose())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not closing.done()
    mailer.open.set()
    await closing
    assert [mail.to for mail in mailer.sent] == ["ann@example.org", "cem@example.org"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "ValueError" in caplog.text
    assert "in send" in caplog.text
    assert BROKEN not in caplog.text
    assert "fmp_secret" not in caplog.text


async def test_requests_for_letters_take_no_place_of_a_letter(caplog: pytest.LogCaptureFixture) -> None:
    """Anybody may ask for one to an address that nobody has; each kind has a bound, and the log says which was dropped."""
    mailer = Slow()
    letters = Letters(mailer, "FaultMaven", "https://fm.example")

    async def asked() -> None:
        await mailer.open.wait()

    for _ in range(MOST_WAITING + 1):
        letters.beside(asked())
    assert [record.getMessage() for record in caplog.records] == [
        f"A request for a letter was dropped: {MOST_WAITING} others are under way still."
    ]
    caplog.clear()
    for _ in range(MOST_WAITING + 1):
        letters.locked("ann@example.org")
    assert [record.getMessage() for record in caplog.records] == [
        f"A letter was dropped: {MOST_WAITING} others are under way still."
    ]
    mailer.open.set()
    await letters.aclose()
    assert len(mailer.sent) == MOST_WAITING

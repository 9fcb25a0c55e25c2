"""Letters beside the answer: what becomes of those that cannot be sent, and of the others."""

from __future__ import annotations

import asyncio
import logging

import pytest

from faultmaven_adapters.mail.memory import MemoryMailer
from faultmaven_core.identity.letters import Letters
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

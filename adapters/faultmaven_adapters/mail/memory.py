"""Mail that is kept instead of sent: for tests."""

from __future__ import annotations

from faultmaven_core.ports.mail import Mail, Mailer


class MemoryMailer(Mailer):
    """See the port. `sent` is what was handed over, in order."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        self.sent.append(mail)

    async def aclose(self) -> None:
        """Nothing is to be closed."""

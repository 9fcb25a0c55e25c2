"""An installation that sends no mail."""

from __future__ import annotations

import logging

from faultmaven_core.ports.mail import Mail, Mailer

_log = logging.getLogger(__name__)


class NoMailer(Mailer):
    """See the port. The log says that there was a letter, not to whom nor what."""

    async def send(self, mail: Mail) -> None:
        _log.info("A letter was not sent, because no mail server is set (FM_MAIL_URL): %s", mail.subject)

    async def aclose(self) -> None:
        """Nothing is to be closed."""

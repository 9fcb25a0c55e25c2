"""Mail as lines of the log, whole: for trying an installation out on one's own machine."""

from __future__ import annotations

import logging

from faultmaven_core.ports.mail import Mail, Mailer

_log = logging.getLogger(__name__)


class LogMailer(Mailer):
    """See the port. What letters hold is secret: whoever reads the log can come in by it."""

    async def send(self, mail: Mail) -> None:
        _log.warning("Mail to %s: %s\n%s", mail.to, mail.subject, mail.text)

    async def aclose(self) -> None:
        """Nothing is to be closed."""

"""Mail by SMTP: one connection per letter, encrypted unless the server is on this machine."""

from __future__ import annotations

import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from faultmaven_adapters._support.translate import NETWORK, Table, by_code, failing, late, says, translation
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.mail import Mail, Mailer, is_address
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    FaultMavenError,
    InvalidInputError,
    MisconfiguredError,
)
from faultmaven_core.shared.secret import Secret


class SmtpMailer(Mailer):
    """See the port.

    `smtps://` is encrypted from the first byte, `smtp://` by STARTTLS; only to a loopback address, without a user, by neither.
    A user may stand in the address, the password stands apart. Raises MisconfiguredError where the address is none.
    """

    def __init__(
        self,
        url: str,
        sender: str,
        clock: Clock,
        *,
        password: Secret | None = None,
        timeout: float = 20.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.password:
            raise MisconfiguredError(
                "FM_MAIL_URL is smtp://[USER@]HOST[:PORT] or smtps://..., and the password is FM_MAIL_PASSWORD."
            )
        if not is_address(sender):
            raise MisconfiguredError("FM_MAIL_FROM is no mail address.")
        self._implicit = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._implicit else 587)
        self._user = unquote(parts.username or "")
        self._sender, self._clock, self._password = sender, clock, password
        self._timeout, self._context = timeout, context

    async def send(self, mail: Mail) -> None:
        import aiosmtplib

        plain = _is_this_machine(self._host) and not self._user
        with translation(_table(), f"The mail server {self._host}:{self._port}"):
            await aiosmtplib.send(
                self._message(mail),
                sender=self._sender,
                recipients=[mail.to],
                hostname=self._host,
                port=self._port,
                username=self._user or None,
                password=self._password.reveal() if self._user and self._password else None,
                timeout=self._timeout,
                use_tls=self._implicit,
                start_tls=not self._implicit and not plain,
                tls_context=self._context,
            )

    async def aclose(self) -> None:
        """Every letter had its own connection."""

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = self._sender, Address(addr_spec=mail.to), mail.subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _unconnected(error: Exception, place: str) -> FaultMavenError:
    """The library tells every failure to connect by one class; what it was stands behind it."""
    cause = error.__cause__
    known = next((NETWORK[kind] for kind in type(cause).__mro__ if kind in NETWORK), NETWORK[OSError])
    return known(cause, place)


def _table() -> Table:
    from aiosmtplib import errors

    later, never = (
        says(BackendUnavailableError, "{place} cannot take mail now."),
        says(BackendError, "{place} refuses the letter."),
    )
    unwanted = says(InvalidInputError, "{place} refuses this address for good.")
    recipient = by_code(lambda error: str(error.recipients[0].code), {"4": later, "5": unwanted}, never)
    answered = by_code(lambda error: str(error.code), {"4": later}, never)
    return {
        **NETWORK,
        errors.SMTPException: failing,
        errors.SMTPResponseException: answered,
        errors.SMTPRecipientsRefused: recipient,
        errors.SMTPAuthenticationError: says(AuthenticationError, "{place} refuses our user name or password."),
        errors.SMTPTimeoutError: late,
        errors.SMTPConnectError: _unconnected,
        errors.SMTPNotSupported: says(BackendError, "{place} does not offer encryption (STARTTLS)."),
    }

"""Mail to users: written and sent beside the answer, whose time so tells nobody whether there is such a user."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Coroutine
from typing import Any

from faultmaven_core.ports.mail import Mail, Mailer
from faultmaven_core.shared.errors import FaultMavenError

MOST_WAITING = 200
"""Letters on their way, and as many requests for one; what comes beyond is dropped, and the log says so."""

_log = logging.getLogger(__name__)


class Letters:
    """Posts letters. One that cannot be sent is logged, without its address and text."""

    def __init__(self, mailer: Mailer, product: str, url: str) -> None:
        self._mailer, self._product, self._url = mailer, product, url
        self._letters: set[asyncio.Task[None]] = set()
        self._requests: set[asyncio.Task[None]] = set()

    def locked(self, to: str) -> None:
        """Somebody tried too many passwords."""
        self._post(
            to,
            "Sign-in to your account is slowed down",
            "Somebody tried many passwords for your account, so for some minutes no unknown device can sign in to it.\n"
            "A device that you used lately still can. If it was not you, nothing has happened yet; you need not do anything.",
        )

    def reused(self, to: str) -> None:
        """A refresh token came twice."""
        self._post(
            to,
            "A sign-in of yours was ended",
            "A secret of one of your sign-ins was used twice, which happens when it was copied. That sign-in was ended.\n"
            "Sign in again. If you do not know how it could be copied, change your password too.",
        )

    def password_changed(self, to: str) -> None:
        """The password is another now."""
        self._post(
            to,
            "Your password was changed",
            "Your password was changed, and your other sign-ins were ended.\n"
            "If it was not you, have it reset, and tell whoever administers your organization.",
        )

    def new_device(self, to: str, device: str, address: str) -> None:
        """A device that was not used lately signed in."""
        self._post(
            to,
            "New sign-in to your account",
            f"A device that you did not use lately signed in: {device or 'unknown'}, from {address or 'unknown'}.\n"
            "If it was not you, change your password: that ends all sign-ins.",
        )

    def reset(self, to: str, token: str, minutes: int) -> None:
        """The text that lets one set a new password."""
        self._post(
            to,
            "Set a new password",
            f"Somebody, probably you, asked to set a new password for your account. Within {minutes} minutes, this text\n"
            f"lets you do so, once:\n\n    {token}\n\nIf it was not you, pass over this letter.",
        )

    def invitation(self, to: str, organization: str, token: str, days: int) -> None:
        """The text that lets one join."""
        self._post(
            to,
            f"You are invited to {organization}",
            f"You are invited to join {organization}. Sign up with this text within {days} days:\n\n    {token}\n\n"
            "Whoever has it can join in your place: do not pass it on.",
        )

    async def aclose(self) -> None:
        """Wait for the letters that are on their way."""
        while self._letters or self._requests:
            await asyncio.gather(*self._letters, *self._requests, return_exceptions=True)

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Find out beside the answer whether a letter is sent. Anybody asks for some, and takes no letter's place by that."""
        self._begin(work, self._requests, "request for a letter")

    def _post(self, to: str, subject: str, text: str) -> None:
        if not to:
            return
        line = " ".join(f"{self._product}: {subject}".split())
        mail = Mail(to, line, f"{text}\n\n{self._product} {self._url}".rstrip() + "\n")
        self._begin(self._mailer.send(mail), self._letters, "letter")

    def _begin(self, work: Coroutine[Any, Any, None], alike: set[asyncio.Task[None]], name: str) -> None:
        if len(alike) >= MOST_WAITING:
            work.close()
            _log.warning("A %s was dropped: %s others are under way still.", name, MOST_WAITING)
            return
        task = asyncio.create_task(self._done(work))
        alike.add(task)
        task.add_done_callback(alike.discard)

    async def _done(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except FaultMavenError as error:
            _log.warning("A letter could not be sent: %s", error)
        except Exception as error:  # noqa: BLE001 - the others are sent, whatever it says
            # Its own words may hold the address or the text: the place must do.
            place = "".join(traceback.format_tb(error.__traceback__))
            _log.error("A letter could not be sent, by a defect: %s at\n%s", type(error).__name__, place)

"""Port for sending mail to people."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from faultmaven_core.shared.errors import InvalidInputError

MOST_ADDRESS = 254
"""Characters of an address (RFC 5321, the limit of a path without its angle brackets)."""

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\[\]\\\x00-\x1f\x7f]{1,64}@[^\s@<>\"(),:;\[\]\\\x00-\x1f\x7f]{1,253}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter of plain text to one address. Raises InvalidInputError where the address or subject could be none."""

    to: str
    subject: str
    text: str

    def __post_init__(self) -> None:
        if not is_address(self.to):
            raise InvalidInputError("This is no mail address.", fields={"email": "not an address"})
        if not self.subject or _CONTROL.search(self.subject):
            raise InvalidInputError("A subject is one line.", fields={"subject": "not one line"})


class Mailer(Protocol):
    """Hands mail over to whoever delivers it."""

    @abstractmethod
    async def send(self, mail: Mail) -> None:
        """Hand it over; that says nothing of its arrival. May be handed over twice where the answer was lost.

        Raises BackendUnavailableError, DeadlineExceededError, AuthenticationError, InvalidInputError where the address is
        refused for good.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Use no more. Closing twice is no error."""


def is_address(text: str) -> bool:
    """Whether this could be a mail address: one `@`, a dot or a bare host after it, no white space, nothing to inject."""
    return len(text) <= MOST_ADDRESS and text.isprintable() and _ADDRESS.fullmatch(text) is not None

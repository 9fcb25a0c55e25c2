"""Port for storing passwords so that whoever reads what is stored does not know them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

from faultmaven_core.shared.errors import BackendRefusedError


class PasswordsBusyError(BackendRefusedError):
    """Too many passwords are being checked already; `retry_after` says in how many seconds to come again."""

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Whether a password is right; `outdated` asks to store it anew, because the cost has risen since."""

    right: bool
    outdated: bool = False


class PasswordHasher(Protocol):
    """A slow, salted one-way function with a bounded number of computations at a time.

    All of a password counts, whatever its length; it is compared as it is given (normalise before). Nothing of it is
    ever in an error, a log or a repr. Both calls raise PasswordsBusyError where too many wait already.
    """

    @abstractmethod
    async def hash(self, password: str) -> str:
        """What to store: another text each time, with algorithm, cost and salt in it (PHC string)."""

    @abstractmethod
    async def verify(self, stored: str, password: str) -> PasswordCheck:
        """Whether `stored` was made of this password. A text that is no stored value matches nothing, at the same cost."""

    @abstractmethod
    def dummy(self) -> str:
        """A stored value of today's cost that nothing matches: checked where there is no user, so that time tells nothing."""

    @abstractmethod
    async def aclose(self) -> None:
        """Use no more; using it afterwards is ConflictError. Closing twice is no error."""

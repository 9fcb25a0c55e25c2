"""Ports for asking a backend whether it works, and what it is."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from faultmaven_core.shared.errors import BackendError


class AuthenticationError(BackendError):
    """A backend refuses who we are or what we may do there: a wrong password or a missing right. Trying again is no use."""


class Pingable(Protocol):
    """Anything that can fail behind our back."""

    @abstractmethod
    async def ping(self) -> None:
        """Do the smallest piece of real work. Raises BackendError where that fails."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a backend says of itself.

    `clock` is its own time, None where it tells none. `warnings` are sentences: what will hurt later, and the remedy.
    """

    product: str
    version: str
    clock: datetime | None = None
    warnings: tuple[str, ...] = ()


class Inspectable(Protocol):
    """A backend that can say what it is and how it is set up."""

    @abstractmethod
    async def inspect(self) -> Inspection:
        """Product, version, clock and doubtful settings. Raises BackendError where it cannot be asked."""

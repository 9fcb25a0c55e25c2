"""Port for asking a backend whether it works."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol


class Pingable(Protocol):
    """Anything that can fail behind our back."""

    @abstractmethod
    async def ping(self) -> None:
        """Do the smallest piece of real work. Raises BackendError where that fails."""

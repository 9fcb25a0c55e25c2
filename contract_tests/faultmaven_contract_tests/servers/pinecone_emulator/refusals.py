"""How the service says no."""

from __future__ import annotations


class RefusalError(Exception):
    """An answer with an HTTP status and the service's own code and words; without a code it is plain text."""

    def __init__(self, status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


def require(holds: object, message: str) -> None:
    """Refuse what the service is documented to refuse with 400."""
    if not holds:
        raise RefusalError(400, "INVALID_ARGUMENT", message)

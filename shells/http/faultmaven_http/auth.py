"""Who is calling, and whether he may."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from faultmaven_core.identity.model import Principal
from faultmaven_core.shared.errors import PermissionDeniedError, UnauthenticatedError
from faultmaven_http.hygiene import WORD

ANYONE = "anyone"
"""The permission of an endpoint that needs none; it must also stand in `services.PUBLIC`."""

SIGNED_IN = "signed in"
"""The permission of an endpoint that everybody may call for himself who has proven who he is."""

MOST_BEARER = 8 << 10
"""Bytes of a token; a longer one is refused unread."""

_Headers = Sequence[tuple[bytes, bytes]]


class Authenticator(Protocol):
    """Knows tokens. The core's IdentityService is one."""

    @abstractmethod
    async def authenticate(self, bearer: str) -> Principal:
        """Who holds this token. Raises UnauthenticatedError, or BackendUnavailableError where that cannot be found out."""


def bearer_of(headers: _Headers) -> str:
    """The token of a request. Raises UnauthenticatedError where there is none, or more than one."""
    given = [value for name, value in headers if name == b"authorization"]
    if not given:
        raise UnauthenticatedError("You are not signed in: send a bearer token.")
    scheme, _, token = given[0].partition(b" ")
    token = token.strip()
    if len(given) > 1 or scheme.lower() != b"bearer" or not token:
        raise UnauthenticatedError("The Authorization header must hold one bearer token.")
    if len(token) > MOST_BEARER:
        raise UnauthenticatedError("The bearer token is not valid.")
    try:
        return token.decode("ascii")
    except UnicodeDecodeError as error:
        raise UnauthenticatedError("The bearer token is not valid.") from error


def word_of(headers: _Headers) -> str:
    """What an edge says of a request. Raises UnauthenticatedError where it says nothing, or more than one thing."""
    words = [value for name, value in headers if name == WORD]
    if len(words) != 1:
        raise UnauthenticatedError("This service takes requests from its edge only.")
    return words[0].decode("latin-1")


def require(principal: Principal, permission: str) -> None:
    """Raises PermissionDeniedError where the principal does not hold the permission."""
    if permission != SIGNED_IN and not principal.may(permission):
        raise PermissionDeniedError(f"This needs the permission {permission}, which you do not have.")

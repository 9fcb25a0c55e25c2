"""Who asks, as an edge tells one service: a signed token of a minute, which the service checks itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from faultmaven_core import codec
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.ports.tokens import TokenKind, Tokens
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import InvalidInputError, UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId, UserId

LIFE = timedelta(seconds=60)

SKEW = timedelta(seconds=5)
"""How far the clocks of an installation's own machines may differ; less than is granted to anybody else."""

NOBODY = "-"
"""The `sub` where nobody has signed in; no user can be called that."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What an edge says of a request: who asks, None where nobody has signed in, and from where."""

    principal: Principal | None
    client: ClientInfo


@dataclass(frozen=True, slots=True)
class _Claims:
    """All that is in a token besides what every token has. `rid` is the request's id, `until` when the credential ends."""

    exp: int
    sub: str
    org: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    teams: tuple[str, ...]
    sid: str
    rid: str
    method: str
    client_id: str
    username: str
    name: str
    email: str
    until: float | None
    address: str
    device: str


class HandingOn:
    """Writes and reads these tokens. A token is good for one service, within LIFE."""

    def __init__(self, tokens: Tokens, clock: Clock) -> None:
        self._tokens, self._clock = tokens, clock

    async def give(self, handed: Handed, service: str) -> str:
        """The token for a service."""
        who, client = handed.principal, handed.client
        claims: dict[str, object] = {
            "aud": audience(service),
            "sub": who.caller.user if who else NOBODY,
            "org": who.caller.organization if who else "",
            "roles": who.roles if who else (),
            "permissions": sorted(who.permissions) if who else (),
            "teams": who.teams if who else (),
            "sid": who.sid if who else "",
            "rid": client.request_id,
            "method": who.method if who else "",
            "client_id": who.client_id if who else "",
            "username": who.username if who else "",
            "name": who.display_name if who else "",
            "email": who.email if who else "",
            "until": who.expires_at.timestamp() if who and who.expires_at else None,
            "address": client.address,
            "device": client.device,
        }
        return await self._tokens.issue(TokenKind.INTERNAL, claims, self._clock.now() + LIFE)

    async def take(self, token: str, service: str) -> Handed:
        """What an edge of this installation said of a request to this service. Raises UnauthenticatedError for all else."""
        read = await self._tokens.read(token, TokenKind.INTERNAL, audience=audience(service))
        try:
            claims = codec.convert_known(_Claims, read)
        except InvalidInputError as error:
            raise UnauthenticatedError("This is no word of this installation's edge.") from error
        if claims.exp + SKEW.total_seconds() <= self._clock.now().timestamp():
            raise UnauthenticatedError("What the edge said of this request is too old.")
        client = ClientInfo(claims.address, claims.device, request_id=claims.rid)
        return Handed(None if claims.sub == NOBODY else _principal(claims, client), client)


def audience(service: str) -> str:
    """What a service is called in tokens."""
    return f"fm-{service}-service"


def _principal(claims: _Claims, client: ClientInfo) -> Principal:
    return Principal(
        Caller(OrganizationId(claims.org), UserId(claims.sub)),
        claims.username,
        claims.name,
        claims.email,
        claims.roles,
        frozenset(claims.permissions),
        claims.sid,
        claims.client_id,
        claims.method,
        None if claims.until is None else datetime.fromtimestamp(claims.until, UTC),
        claims.teams,
        client,
    )

"""What is known of a request while it is served, for its log line and its answer's headers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from starlette.types import Scope

from faultmaven_core.identity.handing_on import Handed
from faultmaven_core.identity.model import Principal
from faultmaven_http.correlation import CURRENT, Correlation

KEY = "faultmaven.exchange"
"""Its place in the scope."""


@dataclass(slots=True)
class Exchange:
    """Filled from the inside out: the endpoint says its name, authentication the user, limits their headers."""

    correlation: Correlation
    address: str
    route: str = ""
    user: str = ""
    organization: str = ""
    failure: str = ""
    oauth: bool = False
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def learn(self, handed: Handed) -> None:
        """Take what the edge says of the request: its name there, from where it comes, who asks."""
        self.address = handed.client.address
        if self.correlation.id != handed.client.request_id:
            self.correlation = replace(self.correlation, id=handed.client.request_id)
            CURRENT.set(self.correlation)
        if handed.principal is not None:
            self.asked_by(handed.principal)

    def asked_by(self, principal: Principal) -> None:
        """Say who asks."""
        self.user, self.organization = principal.caller.user, principal.caller.organization


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a request."""
    found: Exchange = scope[KEY]
    return found


def device(scope: Scope) -> str:
    """What the client calls itself."""
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    return "".join(char for char in agent.decode("latin-1")[:200] if char.isprintable())

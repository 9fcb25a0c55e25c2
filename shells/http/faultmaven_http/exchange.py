"""What is known of a request while it is served, for its log line and its answer's headers."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.types import Scope

from faultmaven_http.correlation import Correlation

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


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a request."""
    found: Exchange = scope[KEY]
    return found

"""Which service offers which endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module

from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_http.auth import ANYONE
from faultmaven_http.endpoint import Endpoint
from faultmaven_http.services import meta


class Table(Mapping[str, Sequence[Endpoint]]):
    """Name -> endpoints, from the lists of modules. These are imported at a look-up: a service alone needs no other's."""

    def __init__(self, places: Mapping[str, Sequence[str]]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> Sequence[Endpoint]:
        """The endpoints of a service. Raises KeyError without one of that name."""
        lists = (place.split(".") for place in self._places[name])
        modules = ((import_module(f"faultmaven_http.services.{module}"), offered) for module, offered in lists)
        return tuple(endpoint for module, offered in modules for endpoint in getattr(module, offered))

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._places)

    def __len__(self) -> int:
        """How many."""
        return len(self._places)


SERVICES: Mapping[str, Sequence[Endpoint]] = Table(
    {
        "auth": ("auth.ENDPOINTS",),
        "session": ("session.ENDPOINTS",),
        "case": ("case.ENDPOINTS", "bulk.OF_CASES"),
        "evidence": ("archive.ENDPOINTS", "evidence.ENDPOINTS", "uploads.ENDPOINTS"),
        "knowledge": ("knowledge.ENDPOINTS", "bulk.OF_DOCUMENTS"),
        "agent": ("agent.ENDPOINTS", "investigation.ENDPOINTS", "reports.ENDPOINTS", "job.ENDPOINTS"),
    }
)
"""Every service by name; each can be started alone."""

EVERYWHERE: Sequence[Endpoint] = meta.ENDPOINTS

PUBLIC = frozenset(
    {
        ("GET", "/health"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/api/v1/auth/config"),
        ("POST", "/api/v1/auth/login"),
        ("POST", "/api/v1/auth/register"),
        ("POST", "/api/v1/auth/dev-login"),
        ("POST", "/api/v1/auth/dev-register"),
        ("POST", "/api/v1/auth/refresh"),
        ("POST", "/api/v1/auth/invitations/decline"),
        ("POST", "/api/v1/auth/password/reset"),
        ("POST", "/api/v1/auth/password/reset/complete"),
        ("GET", "/auth/authorize"),
        ("POST", "/auth/authorize"),
        ("POST", "/api/v1/auth/oauth/token"),
        ("POST", "/api/v1/auth/oauth/revoke"),
        ("GET", "/v1/meta/capabilities"),
        ("GET", "/api/v1/meta/capabilities"),
    }
)
"""All that may be called by somebody who has not signed in. Nothing else is public by accident: see `checked`."""


def checked(endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
    """The endpoints themselves.

    Raises MisconfiguredError where one has no permission, is open to anyone without being listed, or stands there twice.
    """
    seen: set[tuple[str, str]] = set()
    for endpoint in endpoints:
        place = endpoint.method, endpoint.path
        if not endpoint.permission:
            raise MisconfiguredError(f"{endpoint.method} {endpoint.path} says no permission, so it is not offered.")
        if (endpoint.permission == ANYONE) != (place in PUBLIC):
            raise MisconfiguredError(f"{endpoint.method} {endpoint.path} is public in one place and not in the other.")
        if place in seen:
            raise MisconfiguredError(f"{endpoint.method} {endpoint.path} is offered twice.")
        seen.add(place)
    return endpoints

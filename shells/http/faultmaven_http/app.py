"""The whole stack as one ASGI application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_network
from itertools import groupby

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from faultmaven.serving import HttpSettings
from faultmaven_core.application import Application
from faultmaven_core.ports.health import Pingable
from faultmaven_core.ports.rate_limit import RateLimiter
from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_http.auth import Authenticator
from faultmaven_http.cors import Cors
from faultmaven_http.dispatch import Resource
from faultmaven_http.endpoint import Endpoint
from faultmaven_http.errors import HttpError
from faultmaven_http.failures import Failures
from faultmaven_http.health import Readiness
from faultmaven_http.hygiene import Hygiene
from faultmaven_http.metrics import Metrics
from faultmaven_http.observation import Observation
from faultmaven_http.rates import Rates
from faultmaven_http.services import meta
from faultmaven_http.services.table import EVERYWHERE, SERVICES, checked


class HttpApplication:
    """An ASGI application. `readiness` is for whoever stops it."""

    def __init__(self, app: ASGIApp, readiness: Readiness) -> None:
        self._app, self.readiness = app, readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        await self._app(scope, receive, send)


def create_app(
    application: Application,
    settings: HttpSettings,
    services: Sequence[str] = tuple(SERVICES),
    *,
    authenticator: Authenticator,
    limiter: RateLimiter,
    organization: OrganizationId,
    probes: Mapping[str, Pingable] | None = None,
) -> HttpApplication:
    """These services, over this application. Raises MisconfiguredError where an endpoint says not who may call it."""
    metrics = Metrics()
    readiness = Readiness(probes or {}, metrics)
    offered = [*meta.probes(readiness, metrics), *EVERYWHERE]
    for name in services:
        if name not in SERVICES:
            raise MisconfiguredError(f"There is no service {name!r}; there are {', '.join(SERVICES)}.")
        offered += SERVICES[name]
    offered.append(meta.description(tuple(offered), settings.public_url))
    rates = Rates(limiter, organization, settings.rate)
    routes = [
        Route(path, Resource(endpoints, application, settings, authenticator, rates))
        for path, endpoints in _by_path(checked(offered))
    ]
    inner = Hygiene(Router(routes, redirect_slashes=False, default=_nowhere))
    outer = Cors(Failures(inner), settings.allows)
    proxies = [ip_network(text) for text in settings.proxies]
    encrypted = settings.public_url.startswith("https:")
    return HttpApplication(
        Observation(outer, metrics, proxies, lambda: readiness.leaving, encrypted=encrypted), readiness
    )


def _by_path(endpoints: Iterable[Endpoint]) -> Iterable[tuple[str, list[Endpoint]]]:
    # Fixed parts before parameters, so that `/cases/search` is never the case `search`.
    ordered = sorted(endpoints, key=lambda endpoint: [(part[:1] == "{", part) for part in endpoint.path.split("/")])
    return ((path, list(group)) for path, group in groupby(ordered, key=lambda endpoint: endpoint.path))


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's signature
    raise HttpError(404, "There is nothing at this address.", code="not_found")

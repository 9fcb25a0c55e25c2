"""The whole stack as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_network
from itertools import groupby

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from faultmaven.serving import HttpSettings
from faultmaven_core.application import Application
from faultmaven_core.shared.errors import MisconfiguredError
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
    services: Sequence[str] = (),
    *,
    authenticator: Authenticator | None = None,
) -> HttpApplication:
    """These services, or all, over this application; tokens are identity's, if nobody else is to know them.

    Raises MisconfiguredError where an endpoint does not say who may call it, or there is no such service.
    """
    metrics = Metrics()
    readiness = Readiness(application.probes, metrics)
    offered = [*meta.probes(readiness, metrics), *EVERYWHERE]
    for name in services or SERVICES:
        if name not in SERVICES:
            raise MisconfiguredError(f"There is no service {name!r}; there are {', '.join(SERVICES)}.")
        offered += SERVICES[name]
    offered.append(meta.description(tuple(offered), settings.public_url))
    rates = Rates(application.rate_limiter, application.identity.policy.home, settings.rate)
    knows = authenticator or application.identity
    routes = [
        Route(path, Resource(endpoints, application, settings, knows, rates))
        for path, endpoints in _by_path(checked(offered))
    ]
    router = Router(routes, redirect_slashes=False, default=_nowhere)
    return HttpApplication(edged(router, settings, metrics, lambda: readiness.leaving), readiness)


def edged(inner: ASGIApp, settings: HttpSettings, metrics: Metrics, leaving: Callable[[], bool]) -> ASGIApp:
    """An application with all that an edge does for it."""
    outer = Cors(Failures(Hygiene(inner)), settings.allows)
    proxies = [ip_network(text) for text in settings.proxies]
    return Observation(outer, metrics, proxies, leaving, encrypted=settings.public_url.startswith("https:"))


def _by_path(endpoints: Iterable[Endpoint]) -> Iterable[tuple[str, list[Endpoint]]]:
    # Fixed parts before parameters, so that `/cases/search` is never the case `search`.
    ordered = sorted(endpoints, key=lambda endpoint: [(part[:1] == "{", part) for part in endpoint.path.split("/")])
    return ((path, list(group)) for path, group in groupby(ordered, key=lambda endpoint: endpoint.path))


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's signature
    raise HttpError(404, "There is nothing at this address.", code="not_found")

"""The whole stack as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_network
from itertools import groupby

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from faultmaven.serving import HttpSettings
from faultmaven_core.application import Application
from faultmaven_core.ports.telemetry import Telemetry
from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_http.admission import Admission
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
from faultmaven_http.routing import Tree
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
    probes = meta.probes(readiness, metrics)
    alone = services[0] if len(services) == 1 else "all"
    offered = [*probes, *_of(alone, EVERYWHERE)]
    for name in services or SERVICES:
        if name not in SERVICES:
            raise MisconfiguredError(f"There is no service {name!r}; there are {', '.join(SERVICES)}.")
        offered += _of(name, SERVICES[name])
    offered += _of(alone, [meta.description(tuple(offered), settings.public_url)])
    rates = Rates(application.rate_limiter, application.identity.policy.home, settings.rate)
    knows = authenticator or application.identity
    asked_by_monitoring = {endpoint.path for endpoint in probes}

    def served(path: str, endpoints: Sequence[Endpoint]) -> ASGIApp:
        resource = Resource(endpoints, application, settings)
        if path in asked_by_monitoring or not settings.edge:
            return resource
        return Admission(resource, endpoints, knows, rates, application.identity.handing_on)

    routes = [Route(path, served(path, endpoints)) for path, endpoints in _by_path(checked(offered))]
    tree = Tree(routes, _nowhere)
    surrounded = edged if settings.edge else behind
    telemetry = application.telemetry
    return HttpApplication(surrounded(tree, settings, metrics, lambda: readiness.leaving, telemetry), readiness)


def edged(
    inner: ASGIApp,
    settings: HttpSettings,
    metrics: Metrics,
    leaving: Callable[[], bool],
    telemetry: Telemetry | None = None,
) -> ASGIApp:
    """An application with all that an edge does for it, but for who asks and how often: see Admission."""
    outer = Cors(Failures(Hygiene(inner)), settings.allows)
    proxies = [ip_network(text) for text in settings.proxies]
    encrypted = settings.public_url.startswith("https:")
    return Observation(outer, metrics, proxies, leaving, encrypted=encrypted, telemetry=telemetry)


def behind(
    inner: ASGIApp,
    settings: HttpSettings,
    metrics: Metrics,
    leaving: Callable[[], bool],
    telemetry: Telemetry | None = None,
) -> ASGIApp:
    """An application that an edge in another process stands in front of. Browsers never speak to it."""
    encrypted = settings.public_url.startswith("https:")
    inside = Failures(Hygiene(inner, behind=True))
    return Observation(inside, metrics, (), leaving, encrypted=encrypted, telemetry=telemetry)


def _of(service: str, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    return [replace(endpoint, service=service) for endpoint in endpoints]


def _by_path(endpoints: Iterable[Endpoint]) -> Iterable[tuple[str, list[Endpoint]]]:
    ordered = sorted(endpoints, key=lambda endpoint: endpoint.path)
    return ((path, list(group)) for path, group in groupby(ordered, key=lambda endpoint: endpoint.path))


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI's signature
    raise HttpError(404, "There is nothing at this address.", code="not_found")

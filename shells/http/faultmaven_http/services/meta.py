"""Endpoints that every service has: probes, metrics, and what the installation offers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from faultmaven_http.auth import ANYONE
from faultmaven_http.endpoint import Answer, Asked, Endpoint, Work
from faultmaven_http.health import Readiness
from faultmaven_http.metrics import CONTENT_TYPE, Metrics
from faultmaven_http.shapes.health import Alive, Health
from faultmaven_http.shapes.meta import Branding, Capabilities, Features, Limits

EXTENSIONS = (
    ".txt",
    ".log",
    ".json",
    ".csv",
    ".md",
    ".yaml",
    ".yml",
    ".gz",
    ".zip",
    ".tar",
    ".tgz",
    ".zst",
    ".pdf",
    ".docx",
    ".html",
)
"""Names that clients offer for upload. What a file is, its content decides."""

FAILING = frozenset(("unhealthy", "starting", "stopping"))


def description(offered: Sequence[Endpoint], server: str) -> Endpoint:
    """The description of all endpoints, itself included."""
    made = b""

    async def work(_: Asked) -> bytes:
        nonlocal made
        made = made or await asyncio.to_thread(_described, [*offered, endpoint], server)
        return made

    endpoint = _open(
        "/openapi.json",
        "meta.openapi",
        "Describe this interface",
        work,
        None,
        headers={"content-type": "application/json"},
        limit="open",
    )
    return endpoint


def _described(endpoints: Sequence[Endpoint], server: str) -> bytes:
    # Imported and made when somebody asks, in a thread: it knows the shapes of all services.
    from faultmaven_core import codec
    from faultmaven_http.openapi import describe

    return codec.encode(describe(endpoints, server))


def probes(readiness: Readiness, metrics: Metrics) -> Sequence[Endpoint]:
    """What orchestrators and monitoring ask."""

    async def live(_: Asked) -> Alive:
        return Alive("alive")

    async def health(_: Asked) -> Health:
        return await readiness.look()

    async def ready(_: Asked) -> Answer:
        found = await readiness.look()
        return Answer(found, 503 if found.status in FAILING else 200)

    async def numbers(_: Asked) -> bytes:
        return metrics.text()

    return (
        _open("/health", "health.show", "Say how the service and what it needs are", health, Health),
        _open("/health/live", "health.live", "Answer, whatever else is wrong", live, Alive),
        _open("/health/ready", "health.ready", "Say whether requests should come here", ready, Health, failures=(503,)),
        _open(
            "/metrics", "metrics.show", "Numbers for Prometheus", numbers, None, headers={"content-type": CONTENT_TYPE}
        ),
    )


async def capabilities(asked: Asked) -> Capabilities:
    """What this installation offers."""
    settings = asked.settings
    return Capabilities(
        settings.deployment,
        settings.dashboard_url,
        "dashboard",
        Features(
            extensionKB=False, adminKB=True, teamSharing=True, caseHistory=True, sso=False, managementConsole=False
        ),
        Limits(settings.upload_max, EXTENSIONS),
        Branding("FaultMaven"),
    )


def _open(path: str, name: str, summary: str, work: Work, answer: type | None, **more: Any) -> Endpoint:
    return Endpoint(
        method="GET", path=path, name=name, summary=summary, permission=ANYONE, work=work, answer=answer, **more
    )


ENDPOINTS: Sequence[Endpoint] = (
    _open(
        "/v1/meta/capabilities",
        "meta.capabilities",
        "What this installation offers",
        capabilities,
        Capabilities,
        limit="open",
    ),
    _open(
        "/api/v1/meta/capabilities",
        "meta.capabilities",
        "What this installation offers",
        capabilities,
        Capabilities,
        limit="open",
        alias=True,
    ),
)

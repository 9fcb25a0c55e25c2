"""Imports, before anything is built, what building would import."""

from __future__ import annotations

from faultmaven.composition.select import backend
from faultmaven.tree import Settings

KEPT_FOR_A_WHILE = ("cache", "leases", "signals", "sessions", "rate limits")
"""Ports that one URL chooses."""


def preload(settings: Settings) -> None:
    """Import the backends that these settings choose. For a thread: on an event loop nobody is answered for so long.

    Raises MisconfiguredError where a driver is not installed.
    """
    backend("database", settings.database.url.scheme)
    backend("blobs", settings.blobs.scheme)
    backend("jobs", settings.jobs.url.scheme)
    backend("mail", settings.identity.mail.scheme)
    backend("telemetry", "otlp" if settings.tracing.url else "none")
    for port in KEPT_FOR_A_WHILE:
        backend(port, settings.cache.url.scheme)

"""The binding of who is told what was done. What tells it is built after it, and closed before it."""

from __future__ import annotations

from injector import Module, provider, singleton

from faultmaven.composition.lifecycle import Lifecycle
from faultmaven.composition.select import backend
from faultmaven.tree import Settings
from faultmaven_core.ports.telemetry import Telemetry


class TelemetryModule(Module):
    """A collector, or nobody; then nothing of what a collector needs is loaded."""

    @singleton
    @provider
    def telemetry(self, settings: Settings, lifecycle: Lifecycle) -> Telemetry:
        """By FM_OTLP_URL."""
        chosen = settings.tracing
        if not chosen.url:
            return backend("telemetry", "none").NullTelemetry()  # type: ignore[no-any-return]  # the module was chosen by name
        made: Telemetry = backend("telemetry", "otlp").OtlpTelemetry(
            chosen.url,
            headers=dict(chosen.headers),
            service=chosen.service,
            percent=chosen.percent,
            ca_file=chosen.ca_file,
        )
        lifecycle.on_close(made.aclose)
        return made

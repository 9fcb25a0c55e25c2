"""From a URL's scheme to the module that serves it; only what is chosen is imported."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from faultmaven_core.shared.errors import MisconfiguredError

BACKENDS = {
    ("database", "sqlite"): "faultmaven_adapters.sql.storage",
    ("database", "memory"): "faultmaven_adapters.sql.memory",
    ("blobs", "file"): "faultmaven_adapters.blobs.filesystem",
    ("blobs", "memory"): "faultmaven_adapters.blobs.memory",
    ("jobs", "embedded"): "faultmaven_adapters.jobs.embedded",
}


def backend(port: str, scheme: str) -> ModuleType:
    """The module of a backend. Raises MisconfiguredError that names the extra to install where its driver is missing."""
    path = BACKENDS[port, scheme]
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("faultmaven"):
            raise
        raise MisconfiguredError(
            f"{scheme}: for {port} needs the library {error.name}, which is not installed: pip install 'faultmaven[all]'."
        ) from error

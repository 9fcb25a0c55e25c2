"""What only some backends of a port can do."""

from __future__ import annotations

from enum import StrEnum


class Capability(StrEnum):
    """Root of each port's list of capabilities. An adapter declares those that it has; the others must be refused."""

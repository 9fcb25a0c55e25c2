"""Within what the running task works: what began it is known by name in every log, process and job that it leads to."""

from __future__ import annotations

from contextvars import ContextVar

TRACE: ContextVar[str] = ContextVar("faultmaven_trace", default="")
"""A `traceparent` as W3C Trace Context writes it: `00-<trace>-<what began this>-<flags>`; empty where nothing is known."""

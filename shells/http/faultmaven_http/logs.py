"""Log lines as JSON: one object a line, whatever somebody wrote into a header or a name."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from faultmaven_core.shared.trace import TRACE
from faultmaven_http.correlation import CURRENT

OURS = ("faultmaven", "faultmaven_adapters", "faultmaven_core", "faultmaven_http")
"""Loggers whose lines hold no secret at any level."""


def configure(level: str, out: TextIO | None = None) -> None:
    """Write all log lines of this process to `out` (standard output), from `level` (debug to error) on."""
    shared: list[Any] = [
        _correlated,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, _rendered],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out or sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:2], structlog.stdlib.add_logger_name, *shared[2:]],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _rendered],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries tell whole addresses, queries and bodies when they are asked for details; only we are.
    root.setLevel(max(number, logging.WARNING))
    for ours in OURS:
        logging.getLogger(ours).setLevel(number)


def _correlated(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    correlation = CURRENT.get(None)
    if correlation is not None:
        event["request_id"], event["trace_id"] = correlation.id, correlation.trace
    elif trace := TRACE.get():
        event["trace_id"] = trace.split("-")[1]
    return event


def _rendered(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    # ASCII only: line ends, escape sequences and characters that turn the reading direction all stand escaped.
    return json.dumps(event, ensure_ascii=True, default=repr)

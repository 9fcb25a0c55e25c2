"""Log lines as JSON: one object a line, whatever somebody wrote into a header or a name."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from faultmaven_core.shared.trace import TRACE
from faultmaven_http.correlation import CURRENT

OURS = ("faultmaven", "faultmaven_adapters", "faultmaven_core", "faultmaven_http")
"""Loggers whose lines hold no secret at any level."""


def configure(level: str, out: TextIO | None = None) -> None:
    """Write all log lines of this process to `out` (standard output), from `level` (debug to error) on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler(out or sys.stdout)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries tell whole addresses, queries and bodies when they are asked for details; only we are.
    root.setLevel(max(number, logging.WARNING))
    for ours in OURS:
        logging.getLogger(ours).setLevel(number)


def saying(**fields: object) -> Mapping[str, object]:
    """What a line says besides its event: `log.info("request", extra=saying(status=200))`."""
    return {"fields": fields}


class JsonLines(logging.Formatter):
    """The line of a record, without its end."""

    def format(self, record: logging.LogRecord) -> str:
        """See the class."""
        line: dict[str, Any] = {
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
            **_correlation(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # ASCII only: line ends, escape sequences and characters that turn the reading direction all stand escaped.
        return json.dumps(line, ensure_ascii=True, default=repr)


def _correlation() -> Mapping[str, str]:
    correlation = CURRENT.get(None)
    if correlation is not None:
        return {"request_id": correlation.id, "trace_id": correlation.trace}
    trace = TRACE.get()
    return {"trace_id": trace.split("-")[1]} if trace else {}

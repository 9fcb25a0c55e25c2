"""Times as telemetry writes them: epoch numbers of any resolution, and ISO 8601 in its many dialects."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from faultmaven_core.analysis.extract.timestamps import first_timestamp

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE]\+?\d+)?\Z")
_EPOCH_UNITS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0))
"""From which magnitude a number counts nano-, micro-, milliseconds or seconds since 1970 (times since 1973)."""

TIME_NAMES = frozenset(
    [
        "time",
        "timestamp",
        "timestamps",
        "ts",
        "date",
        "datetime",
        "date_time",
        "@timestamp",
        "_time",
        "unix_timestamp",
        "epoch",
        "epoch_ms",
        "unixtime",
        "timeunixnano",
        "starttime",
        "created_at",
        "createdat",
        "occurred_at",
        "event_time",
        "eventtime",
    ]
)
"""Names of fields and columns that hold a moment, lower-case."""


def moment(value: object) -> float | None:
    """Epoch seconds (UTC) of a number or text; None where it is no time after 1973. Text without a zone counts as UTC."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _epoch(float(value))
    return _of_text(str(value).strip())


@lru_cache(maxsize=4096)
def _of_text(text: str) -> float | None:
    """Rows of one table, and points of many series, share their times."""
    if _NUMBER.match(text):
        return _epoch(float(text))
    if not 8 <= len(text) <= 80:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        stamp = first_timestamp(text)
        return stamp.when if stamp else None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _epoch(number: float) -> float | None:
    for least, factor in _EPOCH_UNITS:
        if number >= least:
            return number * factor if number < least * 1000 else None
    return None

"""Times as Kubernetes writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


def moment(text: str) -> float | None:
    """Epoch seconds of a time in RFC 3339 (the API) or RFC 1123 (`kubectl describe`); None where the text is none.

    A time without a zone is taken for UTC, the only zone that the API writes.
    """
    try:
        found = datetime.fromisoformat(text) if _RFC_3339.match(text) else parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

"""What a request is called in logs, answers and traces."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, replace

_TRACEPARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_CLIENTS_ID = re.compile(rb"[A-Za-z0-9._:@/+=-]{1,128}")


@dataclass(frozen=True, slots=True)
class Correlation:
    """`id` is always ours; `clients_id` is what the client calls the request, empty where it says nothing usable."""

    id: str
    clients_id: str
    trace: str
    parent: str
    flags: str

    @property
    def traceparent(self) -> str:
        """As W3C Trace Context writes it, with this request as the parent of what comes next."""
        return f"00-{self.trace}-{self.id[-16:]}-{self.flags}"

    @property
    def asked(self) -> str:
        """The same of who asks, "" where he began no trace."""
        return f"00-{self.trace}-{self.parent}-{self.flags}" if self.parent else ""

    def recorded(self, traceparent: str) -> Correlation:
        """This request as a collector knows it: its span is the end of our own id."""
        _, trace, span, flags = traceparent.split("-")
        return replace(self, id=self.id[:16] + span, trace=trace, flags=flags)


CURRENT: ContextVar[Correlation] = ContextVar("faultmaven_http_correlation")
"""The request that the running task serves."""


def correlate(headers: tuple[tuple[bytes, bytes], ...]) -> Correlation:
    """New, but within the trace that the client began, if it did that in the way of the standard."""
    trace, parent, flags = "", "", "00"
    clients_id = b""
    traces = [value for name, value in headers if name == b"traceparent"]
    if len(traces) == 1 and (found := _TRACEPARENT.fullmatch(traces[0])):
        given = found[1].decode(), found[2].decode()
        if given[0].strip("0") and given[1].strip("0"):
            (trace, parent), flags = given, found[3].decode()
    for name, value in headers:
        if name in (b"x-request-id", b"x-correlation-id") and not clients_id and _CLIENTS_ID.fullmatch(value):
            clients_id = value
    return Correlation(secrets.token_hex(16), clients_id.decode(), trace or secrets.token_hex(16), parent, flags)

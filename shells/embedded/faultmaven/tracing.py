"""The settings of traces: declared, read, and what they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from faultmaven.variables import Reading, Variable
from faultmaven_core.shared.secret import Secret

URL = Variable(
    "FM_OTLP_URL",
    "Collector of traces that speaks OTLP over HTTP, as `http://<host>:4318`; without one nothing is recorded.",
    "",
    "traces",
)
HEADERS = Variable(
    "FM_OTLP_HEADERS",
    "Headers that the collector wants, as `<name>=<value>,<name>=<value>`, with %2C for a comma in a value.",
    "",
    "traces",
    secret=True,
)
PERCENT = Variable("FM_OTLP_PERCENT", "Of a hundred traces so many are recorded.", "100", "traces")
SERVICE = Variable(
    "FM_OTLP_SERVICE", "The service that traces are of, for whoever looks at them.", "faultmaven", "traces"
)
CA = Variable("FM_OTLP_CA_FILE", "Certificates that the collector's must be signed by, in PEM.", "", "traces")

VARIABLES = (URL, HEADERS, PERCENT, SERVICE, CA)

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+(?:/[A-Za-z0-9._/-]*)?")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """Where traces go; nowhere where the address is empty."""

    url: str
    headers: tuple[tuple[str, Secret], ...]
    percent: int
    service: str
    ca_file: str


def tracing(read: Reading) -> TracingSettings:
    """What recording needs."""
    url = read.text(URL)
    if url and not _ADDRESS.fullmatch(url):
        read.problems.append(f"{URL.name} is no address: write http://<host>:<port>, without user or password.")
    service = read.text(SERVICE) or SERVICE.default
    if not _SERVICE.fullmatch(service):
        read.problems.append(f"{SERVICE.name} is no name: write letters, digits and . _ -.")
    return TracingSettings(url, _headers(read), read.number(PERCENT, 0, 100), service, read.text(CA))


def _headers(read: Reading) -> tuple[tuple[str, Secret], ...]:
    found: list[tuple[str, Secret]] = []
    for part in filter(None, read.text(HEADERS).split(",")):
        name, _, value = (unquote(piece.strip()) for piece in part.partition("="))
        if not _HEADER.fullmatch(name) or not value.isprintable() or not value.isascii() or not value:
            read.problems.append(f"{HEADERS.name} cannot be used: write <name>=<value>, with commas between.")
            break
        found.append((name, Secret(value)))
    return tuple(found)

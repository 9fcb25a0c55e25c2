"""Quantities with their unit, so that two quoted ones can be compared.

Suffixes are those of the Kubernetes API (resource quantities), durations those of Go, sizes in powers of ten and of two.
"""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"(?P<value>\d+(?:\.\d+)?)\s?(?P<unit>%|[A-Za-z]*)[\"'`)\]},;]*\Z")
_NUMBERS = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_BINARY = {f"{prefix}i{byte}": 1024.0**power for power, prefix in enumerate("KMGTP", 1) for byte in ("", "B")}
_DECIMAL = {"B": 1.0, "KB": 1e3, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "bytes": 1.0}
_DURATIONS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "seconds": 1.0, "min": 60.0, "h": 3600.0}
_KINDS = (
    ("number", _NUMBERS | _BINARY | _DECIMAL),
    ("duration", _DURATIONS),
    ("share", {"%": 0.01}),
)


def amount(quote: str) -> tuple[str, float] | None:
    """What kind of quantity a quote ends with, and how much in its kind's own unit; None where it ends otherwise."""
    match = _AMOUNT.search(quote.strip())
    if match is None:
        return None
    for kind, units in _KINDS:
        if match["unit"] in units:
            return kind, float(match["value"]) * units[match["unit"]]
    return None


def comparison(left: str, right: str) -> str | None:
    """`above`, `below` or `equal to`; None where the quotes do not end with quantities of the same kind."""
    a, b = amount(left), amount(right)
    if a is None or b is None or a[0] != b[0]:
        return None
    return "above" if a[1] > b[1] else "below" if a[1] < b[1] else "equal to"

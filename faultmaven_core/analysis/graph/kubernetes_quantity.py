"""Quantities of the Kubernetes API: `100m`, `64Mi`, `1.5G`, `5e3`."""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"([+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,2})?)(m|[kKMGTPE]i?|u|n)?\Z")

# Suffixes: k8s.io/apimachinery/pkg/api/resource/quantity.go; `K` is no suffix there, but people write it.
_FACTOR = {
    "": 1.0,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    **{unit: 1000.0**power for power, unit in enumerate("kMGTPE", 1)},
    "K": 1000.0,
    **{f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)},
    "ki": 1024.0,
}


def quantity(value: str | float | bool | None) -> float | None:
    """A quantity in its base unit (cores, bytes, pieces); None where the value is no quantity."""
    if value is None or isinstance(value, bool):
        return None
    match = _QUANTITY.match(str(value).strip())
    return float(match[1]) * _FACTOR[match[2] or ""] if match else None

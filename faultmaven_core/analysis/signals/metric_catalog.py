"""Metrics by the name that everybody understands, whatever the system that recorded them calls them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from faultmaven_core.analysis.catalogs import check_keys
from faultmaven_core.shared.errors import InvalidInputError

_KEYS = {"name", "title", "hurts", "aliases", "above", "below", "calm_below", "source"}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[^a-z0-9%]+")

UNITS: Mapping[str, tuple[str, float]] = {
    "percent": ("%", 1),
    "%": ("%", 1),
    "bytes": ("B", 1),
    "byte": ("B", 1),
    "b": ("B", 1),
    "kilobytes": ("B", 1000),
    "kib": ("B", 1024),
    "ki": ("B", 1024),
    "megabytes": ("B", 1000**2),
    "mib": ("B", 1024**2),
    "mi": ("B", 1024**2),
    "gigabytes": ("B", 1000**3),
    "gib": ("B", 1024**3),
    "gi": ("B", 1024**3),
    "seconds": ("s", 1),
    "second": ("s", 1),
    "s": ("s", 1),
    "milliseconds": ("s", 0.001),
    "ms": ("s", 0.001),
    "microseconds": ("s", 1e-6),
    "us": ("s", 1e-6),
    "bytes/second": ("B/s", 1),
    "count/second": ("/s", 1),
    "average active sessions": ("AAS", 1),
    "aas": ("AAS", 1),
}
"""Units as sources write them (lower case): the base unit, and how many of it one is. Others are kept as they are."""


@dataclass(frozen=True, slots=True)
class KnownMetric:
    """What a metric means; `hurts` is the harmful direction: up | down | both | none.

    Bounds by base unit: beyond `above`, under `below`, a value hurts whatever is usual; what stays under `calm_below`
    hurts nobody.
    """

    name: str
    title: str
    hurts: str
    above: Mapping[str, float]
    below: Mapping[str, float]
    calm_below: Mapping[str, float]


@cache
def _catalog() -> Mapping[tuple[str, ...], KnownMetric]:
    folder = resources.files("faultmaven_core.analysis.signals") / "catalog"
    return load((folder / "metrics.toml").read_text(encoding="utf-8"), "metrics.toml")


def load(text: str, name: str) -> dict[tuple[str, ...], KnownMetric]:
    """Known metrics by the words of each alias. Raises InvalidInputError that names the file and the entry."""
    found: dict[tuple[str, ...], KnownMetric] = {}
    for entry in tomllib.loads(text).get("metric", []):
        try:
            metric = _metric(entry)
            names = {words_of(alias): metric for alias in (metric.name, *entry["aliases"])}
        except (KeyError, ValueError, TypeError) as error:
            raise InvalidInputError(f"{name}: metric {entry.get('name', '?')}: {error!r}.") from error
        if taken := sorted(found.keys() & names.keys() | {words for words in names if not words}):
            raise InvalidInputError(
                f"{name}: metric {metric.name}: the alias {' '.join(taken[0])!r} is empty or taken."
            )
        found |= names
    return found


def _metric(entry: Mapping[str, Any]) -> KnownMetric:
    check_keys(entry, _KEYS)
    if entry["hurts"] not in ("up", "down", "both", "none"):
        raise ValueError(f"hurts = {entry['hurts']!r} is none of up, down, both, none")
    bounds = [
        {unit: float(value) for unit, value in entry.get(k, {}).items()} for k in ("above", "below", "calm_below")
    ]
    return KnownMetric(entry["name"], entry["title"], entry["hurts"], *bounds)


def words_of(name: str) -> tuple[str, ...]:
    """A metric's name as lower-case words: `CPUUtilization`, `cpu_utilization` and `cpu-utilization` are the same."""
    return tuple(word for word in _SEPARATORS.split(_CAMEL.sub(" ", name).lower()) if word)


@lru_cache(maxsize=8192)
def known(name: str) -> KnownMetric | None:
    """The known metric whose longest alias stands within the name, as whole words in a row; None where none does."""
    words = words_of(name)
    catalog = _catalog()
    for length in range(min(len(words), 6), 0, -1):
        for first in range(len(words) - length, -1, -1):
            if metric := catalog.get(words[first : first + length]):
                return metric
    return None


def base_unit(unit: str) -> tuple[str, float]:
    """The base unit and the factor to it; an unknown unit is its own base."""
    return UNITS.get(unit.strip().lower(), (unit.strip(), 1.0))


def unit_of(name: str) -> str:
    """The unit that a metric's name states, as in `CpuUsageRate(%)` or `request_duration_seconds`; else empty."""
    in_brackets = re.search(r"\(([^()]{1,12})\)\s*\Z", name)
    if in_brackets:
        return in_brackets[1]
    words = [word for word in words_of(name) if word not in ("total", "sum", "count", "bucket")]
    return words[-1] if words and words[-1] in UNITS and len(words[-1]) > 1 else "%" if "percent" in words else ""

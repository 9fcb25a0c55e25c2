"""Quantities, times and deviations in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from faultmaven_core.analysis.model import Anomaly

_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def quantity(value: float, unit: str) -> str:
    """A value with its unit as people write it: `3.0 GiB`, `19.4%`, `34.1 s`, `12 ms`, `4998`."""
    if unit in ("B", "B/s"):
        power = 0
        while abs(value) >= 1024 and power < len(_BYTES) - 1:
            value /= 1024
            power += 1
        return f"{_plain(value)} {_BYTES[power]}{unit[1:]}"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{_plain(value * 1000)} ms"
    if unit == "%":
        return f"{_plain(value)}%"
    suffix = "" if unit.lower() in ("", "count", "none") else unit if unit.startswith("/") else f" {unit}"
    return _plain(value) + suffix


def _plain(value: float) -> str:
    """Three significant digits, but never fewer than the whole part has."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}"


def clock(when: float) -> str:
    """A moment as date and time in UTC, to the second."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _time(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%H:%M:%S").removesuffix(":00")


def sentence(anomaly: Anomaly) -> Anomaly:
    """The deviation with its sentence: metric, entity, from, peak, since when, and where it stands now."""
    subject = f"{anomaly.metric} of {anomaly.entity}"
    before, peak, last = (quantity(v, anomaly.unit) for v in (anomaly.before, anomaly.peak, anomaly.last))
    onset, peak_at = _time(anomaly.onset), _time(anomaly.peak_at)
    verb = "rose" if anomaly.direction == "up" else "fell"
    if anomaly.baseline == "bound":
        side = "above" if anomaly.direction == "up" else "below"
        text = f"{subject} is {side} {before} since {onset} UTC (at worst {peak} at {peak_at})."
    elif anomaly.until is not None:
        text = (
            f"{subject} {verb} from {before} to {peak} between {onset} and {_time(anomaly.until)} UTC"
            f" and has recovered (now {last})."
        )
    else:
        text = f"{subject} {verb} from {before} to {peak} from {onset} UTC on and is at {last} at the end."
    return replace(anomaly, sentence=text)

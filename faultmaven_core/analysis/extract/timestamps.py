"""Moments in any common notation, to epoch seconds.

The notations are those of RFC 3339, RFC 5424, RFC 3164, RFC 5322, C's `ctime`, the Common Log Format, klog, and the date
patterns that Java's, Python's and Go's logging libraries document as defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

ASSUMED_YEAR = 1970
"""Stands for a year that the text does not state and nothing else in the source tells; see `Timestamp.year_stated`."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_CLOCK = r"(?P<hour>[0-2]\d):(?P<minute>[0-5]\d):(?P<second>[0-6]\d)(?:[.,:](?P<fraction>\d{1,9}))?"
_ZONE = r"(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})"
_YEAR = r"(?P<year>19[7-9]\d|20\d\d)"
_NUMBER_MONTH = r"(?P<month>0[1-9]|1[0-2])"
_DAY = r"(?P<day>0[1-9]|[12]\d|3[01])"


@dataclass(frozen=True, slots=True)
class Form:
    """One notation; `plain` is its pattern without named groups, to stand inside other patterns."""

    name: str
    pattern: re.Pattern[str]
    plain: str


def _form(name: str, pattern: str) -> Form:
    return Form(name, re.compile(pattern), re.sub(r"\(\?P<\w+>", "(?:", pattern))


FORMS: tuple[Form, ...] = (
    _form("iso", rf"{_YEAR}-{_NUMBER_MONTH}-{_DAY}[T _]{_CLOCK}(?: ?{_ZONE})?"),
    _form("iso_slashes", rf"{_YEAR}[/.]{_NUMBER_MONTH}[/.]{_DAY}[T _-]{_CLOCK}(?: ?{_ZONE})?"),
    _form(
        "iso_dots",
        rf"{_YEAR}-{_NUMBER_MONTH}-{_DAY}-(?P<hour>[0-2]\d)\.(?P<minute>[0-5]\d)\.(?P<second>[0-6]\d)(?:\.(?P<fraction>\d{{1,9}}))?",
    ),
    _form("compact", rf"{_YEAR}{_NUMBER_MONTH}{_DAY}[-T _]{_CLOCK}(?: ?{_ZONE})?"),
    _form(
        "basic",
        rf"{_YEAR}{_NUMBER_MONTH}{_DAY}T(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)(?P<second>[0-6]\d)(?:[.,](?P<fraction>\d{{1,9}}))?{_ZONE}?",
    ),
    _form("ctime", rf"{_WEEKDAY} {_MONTH} {{1,2}}(?P<day>\d{{1,2}}) {_CLOCK}(?: (?:UTC|GMT|[A-Z]{{3,4}}))? {_YEAR}"),
    _form(
        "mail",
        rf"(?:{_WEEKDAY}, )?(?P<day>\d{{1,2}}) {_MONTH} {_YEAR} {_CLOCK}(?: {_ZONE})?",
    ),
    _form("clf", rf"(?P<day>\d{{2}})/{_MONTH}/{_YEAR}[: ]{_CLOCK}(?: {_ZONE})?"),
    _form("syslog", rf"{_MONTH} {{1,2}}(?P<day>\d{{1,2}}) (?:{_YEAR} )?{_CLOCK}"),
    _form("klog", rf"[IWEF]{_NUMBER_MONTH}{_DAY} {_CLOCK}"),
    _form("american", rf"{_NUMBER_MONTH}/{_DAY}/{_YEAR}[ ,]{{1,2}}{_CLOCK}"),
    _form("short_year", rf"(?P<short>\d\d)/{_NUMBER_MONTH}/{_DAY} {_CLOCK}"),
    _form(
        "short_compact",
        rf"(?P<short>\d\d){_NUMBER_MONTH}{_DAY} (?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)",
    ),
    _form("month_day", rf"{_NUMBER_MONTH}[-./]{_DAY} {_CLOCK}"),
    _form("epoch_milliseconds", r"(?P<milliseconds>1[0-9]{12})(?!\d)"),
    _form("epoch", r"(?P<epoch>1[0-9]{9}(?:\.\d{1,9})?)(?![\d.])"),
)
BY_NAME = {form.name: form for form in FORMS}
_ANY = re.compile("|".join(f"(?P<{form.name}>{form.plain})" for form in FORMS))
_TOKEN_START = re.compile(r"(?:\A|(?<=[\s\[(<|\"'=,]))(?=[\w])")


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A moment (epoch seconds, UTC), where it stands in the text, and what had to be assumed to read it."""

    when: float
    start: int
    end: int
    form: str
    zone_stated: bool
    year_stated: bool


def parse(text: str, form: Form, year: int = ASSUMED_YEAR) -> tuple[float, bool, bool] | None:
    """(epoch seconds, zone stated, year stated) of a text that is wholly of this form; None if there is no such moment."""
    match = form.pattern.fullmatch(text)
    if match is None:
        return None
    part = match.groupdict()
    if part.get("epoch"):
        return float(part["epoch"]), True, True
    if part.get("milliseconds"):
        return int(part["milliseconds"]) / 1000, True, True
    stated = part.get("year") or (f"20{part['short']}" if part.get("short") else None)
    month = part["month"]
    zone = part.get("zone")
    try:
        moment = datetime(
            int(stated or year),
            int(month) if month.isdecimal() else _MONTHS.index(month.lower()) + 1,
            int(part["day"]),
            int(part["hour"]),
            int(part["minute"]),
            min(int(part["second"]), 59),
            tzinfo=_zone(zone),
        )
    except ValueError:
        return None
    fraction = float(f"0.{part['fraction']}") if part.get("fraction") else 0.0
    return moment.timestamp() + fraction, zone is not None, stated is not None


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=minutes if text[0] == "+" else -minutes))


def timestamps(text: str, limit: int = 200) -> Iterator[Timestamp]:
    """Every moment that begins a word in the first `limit` characters; the longest form wins at each place."""
    at = 0
    head = text[: limit + 40]
    while (place := _TOKEN_START.search(head, at)) and place.start() <= limit:
        at = place.start()
        match = _ANY.match(head, at)
        found = parse(match[0], BY_NAME[match.lastgroup]) if match and match.lastgroup else None
        if match is None or match.lastgroup is None or found is None:
            at += 1
            continue
        yield Timestamp(found[0], at, match.end(), match.lastgroup, found[1], found[2])
        at = match.end()


def first_timestamp(text: str) -> Timestamp | None:
    """The first moment near a line's begin."""
    return next(timestamps(text), None)

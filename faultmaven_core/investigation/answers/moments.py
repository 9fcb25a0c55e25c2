"""What happened when: the record's timeline, and the lines that carry a time of day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from faultmaven_core.analysis.record import RcaRecord, TimelineEntry
from faultmaven_core.evidence.commands import SearchHit, SearchResult
from faultmaven_core.investigation.answers.known import Known
from faultmaven_core.investigation.markdown import bullets, cited, code, place, plain

NEAR = timedelta(minutes=5)
"""Entries of the timeline this close to an asked moment are told with it."""

FEWEST_LETTERS = 3
"""Letters beside its time from which a line tells anything."""

MOST_ENTRIES = 12
MOST_LINES = 10

_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]?|\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?Z?")
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Window:
    """From a moment to another, both within what is asked."""

    first: datetime
    last: datetime

    def holds(self, when: datetime) -> bool:
        """Whether a moment lies within it."""
        return self.first <= when <= self.last


def windows(record: RcaRecord | None, times: tuple[str, ...]) -> list[Window]:
    """The moments that times of day mean, on each day that the evidence covers; two times are a span."""
    days = _days(record)
    found = []
    for day in days:
        moments = [moment for moment in (_moment(day, text) for text in times[:2]) if moment is not None]
        if moments:
            width = timedelta(seconds=59 if any(text.count(":") == 1 for text in times[:2]) else 0)
            found.append(Window(min(moments), max(moments) + width))
    return list(dict.fromkeys(found))


def pattern(times: tuple[str, ...]) -> str:
    """The regular expression of lines that carry one of these times as text; between two of them every minute."""
    clocks = [text.strip().split("T")[-1].split(" ")[-1] for text in times[:2]]
    minutes = [int(hour) * 60 + int(rest[:2]) for hour, _, rest in (clock.partition(":") for clock in clocks)]
    if len(minutes) == 2 and 0 < minutes[1] - minutes[0] <= 60:
        every = [f"{m // 60:02}:{m % 60:02}" for m in range(minutes[0], minutes[1] + 1)]
    else:
        every = [clock.zfill(5) if clock.count(":") == 1 else clock.zfill(8) for clock in clocks]
    # Nothing after the time: what follows may be the line's end, which belongs to no line.
    return rf"(?:^|[^0-9:])(?:{'|'.join(every)})"


def at_moment(known: Known, times: tuple[str, ...], found: SearchResult, names: tuple[str, ...] = ()) -> Iterator[str]:
    """What the timeline and the lines say of a moment, and whether the evidence covers it at all.

    Of lines, those that name what is asked about; where none does, all.
    """
    record = known.record
    if record is None:
        return
    asked = windows(record, times)
    shown = " to ".join(times[:2])
    entries = [entry for entry in record.timeline if any(_near(entry, window) for window in asked)]
    if entries:
        yield f"Around {plain(shown)} (times are UTC, {NEAR.seconds // 60} minutes before and after):"
        yield bullets(_told(entry) for entry in entries[:MOST_ENTRIES])
    telling = tuple(hit for hit in found.hits if len(_LETTERS.findall(_STAMP.sub("", hit.text))) >= FEWEST_LETTERS)
    telling = tuple(hit for hit in telling if _named(hit, names)) or telling
    if telling:
        yield f"Lines that carry {plain(shown)} as their text (in their own time zone):"
        yield lines(telling, MOST_LINES)
        if found.truncated or len(telling) > MOST_LINES:
            yield "There are more lines; name a service or a shorter time to see them."
    if not entries and not telling:
        yield f"Nothing in the evidence carries the time {plain(shown)}, and nothing abnormal is dated near it."
    yield from _coverage(record, asked)
    yield from bullets_of(found.problems)


def timeline(known: Known) -> Iterator[str]:
    """The order of events, from just before the first deviation on."""
    record = known.record
    if record is None:
        return
    if not record.timeline:
        yield "Nothing abnormal in the evidence is dated, so I cannot say when it began or in which order things happened."
        spans = [source for source in record.coverage if source.first and source.last]
        if spans:
            yield f"What I read covers {min(s.first for s in spans)} to {max(s.last for s in spans)} (UTC)."
        return
    first = next((i for i, entry in enumerate(record.timeline) if entry.first_deviation), 0)
    start = max(0, min(first - 3, len(record.timeline) - MOST_ENTRIES))
    yield "What happened, in order (UTC):"
    yield bullets(_told(entry) for entry in record.timeline[start : start + MOST_ENTRIES])
    left = len(record.timeline) - MOST_ENTRIES
    if left > 0:
        yield f"{left} more entries stand in the report."
    if not any(entry.first_deviation for entry in record.timeline):
        yield "I cannot say which of these was the first sign of the problem."


def lines(hits: tuple[SearchHit, ...], most: int) -> str:
    """Lines of evidence, each with its place."""
    return bullets(f"{code(hit.text.strip())} ({place(hit.name, hit.line)})" for hit in hits[:most])


def bullets_of(problems: tuple[str, ...]) -> Iterator[str]:
    """What could not be searched."""
    if problems:
        yield "Not searched:"
        yield bullets(plain(problem) for problem in problems[:5])


def _told(entry: TimelineEntry) -> str:
    mark = "**first deviation:** " if entry.first_deviation else ""
    return f"{entry.when} {mark}{cited(entry.text[:300], entry.citations, 1)}"


def _named(hit: SearchHit, names: tuple[str, ...]) -> bool:
    return any(name.casefold() in f"{hit.name} {hit.text}".casefold() for name in names)


def _near(entry: TimelineEntry, window: Window) -> bool:
    when = _parsed(entry.when)
    return when is not None and window.first - NEAR <= when <= window.last + NEAR


def _coverage(record: RcaRecord, asked: list[Window]) -> Iterator[str]:
    """Which files end before, or begin after, every moment that was asked for."""
    spans = [(s.file, _parsed(s.first), _parsed(s.last)) for s in record.coverage if s.first and s.last]
    if not spans:
        dated = sorted(when for when in (_parsed(entry.when) for entry in record.timeline) if when)
        if dated:
            yield f"What is dated in the evidence lies between {dated[0]:%Y-%m-%d %H:%M:%S} and {dated[-1]:%H:%M:%S} UTC."
        else:
            yield "No file states times that I can place, so I cannot say whether the evidence covers it."
        return
    outside = [
        f"{code(file)} covers {first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S} UTC and does not reach it."
        for file, first, last in spans
        if first and last and asked and not any(window.last >= first and window.first <= last for window in asked)
    ]
    if outside:
        yield bullets(outside[:5])


def _days(record: RcaRecord | None) -> list[datetime]:
    """The days that evidence and timeline lie on, three at most."""
    every = [source.first for source in record.coverage] + [source.last for source in record.coverage] if record else []
    every += [entry.when for entry in record.timeline] if record else []
    found = {moment.replace(hour=0, minute=0, second=0, microsecond=0) for moment in map(_parsed, every) if moment}
    return sorted(found)[-3:]


def _moment(day: datetime, text: str) -> datetime | None:
    if re.match(r"\d{4}-", text):
        return _parsed(text.replace(" ", "T"))
    parts = [int(part) for part in text.split(":")]
    return day.replace(hour=parts[0], minute=parts[1], second=parts[2] if len(parts) > 2 else 0)


def _parsed(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

"""The moment of every line of a log, as whole seconds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.extract.log_format import Layout, LogFormat
from faultmaven_core.analysis.extract.timestamps import ASSUMED_YEAR, BY_NAME, first_timestamp, parse, timestamps

_FIXED_WIDTH = {
    "iso": 19, "iso_slashes": 19, "iso_dots": 19, "compact": 17, "basic": 15, "syslog": 15, "klog": 14, "american": 19,
    "short_year": 17, "short_compact": 13, "month_day": 14, "clf": 20, "epoch": 10, "epoch_milliseconds": 10, "ctime": 24,
}  # fmt: skip
"""Characters that tell a moment to the second, in the notations where that is always the same number of them."""
MAX_CACHED = 20_000
_HEAD = 300
_NAMED = r'"?\b@?(?i:timestamp|time|ts|t|date|datetime|eventtime)"?\s*[:=]\s*(?:\{"\$date":\s*)?"?'
_FIELD = re.compile(_NAMED + r'(?P<time>[^",}\s][^",}]*)')


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the clock had to assume because lines do not say it."""

    zone: bool
    year: bool


class LogClock:
    """Reads moments of lines of one format. Seconds are remembered by their text: neighbours share them."""

    def __init__(self, log_format: LogFormat, sample: Sequence[str]) -> None:
        self._format = log_format
        self._layouts = [layout for layout in log_format.layouts if layout.form]
        few = sample[:: max(1, len(sample) // 200)]
        self._year = _year_stated(few)
        self._at = _fixed_place(self._layouts[0], sample) if self._layouts else None
        self._finder = self._find_by(few)
        self._seconds: dict[bytes, float | None] = {}
        self.assumed = Assumptions(zone=False, year=False)
        for line in few:
            self._note(line)

    def _note(self, line: str) -> None:
        found = first_timestamp(line)
        if found is not None:
            self.assumed = Assumptions(
                self.assumed.zone or not found.zone_stated, self.assumed.year or not found.year_stated
            )

    @property
    def tells(self) -> bool:
        """Whether lines of this format state moments at all."""
        return bool(self._layouts) or self._format.kind != "plain"

    def exact(self, line: str) -> float | None:
        """The moment of one line with its fraction; None where it states none."""
        if self._format.kind != "plain":
            match = _FIELD.search(line[:4096])
            found = first_timestamp(match["time"]) if match else None
            return found.when if found else None
        for layout in self._layouts:
            match = layout.pattern.match(line[: _HEAD * 2])
            if match and match["time"]:
                read = parse(match["time"], BY_NAME[layout.form], self._year)
                return read[0] if read else None
        return None

    def seconds(self, lines: Sequence[bytes]) -> list[float | None]:
        """The moment of each line, at least to the second; None where a line states none."""
        if not self.tells:
            return [None] * len(lines)
        if len(self._seconds) > MAX_CACHED:
            self._seconds.clear()
        texts = self._texts(lines)
        get = self._seconds.get
        found = [get(text, 0.5) for text in texts]
        if 0.5 not in found:
            return found
        return [
            self._learn(text, line) if when == 0.5 else when
            for when, text, line in zip(found, texts, lines, strict=True)
        ]

    def _texts(self, lines: Sequence[bytes]) -> list[bytes]:
        """What tells each line's moment to the second; all of its begin where that is unknown."""
        if self._at is not None:
            start, end = self._at
            return [line[start:end] for line in lines]
        if self._finder is None:
            return [line[: _HEAD * 2] for line in lines]
        pattern, width = self._finder
        find = pattern.search if self._format.kind != "plain" else pattern.match
        return [match[1][:width] if (match := find(line)) else line[: _HEAD * 2] for line in lines]

    def _find_by(self, sample: Sequence[str]) -> tuple[re.Pattern[bytes], int] | None:
        """A pattern for the moments of these lines in place of all the forms that `exact` tries, if one form is common."""
        if self._layouts:
            layout = self._layouts[0]
            form, before = layout.form, rf"(?:\S+\s+){{{layout.fields.index('time')}}}[\s|,;\-]*[\[(\"]?"
        else:
            fields = (_FIELD.search(line) for line in sample)
            forms = Counter(found.form for field in fields if field and (found := first_timestamp(field["time"])))
            form, before = (min(forms, key=lambda name: (-forms[name], name)) if forms else ""), _NAMED
        if form not in _FIXED_WIDTH:
            return None
        return re.compile(f"{before}({BY_NAME[form].plain})".encode()), _FIXED_WIDTH[form]

    def _learn(self, text: bytes, line: bytes) -> float | None:
        if text in self._seconds:
            return self._seconds[text]
        when = self.exact(line[: _HEAD * 2].decode("utf-8", "replace"))
        when = None if when is None else float(int(when))
        self._seconds[text] = when
        return when


def _fixed_place(layout: Layout, sample: Sequence[str]) -> tuple[int, int] | None:
    width = _FIXED_WIDTH.get(layout.form)
    starts = {match.start("time") for line in sample if line.isascii() and (match := layout.pattern.match(line))}
    if width is None or len(starts) != 1:
        return None
    start = starts.pop()
    # A header whose begin is not the moment itself must be part of what is remembered, or another header could pass for it.
    return start, start + width


def _year_stated(sample: Sequence[str]) -> int:
    """The commonest year that the sample's lines state anywhere near their begin."""
    years = Counter(
        int(match[0])
        for line in sample
        for found in timestamps(line)
        if found.year_stated and (match := _YEAR.search(line, found.start, found.end))
    )
    return min(years, key=lambda year: (-years[year], year)) if years else ASSUMED_YEAR


_YEAR = re.compile(r"(?:19|20)\d\d")

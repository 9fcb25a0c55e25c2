"""What stands before the message in the lines of a log, learned from a sample of them.

No list of products: a header is a run of fields (moment, level, numbers, logger, thread, program with its process id)
that nearly all lines have in the same order. Lines that no header fits continue the record before them, or are free text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.extract.severity import LEVEL
from faultmaven_core.analysis.extract.timestamps import BY_NAME, timestamps

MOST = 0.85
"""Share of the lines that must have a field at a place for it to belong to the header."""
MAX_FIELDS = 14
MAX_LAYOUTS = 5
MIN_SHARE = 0.03
"""Share of the sampled lines below which a different header is not worth learning."""

_SEPARATOR = r"[\s|,;\-]*"
_TIME = "|".join(f"(?:{form.plain})" for form in BY_NAME.values())
_ONE_WORD_PROGRAM = r"[\w.$/()\-#@*<>+]{1,80}(?:\[[\w.\-]*\])?:(?=\s|$)"
_PROGRAM = rf"(?:{_ONE_WORD_PROGRAM}|[\w.\- ]{{1,40}}\[\d+\]:)"
_FIELDS: tuple[tuple[str, str], ...] = (
    ("time", rf"\[?(?:{_TIME})\]?"),
    ("date", r"(?:19|20)\d\d[-./](?:0\d|1[0-2])[-./][0-3]\d(?=\s)"),
    ("stream", r"(?:stdout|stderr) [FP](?=\s)"),
    ("level", rf"[\[(<]?(?P<level>(?i:{LEVEL})|[VDIWEF])[\])>]?(?=[\s:|,\]]|$):?"),
    ("number", r"[\[(]?\d+(?:#\d+)?[\])]?:?(?=[\s|])"),
    ("source", r"[\w./\-]+\.(?:go|py|java|kt|scala|c|cc|cpp|h|rs|js|ts|rb|cs|php|ex|erl):\d+\]?:?(?=\s)"),
    ("bracketed", r"\[(?:[^\[\]]|\[[^\[\]]*\]){0,200}\]:?"),
    ("column", r"[^|\s]{1,64}(?=\|)"),
    ("named", r"[^\s\-]\S{0,79}(?: [^\s\-]\S{0,19})? (?=- )"),
    ("program", _PROGRAM),
    ("logger", r"[A-Za-z_][\w$]*(?:[./][\w$\-]+)+(?=\s)"),
)
_COMPILED = tuple((name, re.compile(_SEPARATOR + pattern)) for name, pattern in _FIELDS)
_TOKEN = re.compile(r"\s*\S+(?=\s)")
_HOST = re.compile(rf"\s+(?!\S+:\s|(?i:{LEVEL})\s)[\w][\w.:/@\-]*\s+{_PROGRAM}")
_TIME_NEXT = re.compile(rf"{_SEPARATOR}\[?(?:{_TIME})")
_LEVEL_NEXT = re.compile(rf"{_SEPARATOR}[\[(<]?{LEVEL.upper().replace('(?:', '(?:', 1)}[\])>]?(?=[\s:|,\]]|$)")
_ONCE = frozenset({"level", "program", "logger", "source", "named"})
_TELLING = frozenset({"time", "level", "program", "column", "stream", "source"})
_END = r"[\s|]*(?:[-:](?=\s))?[\s|]*"
_PAIR = re.compile(r'[A-Za-z_][\w.\-]*=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$)')


@dataclass(frozen=True, slots=True)
class Layout:
    """One header. Groups of `pattern`: `time` (the first moment) and `level`, if lines have them; the message is the rest."""

    pattern: re.Pattern[str]
    fields: tuple[str, ...]
    form: str


@dataclass(frozen=True, slots=True)
class LogFormat:
    """The headers of a source, commonest first; `kind` is json, logfmt or plain."""

    kind: str
    layouts: tuple[Layout, ...] = ()


def learn(lines: Sequence[str]) -> LogFormat:
    """The format of a source from a sample of its lines."""
    told = [line for line in lines if line and not line[0].isspace()]
    if told and sum(line.startswith("{") and line.rstrip().endswith("}") for line in told) >= MOST * len(told):
        return LogFormat("json")
    if told and sum(_PAIR.match(line) is not None and len(_PAIR.findall(line)) >= 3 for line in told) >= MOST * len(
        told
    ):
        return LogFormat("logfmt")
    groups: dict[tuple[str, int], list[str]] = defaultdict(list)
    for line in told:
        groups[_first_moment(line)].append(line)
    share = int(MIN_SHARE * len(told))
    # A moment makes even a single line's header; without one, two lines must agree on it.
    chosen = sorted(
        (key for key in groups if len(groups[key]) >= max(1 if key[0] else 2, share)),
        key=lambda key: (-len(groups[key]), key),
    )
    layouts = (_learn_layout(groups[key], *key) for key in chosen[:MAX_LAYOUTS])
    return LogFormat("plain", tuple(layout for layout in layouts if layout is not None))


def _first_moment(line: str) -> tuple[str, int]:
    """The form of the first moment and the number of words before it."""
    for found in timestamps(line, 160):
        if found.start == 0 or line[found.start - 1] in ' [(<\t|"':
            return found.form, len(line[: found.start].rstrip("[(<\"'").split())
    return "", 0


def _learn_layout(lines: Sequence[str], form: str, words: int) -> Layout | None:
    sample = lines[:: max(1, len(lines) // 400)]
    fields = ["word"] * words
    parts = [rf"(?:\S+\s+){{{words}}}"] if words else []
    places = _advance(sample, [0] * len(sample), re.compile("".join(parts)))
    while len(fields) < MAX_FIELDS + words:
        step = _next_field(sample, places, fields, form)
        if step is None:
            break
        name, pattern = step
        places = _advance(sample, places, re.compile(pattern))
        parts.append(_grouped(name, pattern, form, fields))
        fields.append(name)
    if not _TELLING & set(fields):
        return None
    # All but the first telling field may end early: a line with less of a header still loses what it has.
    first = words + 1 if words else 1
    body = "".join(parts[:first] if not words else parts[:2])
    rest = parts[first:] if not words else parts[2:]
    for part in rest:
        body += f"(?:{part}"
    return Layout(re.compile(body + ")?" * len(rest) + _END), tuple(fields), form)


def _grouped(name: str, pattern: str, form: str, before: Sequence[str]) -> str:
    """The field's pattern with the groups `time` and `level` only where they are the first of their kind."""
    if name == "time" and "time" not in before:
        plain = BY_NAME[form].plain
        if form == "klog":
            return rf"(?P<time>(?P<level>[IWEF]){plain.removeprefix('[IWEF]')})"
        return rf"{_SEPARATOR}[\[(\"]?(?P<time>{plain})[\])\"]?"
    return pattern if form != "klog" else pattern.replace("(?P<level>", "(?:")


def _advance(sample: Sequence[str], places: Sequence[int], pattern: re.Pattern[str]) -> list[int]:
    found = []
    for line, at in zip(sample, places, strict=True):
        match = pattern.match(line, at)
        found.append(match.end() if match else at)
    return found


def _next_field(
    sample: Sequence[str], places: Sequence[int], fields: Sequence[str], form: str
) -> tuple[str, str] | None:
    """The name and pattern of the next field that most lines have here."""

    def share(pattern: re.Pattern[str]) -> float:
        return sum(pattern.match(line, at) is not None for line, at in zip(sample, places, strict=True)) / len(sample)

    if form and "time" not in fields:
        return "time", rf"{_SEPARATOR}[\[(\"]?(?:{BY_NAME[form].plain})[\])\"]?"
    if "program" in fields:
        return None
    if fields and fields[-1] == "time" and share(_HOST) >= MOST / 2:
        return "word", _TOKEN.pattern
    for name, compiled in _COMPILED:
        if (name in _ONCE and name in fields) or (name == "level" and form == "klog") or (name == "time" and not form):
            continue
        if share(compiled) >= MOST:
            return name, compiled.pattern
    return _word_before(sample, places, fields)


def _word_before(sample: Sequence[str], places: Sequence[int], fields: Sequence[str]) -> tuple[str, str] | None:
    """A word without a form of its own that stands before another moment or the level, in nearly all lines."""
    wanted = [_TIME_NEXT] if "time" in fields else []
    if "level" not in fields:
        wanted.append(_LEVEL_NEXT)
    at = list(places)
    for _ in range(4):
        at = _advance(sample, at, _TOKEN)
        for pattern in wanted:
            good = sum(pattern.match(line, place) is not None for line, place in zip(sample, at, strict=True))
            if good >= MOST * len(sample):
                return "word", _TOKEN.pattern
    return None

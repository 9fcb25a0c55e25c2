"""Stack traces of Python, Java, Go and JavaScript: what was thrown, where, and what caused it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from faultmaven_core.analysis.extract.timestamps import first_timestamp
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Fact, Mode, Span

MAX_LINES = 400
"""Lines of one trace that are read: recursion prints thousands of equal ones."""

MAX_MESSAGE = 300

_PYTHON_START = re.compile(r"Traceback \(most recent call last\):")
_PYTHON_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>\S+))?')
_PYTHON_ERROR = re.compile(r"(?P<type>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?\Z")
_PYTHON_CHAIN = re.compile(r"(During handling of the above exception|The above exception was the direct cause)")
_JAVA_ERROR = re.compile(
    r"(?P<caused>Caused by: |Suppressed: )?(?P<type>(?:[a-z_][\w$]*\.)+[A-Z][\w$]*|[A-Z]\w*(?:Exception|Error|Throwable))"
    r"(?:: (?P<message>.*))?\Z"
)
_JAVA_FRAME = re.compile(
    r"\s+at (?P<function>(?:[\w$.@<>/-]+/)?[\w$.<>]+)\((?:(?P<file>[\w$]+\.(?:java|kt|scala|groovy)):(?P<line>\d+)"
    r"|Native Method|Unknown Source|<generated>|[\w$]+\.(?:java|kt|scala|groovy))\)"
)
_JAVA_MORE = re.compile(r"\s+\.\.\. \d+ (more|common frames omitted)")
_GO_START = re.compile(r"(?:panic|fatal error): (?P<message>.*)")
_GO_ROUTINE = re.compile(r"goroutine \d+ \[")
_GO_CALL = re.compile(r"(?P<function>[\w./*()\[\]-]+)\(.*\)\Z")
_GO_FRAME = re.compile(r"\s+(?P<file>/?[\w./@+-]+\.go):(?P<line>\d+)")
_JS_ERROR = re.compile(
    r"(?:Uncaught |Unhandled\w* )?(?P<type>[A-Z]\w*(?:Error|Exception))(?: \[\w+\])?: (?P<message>.*)\Z"
)
_JS_FRAME = re.compile(r"\s+at (?:async )?(?:(?P<function>[^\s(][^(]*?) \()?(?P<file>[^\s()]+?):(?P<line>\d+):\d+\)?")
_LIBRARY = re.compile(
    r"site-packages|dist-packages|/lib/python\d|<frozen|<string>|node_modules|node:internal|\Ainternal/|/usr/local/go/src|"
    r"/go/pkg/mod|\Aruntime[./]|\A(?:java|javax|jdk|sun|com\.sun|kotlin|scala|org\.springframework|org\.apache|io\.netty|"
    r"org\.hibernate|com\.zaxxer|reactor|org\.eclipse|io\.grpc|com\.mysql|org\.postgresql)\."
)
"""Files and functions of runtimes and common libraries: the application's own frame says more."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A call: where it stands in the code."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass
class Trace:
    """Lines `first` to `end` (exclusive). Links run from the exception that surfaced to its root cause."""

    language: str
    first: int
    end: int = 0
    links: list[tuple[str, str]] = field(default_factory=list)
    frames: list[list[Frame]] = field(default_factory=list)

    @property
    def frame(self) -> Frame | None:
        """The application's innermost frame of the root cause, else of any link, else any innermost frame."""
        ordered = [frame for group in reversed(self.frames) for frame in group]
        own = [f for f in ordered if not _LIBRARY.search(f.file) and not _LIBRARY.search(f.function)]
        return next(iter(own or ordered), None)


def add_exceptions(
    lines: Sequence[str], place: Callable[[int, int], Span], entity: Entity, out: Findings, when: float | None = None
) -> None:
    """A fact `error.exception` per kind of trace in the lines; the same exception at the same place is counted.

    `place` gives the span of lines `first` to `end` (exclusive).
    """
    counted: dict[tuple[str, str, str], tuple[Fact, int]] = {}
    for trace in traces(lines):
        fact = _fact(trace, lines, place(trace.first, trace.end), entity, when)
        key = (str(trace.links[-1][0]), str(trace.frame), trace.language)
        kept, count = counted.get(key, (fact, 0))
        counted[key] = (kept, count + 1)
    out.facts.extend(
        Fact(f.entity, f.attribute, f.value, f.mode, f.spans, f.when, f.polarity, count, f.params)
        for f, count in counted.values()
    )


def _fact(trace: Trace, lines: Sequence[str], span: Span, entity: Entity, when: float | None) -> Fact:
    surface, root = trace.links[0], trace.links[-1]
    frame = trace.frame
    stamp = first_timestamp(lines[trace.first]) or (first_timestamp(lines[trace.first - 1]) if trace.first else None)
    params = {
        "exception": root[0],
        "message": root[1],
        "language": trace.language,
        "frame": str(frame) if frame else "",
        "file": frame.file if frame else "",
        "line": str(frame.line) if frame else "",
        "function": frame.function if frame else "",
        "surfaced_as": f"{surface[0]}: {surface[1]}" if surface != root else "",
    }
    said = tuple(sorted((key, value) for key, value in params.items() if value))
    value = f"{root[0]}: {root[1]}" if root[1] else root[0]
    moment = stamp.when if stamp and stamp.year_stated else when
    return Fact(entity, "error.exception", value, Mode.LOG, (span,), moment, params=said)


def traces(lines: Sequence[str]) -> Iterator[Trace]:
    """The traces in lines, in their order."""
    at = 0
    while at < len(lines):
        trace = next((found for read in (_python, _go, _java, _javascript) if (found := read(lines, at))), None)
        if trace:
            yield trace
        at = trace.end if trace else at + 1


def _python(lines: Sequence[str], at: int) -> Trace | None:
    start = _PYTHON_START.search(lines[at])
    if not start:
        return None
    trace = Trace("python", at)
    frames: list[Frame] = []
    # What the logger puts before each line of the trace is cut off, so that indentation is seen.
    cut, index = start.start(), at + 1
    while index < min(len(lines), at + MAX_LINES):
        line = lines[index][cut:] if lines[index][:cut] == lines[at][:cut] else lines[index]
        if frame := _PYTHON_FRAME.match(line):
            frames.append(Frame(frame["file"], int(frame["line"]), frame["function"] or ""))
        elif line[:1] not in (" ", "\t", "") and (error := _PYTHON_ERROR.match(line)):
            trace.links.append((error["type"], (error["message"] or "").strip()[:MAX_MESSAGE]))
            trace.frames.append(frames[::-1])
            frames = []
            trace.end = index + 1
            index = _next_python(lines, index + 1)
            if index == 0:
                break
            continue
        elif line.strip() and line[:1] not in (" ", "\t"):
            break
        index += 1
    # Python prints the root first and what surfaced last: the other way round than the rest.
    trace.links.reverse()
    trace.frames.reverse()
    return trace if trace.links else None


def _next_python(lines: Sequence[str], index: int) -> int:
    """The line after the header of a chained traceback that follows; 0 where none does."""
    window = range(index, min(index + 5, len(lines)))
    if any(_PYTHON_CHAIN.search(lines[i]) for i in window):
        return next((i + 1 for i in window if _PYTHON_START.search(lines[i])), 0)
    return 0


def _java(lines: Sequence[str], at: int) -> Trace | None:
    if at + 1 >= len(lines) or not _JAVA_FRAME.match(lines[at + 1]):
        return None
    error = _error_at(lines[at], _JAVA_ERROR)
    if not error:
        return None
    trace = Trace("java", at, at + 1, [_link(error)], [[]])
    for index in range(at + 1, min(len(lines), at + MAX_LINES)):
        line = lines[index]
        if frame := _JAVA_FRAME.match(line):
            if frame["file"]:
                trace.frames[-1].append(Frame(frame["file"], int(frame["line"]), frame["function"]))
        elif "Caused by: " in line and (caused := _error_at(line, _JAVA_ERROR)):
            trace.links.append(_link(caused))
            trace.frames.append([])
        elif not _JAVA_MORE.match(line):
            break
        trace.end = index + 1
    return trace


def _error_at(line: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """The error that a line ends with, after whatever the logger or `Exception in thread` put before it."""
    starts = [0, *(match.end() for match in re.finditer(r"(?<=[\s\]:])", line[:300]))]
    return next((match for start in starts if (match := pattern.match(line, start))), None)


def _link(error: re.Match[str]) -> tuple[str, str]:
    return error["type"], (error["message"] or "").strip()[:MAX_MESSAGE]


def _go(lines: Sequence[str], at: int) -> Trace | None:
    panic = _GO_START.search(lines[at])
    window = lines[at + 1 : at + 6]
    if not panic or not any(_GO_ROUTINE.search(line) for line in window):
        return None
    trace = Trace("go", at, at + 1, [("panic", panic["message"].strip()[:MAX_MESSAGE])], [[]])
    function = ""
    for index in range(at + 1, min(len(lines), at + MAX_LINES)):
        line = lines[index]
        if frame := _GO_FRAME.match(line):
            trace.frames[0].append(Frame(frame["file"], int(frame["line"]), function))
        elif call := _GO_CALL.match(line.strip()):
            function = call["function"]
        elif line.strip() and not _GO_ROUTINE.search(line) and not line.startswith(("[signal", "created by", "\t")):
            break
        trace.end = index + 1
    return trace


def _javascript(lines: Sequence[str], at: int) -> Trace | None:
    if at + 1 >= len(lines) or not _JS_FRAME.match(lines[at + 1]):
        return None
    error = _error_at(lines[at], _JS_ERROR)
    if not error:
        return None
    trace = Trace("javascript", at, at + 1, [_link(error)], [[]])
    for index in range(at + 1, min(len(lines), at + MAX_LINES)):
        frame = _JS_FRAME.match(lines[index])
        if not frame:
            break
        trace.frames[0].append(Frame(frame["file"], int(frame["line"]), frame["function"] or ""))
        trace.end = index + 1
    return trace

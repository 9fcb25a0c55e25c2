"""Forms of plain text, told from the first lines: how sure one can be that they are a log, settings, code or prose."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TIMED = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\d\d/[A-Z][a-z]{2}/\d{4}:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|"
    r"\b\d\d:\d\d:\d\d[.,:]\d|[IWEF]\d{4} \d\d:\d\d:\d\d|\b1[5-9]\d{8}\b|\d{2,4}[/.]\d\d[/.]\d{2,4} \d\d:\d\d"
)
_LEVEL = re.compile(
    r"\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE|PANIC)\b|\blevel=\w+|\[(?:debug|info|notice|warn|error)\w*\]|"
    r"\A[Ee]rror(?: from server)?[: ]|\ATraceback |\A\s+at \S+\("
)
_DIFF = re.compile(r"diff --git |@@ -\d+(?:,\d+)? \+\d+|--- \S|\+\+\+ \S|Index: \S")
_SETTING = re.compile(
    r"\s*(?:export )?[A-Za-z_][\w.-]*\s*=\s*\S*.*|\s*\[{1,2}[\w.:\" -]+\]{1,2}|\s*(?:- )?[A-Za-z_\"'][\w./\"' -]*:(?:\s+\S.*)?|\s*- \S+"
)
_REMARK = re.compile(r"\s*(?:#|;|//|---$)")
_CODE = re.compile(
    r"#!/|\s*(?:import \w|from [\w.]+ import |package \w+;?$|#include [<\"]|def \w+\(|class \w+[:({ ]|func (?:\(\w|\w+\()|"
    r"public |private |protected |return\b.*;?$|(?:const|let|var) \w+ ?=|(?:if|for|while) ?\(.*\{$|@\w+(?:\(.*\))?$|[})\]]+;?$)"
)
_HEADING = re.compile(r"#{1,6} \S|={3,}$|-{3,}$|\* \S|\d+\. \S|> \S|```")
_SENTENCE = re.compile(r"[A-Z][\w'\u2019,-]* (?:[\w'\u2019(),:;-]+ ){4,}[\w'\u2019().-]+")


def diff(lines: Sequence[str]) -> float:
    """Unified diffs and patches."""
    marks = sum(bool(_DIFF.match(line)) for line in lines)
    return 0.95 if marks >= 3 or (marks and lines[0].startswith("diff --git ")) else 0.0


def log(lines: Sequence[str]) -> float:
    """Lines of a log: most begin with a time or a severity. Any text can be read as one, so never 0."""
    full = [line for line in lines if line.strip()]
    timed = sum(bool(_TIMED.search(line[:80]) or _LEVEL.search(line[:120])) for line in full)
    return 0.35 + 0.5 * min(1.0, 2 * timed / len(full))


def config(lines: Sequence[str]) -> float:
    """Settings: keys and values, sections, nothing else but remarks."""
    full = [line for line in lines if line.strip() and not _REMARK.match(line)]
    if len(full) < 2 or any(_TIMED.match(line) for line in full[:5]):
        return 0.0
    share = sum(bool(_SETTING.fullmatch(line)) for line in full) / len(full)
    return 0.75 * share if share > 0.8 else 0.0


def code(lines: Sequence[str]) -> float:
    """Source code of a usual language."""
    full = [line for line in lines if line.strip()]
    share = sum(bool(_CODE.match(line)) for line in full) / len(full)
    return min(0.8, 0.3 + 2 * share) if share > 0.12 and not any(map(_TIMED.match, full[:5])) else 0.0


def prose(lines: Sequence[str]) -> float:
    """Documents for people: headings, lists, sentences."""
    full = [line for line in lines if line.strip()]
    if any(_TIMED.match(line) for line in full[:20]):
        return 0.0
    marked = sum(bool(_HEADING.match(line) or _SENTENCE.match(line)) for line in full)
    return min(0.8, 0.3 + 0.6 * marked / len(full)) if marked >= 2 else 0.0

"""Lines of evidence that a question asks for: by what they name, and by how bad they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from faultmaven_core.evidence.commands import SearchHit, SearchResult
from faultmaven_core.investigation.answers.known import Known, files
from faultmaven_core.investigation.answers.moments import bullets_of, lines
from faultmaven_core.investigation.markdown import many, plain
from faultmaven_core.investigation.questions import SEVERITY, Question

MOST = 12
BAD = rf"(?i)\b(?:{SEVERITY}|errors|exceptions|warnings)\b|\bE\d{{4}} |\" 5\d\d "
"""Lines that say that something went wrong."""

_WARNINGS = "warn(?:ing)?s?"
_VARIABLE = re.compile(r"[0-9a-f-]{8,}|\d+")
"""What differs between two lines that say the same."""


def _bad(question: Question) -> tuple[str, str]:
    """What bad lines are called, and the words that they have: warnings alone where only they are asked for."""
    if re.search(r"\bwarn", question.text, re.IGNORECASE) and not re.search(r"\berr", question.text, re.IGNORECASE):
        return "warnings", _WARNINGS
    return "errors and warnings", f"{SEVERITY}|errors|exceptions|warnings"


def wanted(question: Question) -> tuple[str, bool]:
    """What to search for, and whether it is a regular expression."""
    if not question.severe:
        return " ".join(question.names[:4]) or question.text[:200], False
    called, bad = _bad(question)
    if not question.names:
        return (BAD if called != "warnings" else rf"(?i)\b{bad}\b"), True
    name = re.escape(question.names[0])
    return rf"(?i){name}.*\b(?:{bad})\b|\b(?:{bad})\b.*{name}", True


def named_file(question: Question, file: str) -> bool:
    """Whether a file is the one that the question names, so that its lines need not name it again."""
    return any(name.casefold() in file.casefold() for name in question.names)


def narrowed(question: Question, hits: Sequence[SearchHit]) -> list[SearchHit]:
    """Of lines that say that something went wrong, those of what was named: in the line, or in the name of its file."""
    if not question.severe or not question.names:
        return list(hits)
    named = [name.casefold() for name in question.names]
    kept = [hit for hit in hits if all(name in f"{hit.name} {hit.text}".casefold() for name in named)]
    return kept or [hit for hit in hits if any(name in f"{hit.name} {hit.text}".casefold() for name in named)]


def found(known: Known, question: Question, result: SearchResult) -> Iterator[str]:
    """The lines, or that there are none and where was looked."""
    hits = narrowed(question, result.hits)
    called = plain(" ".join(question.names)) or "that"
    what = called
    if question.severe:
        what = _bad(question)[0] + (f" of {called}" if question.names else "")
    if not hits:
        read = [source.file for source in known.record.coverage] if known.record else []
        yield f"I found no line for {what} in what I read ({files(read)})."
        if result.truncated:
            yield "There were too many lines to look at all of them: name what you are after more exactly."
    else:
        yield f"{'At least ' if result.truncated else ''}{many(len(hits), 'line')} for {what}:"
        yield lines(tuple(_spread(hits)), MOST)
        if len(hits) > MOST:
            yield f"These are {MOST} of them, no message twice before each was shown once."
    yield from bullets_of(result.problems)


def _spread(hits: Sequence[SearchHit]) -> list[SearchHit]:
    """The first of each distinct message first, so that one that repeats a thousand times hides no other."""
    seen: dict[str, list[SearchHit]] = {}
    for hit in hits:
        seen.setdefault(_VARIABLE.sub("#", f"{hit.name} {hit.text}"), []).append(hit)
    firsts = [same[0] for same in seen.values()]
    rest = [hit for same in seen.values() for hit in same[1:]]
    return [*firsts, *rest]

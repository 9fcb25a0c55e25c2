"""What a question is about, told from its words alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Topic(StrEnum):
    """What is wanted. GENERAL is what nothing tells."""

    YES = "yes"
    NO = "no"
    RESOLVE = "resolve"
    CLOSE = "close"
    GREETING = "greeting"
    MOMENT = "moment"
    RULED_OUT = "ruled_out"
    WHY = "why"
    MISSING = "missing"
    ADVICE = "advice"
    SCOPE = "scope"
    EVIDENCE = "evidence"
    TIMELINE = "timeline"
    LINES = "lines"
    SUBJECT = "subject"
    SUMMARY = "summary"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Question:
    """A question: its topic, what it names (as it names it), and the times of day that it gives, as text."""

    text: str
    topic: Topic
    names: tuple[str, ...] = ()
    times: tuple[str, ...] = ()

    @property
    def proposes(self) -> bool:
        """Whether it asks for a word on a change that it names."""
        return _PROPOSAL.match(self.text) is not None

    @property
    def severe(self) -> bool:
        """Whether it asks for what went wrong, not for all that was said."""
        return _SEVERE.search(self.text) is not None


SEVERITY = "error|fatal|critical|panic|exception|warn(?:ing)?|fail(?:ed|ure|ures|s)?"
_PROPOSAL = re.compile(r"(?:so )?(?:should|shall|can|could|may|must) (?:i|we|you)\b", re.IGNORECASE)
_SEVERE = re.compile(rf"\b(?:{SEVERITY}|errors|exceptions|warnings)\b", re.IGNORECASE)
_CLOCK = re.compile(r"(?<![\d:])(?:\d{4}-\d\d-\d\d[T ])?(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])")
_QUOTED = re.compile(r"[\"'`“]([^\"'`”]{2,200})[\"'`”]")
_NAME = re.compile(
    r"[A-Za-z][A-Za-z0-9]*(?:[-_./:][A-Za-z0-9]+)+|[A-Za-z]+\d+[A-Za-z0-9]*|\b[A-Z]{3,}\b|[A-Z][a-z]+[A-Z]\w+"
)
_WORD = re.compile(r"[A-Za-z][\w.-]*")

_RULES: tuple[tuple[Topic, str], ...] = (
    (
        Topic.YES,
        r"(?:yes|yep|yeah|correct|right|exactly|agreed|confirmed|that(?:'s| is) (?:it|right|correct))[\s.!,]*(?:please|go ahead|do it|do so)?[\s.!]*",
    ),
    (Topic.NO, r"(?:no|nope|not (?:quite|really|yet)|wrong|that(?:'s| is) (?:not it|wrong))[\s.!]*"),
    (
        Topic.RESOLVE,
        r".*\b(?:(?:it(?:'s| is)|problem is|issue is|this is|now) (?:now )?(?:fixed|solved|resolved)|(?:mark|set) .*\bresolved|resolve (?:the|this) case)\b.*",
    ),
    (Topic.CLOSE, r"(?:please )?(?:close|abandon|cancel|drop) (?:the |this )?case\b.*"),
    (Topic.GREETING, r"(?:hi|hello|hey|help|thanks?|thank you|good (?:morning|evening|afternoon))\b[^?]{0,30}"),
    (
        Topic.RULED_OUT,
        r".*\b(?:rule[ds]? (?:\w+ )?out|exclude[ds]?|eliminated?|other (?:causes?|explanations?|hypothes[ei]s|possibilit\w+)|alternatives?|what else (?:could|can|might))\b.*",
    ),
    (
        Topic.WHY,
        r".*\b(?:why do you (?:think|say|believe|conclude)|why (?:so|that)\b|how do you know|how (?:sure|certain|confident)|what makes you|prove|proof|justify|show (?:me )?(?:the |your )?(?:evidence|reasoning) for|explain (?:that|this|your|why you))\b.*",
    ),
    (
        Topic.MISSING,
        r".*\b(?:what (?:\w+ )?(?:do you|would you) need|what(?:'s| is) missing|what (?:should|can) (?:i|we) (?:collect|gather|send|attach|upload|provide)|what (?:other |more |further )?evidence (?:do|would|is)|next check)\b.*",
    ),
    (
        Topic.ADVICE,
        r".*\b(?:what (?:should|can|shall|do|must) (?:i|we) (?:do|try|change)|how (?:do|can|to|should|would) (?:\w+ ){0,3}?(?:fix|solve|repair|mitigate|recover|prevent)|fix(?:es)?\b|remed(?:y|ies)|solutions?|mitigations?|workarounds?|roll ?back|next steps?)\b.*",
    ),
    (Topic.ADVICE, r"(?:so )?(?:should|shall|can|could|may|must) (?:i|we|you)\b.+"),
    (
        Topic.SCOPE,
        r".*\b(?:(?:who|what|which \w+) (?:is|are|was|were|else is) (?:affected|impacted|concerned|broken|failing|unhealthy)|impact|blast radius|how (?:bad|widespread|severe))\b.*",
    ),
    (
        Topic.EVIDENCE,
        r".*\b(?:(?:what|which) (?:files?|data|evidence)|list (?:the |all )?(?:files|evidence)|how much evidence)\b.*",
    ),
    (
        Topic.TIMELINE,
        r".*\b(?:timeline|chronolog\w+|sequence of events|when did|first (?:sign|error|deviation)|what changed|order of events)\b.*",
    ),
    (
        Topic.LINES,
        rf".*\b(?:show|list|find|search|grep|give me|get me|any|are there|count|how many|see)\b.*\b(?:{SEVERITY}|errors|exceptions|warnings|lines?|logs?|entries|messages?|occurrences?|mention\w*)\b.*",
    ),
    (Topic.LINES, r"(?:search|grep|find|look) (?:for )?.+"),
    (Topic.SUBJECT, r"(?:so |and |but )?(?:is|was|could|can|might|may|are|isn't|wasn't|couldn't)\b.+"),
    (
        Topic.SUBJECT,
        r"(?:what|how) about .+|does .+ (?:have|cause|play) .+|how is .+|did .+ (?:cause|fail|break|crash|restart)\b.*",
    ),
    (
        Topic.SUMMARY,
        r".*\b(?:summar\w+|what(?:'s| is| was| has)? (?:happened|going on|wrong|the (?:root )?cause|the problem|broken|up|the status)|root cause|status|what (?:do|did) you (?:know|find)|what (?:broke|caused|failed|happened)|conclusion|findings)\b.*",
    ),
    (Topic.SUMMARY, r"why\b.+"),
)
_COMPILED = tuple((topic, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for topic, pattern in _RULES)

_COMMON = frozenset(
    re.findall(
        r"\S+",
        """
        a about after all also am an and any anything are around as at be because been before began begin between
        broken but by can case cause caused causes change changed could count critical data did do does down during
        else entries error errors evidence exception exceptions fail failed failure failures fatal fault file files
        find fine fix fixed for from get give go grep guilty happen happened happening has have healthy hello hi how i
        if in into is isn't issue it its just last line lines list log logs look many may maybe me mention mentions
        message messages might more most my need no noon not now occurrence occurrences of ok okay on or our out over
        panic please possible problem really reason related responsible root rule ruled search see seen should show
        since slow so solution some something start started status still summarise summarize summary that the their
        them there these they think this those time timeline to today up us warn warning warnings was wasn't we were
        what when where which who why will with wrong yes yesterday you your
        """,
    )
)
"""Words that questions share: they name nothing."""


def understood(text: str) -> Question:
    """The question in a text; of a long one its last line that asks counts."""
    line = _asking(text)
    times = tuple(dict.fromkeys(match.group() for match in _CLOCK.finditer(line)))
    names = _names(line)
    topic = next((topic for topic, pattern in _COMPILED if pattern.fullmatch(line)), Topic.GENERAL)
    if times and topic not in {Topic.LINES, Topic.RULED_OUT, Topic.WHY}:
        topic = Topic.MOMENT
    return Question(line, topic, names, times)


def _asking(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.strip().splitlines() if line.strip()]
    asking = [line for line in lines if line.endswith("?")]
    return (asking or lines or [""])[-1 if asking else 0][:2_000]


def _names(line: str) -> tuple[str, ...]:
    """What the question is about: quoted words, then names, then the words that questions do not share."""
    quoted = _QUOTED.findall(line)
    rest = _CLOCK.sub(" ", _QUOTED.sub(" ", line))
    named = _NAME.findall(rest)
    words = [word.strip(".-") for word in _WORD.findall(rest) if word.strip(".-").casefold() not in _COMMON]
    told = [name for name in dict.fromkeys([*quoted, *named, *words]) if len(name) > 1]
    return tuple(told)[:6]

"""A mechanism's texts with their slots filled from the entity and the facts that bound it."""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from faultmaven_core.analysis.diagnose.hypotheses import Hypothesis
from faultmaven_core.analysis.diagnose.query import NEAR, Outcome
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_health import STARTING
from faultmaven_core.analysis.model import Entity, Fact

UNKNOWN = "the application that wrote"
"""What a log's writer is called that nobody is known to be."""

QUOTE_WORDS = 26
"""Words of evidence quoted in one sentence of the chain; the claim holds all of it."""

QUOTES = 4
"""Sentences of the chain that quote evidence."""

_TYPEABLE = re.compile(r"[A-Za-z0-9_@%+=:,./][A-Za-z0-9_@%+=:,./-]*")
"""What a shell takes literally, in quotes or out of them, and no program takes for an option."""

_JSON_MESSAGE = re.compile(r'"(?:msg|message)"\s*:\s*"((?:[^"\\]|\\.)+)"')
_FORMAT = string.Formatter()


class Narrator:
    """Fills the slots of one hypothesis's texts."""

    def __init__(self, hypothesis: Hypothesis, graph: EvidenceGraph) -> None:
        self._hypothesis = hypothesis
        self._graph = graph
        self._values = dict(_slots(hypothesis, graph))

    def tell(self, texts: Sequence[str], *, typed: bool = False) -> str:
        """The first text whose slots all have values (if it is to be typed, harmless ones); empty where none has."""
        for text in texts:
            told = self._filled(text, typed=typed)
            if told is not None:  # a name at the start stays as it is written
                return told[0].upper() + told[1:] if told.startswith(UNKNOWN) else told
        return ""

    def each(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Every text whose slots all have values."""
        return tuple(told for text in texts if (told := self._filled(text)))

    def command(self, texts: Sequence[str]) -> str:
        """The first command that can be told; what has no known namespace is looked for in the current one.

        Names stand in evidence that anybody may have written, and somebody will paste this into a shell: a value that a
        shell would not take literally binds no slot.
        """
        if self._hypothesis.entity.kind == "source":
            texts = [text for text in texts if "{name}" not in text and "{namespace}" not in text]
        return self.tell([*texts, *(text.replace(" -n {namespace}", "") for text in texts)], typed=True)

    def chain(self, symptom: str = "") -> tuple[str, ...]:
        """The mechanism's own steps, the symptom that they lead to, then what the decisive evidence says, word for word."""
        told = self.tell(self._hypothesis.mechanism.statement)
        said = [fact for fact in decisive(self._hypothesis) if str(fact.value) not in told]
        steps = [*self.each(self._hypothesis.mechanism.chain), *([f"Symptom: {symptom}"] if symptom else [])]
        return (*steps, *quotes(said))

    def _filled(self, text: str, *, typed: bool = False) -> str | None:
        parts = []
        for literal, name, spec, _ in _FORMAT.parse(text):
            parts.append(literal)
            if name is None:
                continue
            value = self._slot(name, spec or "")
            if not value or (typed and name != "log" and not _TYPEABLE.fullmatch(value)):
                return None  # `log` is quoted for a shell where it is made
            parts.append(value)
        return "".join(parts)

    def _slot(self, name: str, spec: str) -> str:
        if name == "fact":
            return _value(self._hypothesis.entity, spec, self._graph)
        if name == "range":
            return _range([dict(fact.params).get(spec, "") for fact in self._hypothesis.triggers])
        return self._values.get(name, "")


def decisive(hypothesis: Hypothesis) -> list[Fact]:
    """The facts that a hypothesis rests on: its triggers, then those that met its predictions."""
    met = [fact for _, answer in hypothesis.answers if answer.outcome is Outcome.MET for fact in answer.facts[:2]]
    return list(dict.fromkeys([*hypothesis.triggers, *met]))


def quotes(facts: Iterable[Fact]) -> list[str]:
    """Sentences that quote messages, each kind of message once."""
    found: dict[str, str] = {}
    for fact in facts:
        said = dict(fact.params).get("text") or fact.value
        text = said if isinstance(said, str) and " " in said else ""
        words = text.split()
        kept = " ".join(words[:QUOTE_WORDS]) + (" …" if len(words) > QUOTE_WORDS else "")
        shape = re.sub(r"[\d\W]+", " ", text)[:80]
        if kept and shape not in found:
            times = f" ({fact.count} times)" if fact.count > 1 else ""
            found[shape] = f"Evidence: {kept}{times}"
    return list(found.values())[:QUOTES]


def _slots(hypothesis: Hypothesis, graph: EvidenceGraph) -> Iterable[tuple[str, str]]:
    """Values by slot; of several for the same slot the first stands, so this yields the last first."""
    entity = hypothesis.entity
    states = [str(fact.value) for fact in graph.facts(entity, "status.*.*.state.waiting.reason")]
    found = [pair for fact in reversed(decisive(hypothesis)) for pair in fact.params]
    found += [("quote", _message(fact.value)) for fact in reversed(hypothesis.triggers) if isinstance(fact.value, str)]
    found += [("state", state) for state in states if state not in STARTING]
    kind = "" if entity.kind == "workload" else f"{entity.kind.capitalize()} "
    subject = f"{UNKNOWN} {entity.name}" if entity.kind == "source" else f"{kind}{entity.name}"
    return [
        *found,
        ("name", entity.name),
        ("kind", entity.kind),
        ("namespace", entity.namespace),
        ("subject", subject),
        ("workload", graph.owner(entity).name),
        ("log", _file(entity.name) if entity.kind == "source" else ""),
    ]


def _file(name: str) -> str:
    """A source's file as an argument of a command: one word to a shell, and to no program an option."""
    last = PurePosixPath(name).name
    return shlex.quote(f"./{last}" if last.startswith("-") else last)


def _message(line: str) -> str:
    """What a line says: of a JSON record the message, else all of it."""
    found = _JSON_MESSAGE.search(line) if line.startswith("{") else None
    return found[1].replace('\\"', '"') if found else line


def _value(entity: Entity, attribute: str, graph: EvidenceGraph) -> str:
    near = graph.distances([entity], NEAR)
    for other in sorted(near, key=lambda e: (near[e], e)):
        for fact in graph.facts(other, attribute):
            if fact.value not in (None, ""):
                return str(fact.value)
    return ""


def _range(values: Sequence[str]) -> str:
    """The smallest and largest of the numbers, to a tenth: the claims hold them as they were written."""
    numbers = sorted({round(float(value), 1) for value in values if re.fullmatch(r"\d{1,12}(\.\d+)?", value)})
    if not numbers:
        return ""
    first, last = f"{numbers[0]:g}", f"{numbers[-1]:g}"
    return first if first == last else f"{first} to {last}"

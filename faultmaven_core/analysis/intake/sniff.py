"""What a source is, told from its content; the name is no proof."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.extract.call_graph import is_call_graph
from faultmaven_core.analysis.extract.metrics_csv import is_metrics
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.prometheus import is_exposition
from faultmaven_core.analysis.intake import text_forms
from faultmaven_core.analysis.intake.commands import is_transcript, printed_by

HEAD_LINES = 200
"""Lines that are looked at; a section of a transcript is told by the same code."""

SURE = 0.6
"""Confidence below which other kinds are suggested to the person."""

_DESCRIBED = re.compile(r"Name: +\S+")
_FIELD = re.compile(r"[A-Z][\w -]*: {2,}\S")
_TABLE = re.compile(r"(?:NAMESPACE|NAME|LAST SEEN|CLASS)\s{2,}[A-Z]\S.*")
_POD_ROW = re.compile(r"(?:[a-z0-9][\w.-]*\s{2,})?[a-z0-9][\w.-]*\s{2,}\d+/\d+\s{2,}[A-Z][\w:/.-]*\s{2,}\d+.*")
_TOP = re.compile(r"(?:NAMESPACE\s+)?(?:POD\s+)?NAME\s+CPU\(cores\)\s+.*MEMORY\(bytes\).*")
_API_VERSION = re.compile(r"(?:- )?\s{0,4}apiVersion: *[\"']?[\w./-]+")
_OBJECT_KIND = re.compile(r"(?:- )?\s{0,4}kind: *[\"']?[A-Z]\w+")
_OPENING = re.compile(
    r"\ufeff?(?:\{\s*(?:\"|\}|$)|\[\s*(?:[\[{\]\"]|$|(?:-?\d[\d.eE+-]*|true|false|null)\s*(?:,|\]\s*(?:,|$)|$)))"
)


@dataclass(frozen=True, slots=True)
class Guess:
    """A kind, how sure that is (0 to 1), and the next best kinds where it is not sure."""

    kind: str
    confidence: float
    suggestions: tuple[str, ...] = ()


Rule = Callable[[Sequence[str]], float]


def described(lines: Sequence[str]) -> float:
    """The text of `kubectl describe`."""
    named = any(_DESCRIBED.match(line) for line in lines[:5])
    return 0.95 if named and sum(bool(_FIELD.match(line)) for line in lines[:60]) >= 3 else 0.0


def table(lines: Sequence[str]) -> float:
    """A table of `kubectl get`, with its header or rows of pods alone."""
    full = [line.rstrip() for line in lines if line.strip()][:20]
    if full and _TABLE.fullmatch(full[0]) and full[0].isupper():
        return 0.9
    rows = sum(bool(_POD_ROW.fullmatch(line)) for line in full)
    return 0.8 if rows and rows >= len(full) - 1 else 0.0


def top(lines: Sequence[str]) -> float:
    """A table of `kubectl top`."""
    return 0.95 if any(_TOP.fullmatch(line.rstrip()) for line in lines[:3]) else 0.0


def manifest(lines: Sequence[str]) -> float:
    """Kubernetes objects as YAML."""
    objects = any(_API_VERSION.match(line) for line in lines) and any(_OBJECT_KIND.match(line) for line in lines)
    return 0.9 if objects and not lines[0].lstrip().startswith(("{", "[{")) else 0.0


def json_document(lines: Sequence[str]) -> float:
    """One JSON document; lines that are documents of their own are a log."""
    full = [line.strip() for line in lines if line.strip()][:3]
    if not full or not full[0].lstrip("\ufeff").startswith(("{", "[")):
        return 0.0
    if _is_object(full[0]) and len(full) > 1:
        return 0.0 if full[1].startswith("{") else 0.3
    return 0.9 if _OPENING.match(full[0]) else 0.0


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def dump(lines: Sequence[str]) -> float:
    """The one file of `kubectl cluster-info dump`: a list of nodes first, or the frame of a log."""
    first = next(line for line in lines if line.strip()).rstrip()
    if first.startswith("==== START logs for container "):
        return 1.0
    return 1.0 if first == "{" and any(re.match(r'\s{2,4}"kind": "NodeList"', line) for line in lines) else 0.0


def metrics_table(lines: Sequence[str]) -> float:
    """Separated values with a time per row."""
    return 0.9 if is_metrics(lines) else 0.0


def calls(lines: Sequence[str]) -> float:
    """Who calls whom, as edges or as a matrix."""
    return 0.85 if is_call_graph(lines) else 0.0


def exposition(lines: Sequence[str]) -> float:
    """What a Prometheus target prints."""
    return 0.95 if is_exposition(lines) else 0.0


RULES: tuple[tuple[str, Rule], ...] = (
    ("cluster_dump", dump),
    ("transcript", is_transcript),
    ("kubectl_describe", described),
    ("kubectl_top", top),
    ("kubectl_get", table),
    ("kubernetes_manifest", manifest),
    ("json", json_document),
    ("metrics_csv", metrics_table),
    ("call_graph", calls),
    ("prometheus_text", exposition),
    ("diff", text_forms.diff),
    ("structured_config", text_forms.config),
    ("source_code", text_forms.code),
    ("document", text_forms.prose),
    ("log", text_forms.log),
)
"""The first of the surest wins. A rule is given the first lines, at least one of them not blank."""


def sniff(passage: Passage, command: str = "") -> Guess:
    """The kind of extractor that reads this passage; `command` is what printed it, where known."""
    lines = passage.part(0, min(HEAD_LINES, passage.end - passage.first)).lines
    if not any(line.strip() for line in lines):
        return Guess("log", SURE)
    hinted = printed_by(command)
    scores = sorted(
        ((min(1.0, rule(lines) + (0.5 if kind == hinted else 0.0)), kind) for kind, rule in RULES),
        key=lambda score: -score[0],  # stable: the order of the rules breaks ties
    )
    confidence, kind = scores[0]
    others = tuple(kind for score, kind in scores[1:4] if score > 0)
    return Guess(kind, confidence, () if confidence >= SURE else others)


def kind_of(passage: Passage, command: str = "") -> str:
    """The surest kind."""
    return sniff(passage, command).kind

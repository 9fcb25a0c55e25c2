"""Which extractor reads which kind of source, and the rule for content that is not what it seemed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from faultmaven_core.analysis.extract.call_graph import call_graph
from faultmaven_core.analysis.extract.change_text import read_diff
from faultmaven_core.analysis.extract.cluster_dump import cluster_dump
from faultmaven_core.analysis.extract.json_documents import json_document
from faultmaven_core.analysis.extract.kubectl_describe import describe
from faultmaven_core.analysis.extract.kubectl_get import get
from faultmaven_core.analysis.extract.kubectl_top import top
from faultmaven_core.analysis.extract.kubernetes_manifest import manifest
from faultmaven_core.analysis.extract.log import log
from faultmaven_core.analysis.extract.metrics_csv import metrics_csv
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.prometheus import prometheus_text
from faultmaven_core.analysis.extract.settings_text import read_settings
from faultmaven_core.analysis.extract.tools import Extractor, Findings
from faultmaven_core.analysis.extract.transcript import sections
from faultmaven_core.analysis.intake.commands import subject_of
from faultmaven_core.analysis.intake.sniff import kind_of
from faultmaven_core.shared.errors import InvalidInputError

TRANSCRIPT = "transcript"
"""The kind that is cut into sections, each read by the extractor of its own kind."""

EXTRACTORS: Mapping[str, Extractor] = {
    "call_graph": call_graph,
    "cluster_dump": cluster_dump,
    "diff": read_diff,
    "document": log,
    "json": json_document,
    "kubectl_describe": describe,
    "kubectl_get": get,
    "kubectl_top": top,
    "kubernetes_manifest": manifest,
    "log": log,
    "metrics_csv": metrics_csv,
    "prometheus_text": prometheus_text,
    "source_code": log,
    "structured_config": read_settings,
}
"""Prose and code are read as lines: what a signature knows, it knows there too, and nothing else is claimed of them."""


def read_as(kind: str, passage: Passage, out: Findings) -> None:
    """Everything that a passage of a kind says; one that its extractor refuses is read as plain lines, and that is said."""
    if kind == TRANSCRIPT:
        _transcript(passage, out)
        return
    try:
        EXTRACTORS[kind](passage, out)
    except (InvalidInputError, ValueError) as error:
        # ValueError: a number of thousands of digits, which int() refuses, in a place where any kind may have a number.
        why = str(error).rstrip(".") if isinstance(error, InvalidInputError) else "a value is beyond what can be read"
        out.problems.append(f"{out.origin.name}: {why}; its lines were read as plain text.")
        log(passage, out)


def _transcript(passage: Passage, out: Findings) -> None:
    """Each section like a file of its own, on whose behalf its command speaks; one in another is read as lines."""
    for section in sections(passage, out.command):
        part = passage.part(section.first, section.end)
        kind = kind_of(part, section.command)
        origin = subject_of(section.command) or out.origin
        inner = replace(out, origin=origin, command=section.command)  # its lists are those of `out`
        read_as("log" if kind == TRANSCRIPT else kind, part, inner)
        out.coverage = inner.coverage

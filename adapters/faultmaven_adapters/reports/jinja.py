"""Reports by Jinja2: HTML that escapes everything by itself, Markdown by an explicit filter."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from importlib import resources
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from faultmaven_adapters.reports.charts import metric_chart, timeline_chart
from faultmaven_core.ports.report_renderer import Exhibits, ReportForm, ReportRenderer

VERDICTS = {
    "confirmed": "Confirmed",
    "probable": "Probable cause",
    "suspected": "Suspected cause",
    "insufficient_evidence": "Insufficient evidence",
    "healthy": "Healthy",
}
NO_GUIDANCE: Mapping[str, Any] = MappingProxyType({"runbooks": (), "remedies": (), "similar": (), "notes": ()})
TIMELINE_ENTRIES, TIMELINE_HEAD = 60, 12
"""Entries of the timeline that a report lists, and those that it lists unfolded; the chart shows all."""


class JinjaReportRenderer(ReportRenderer):
    """HTML without scripts, fonts or images from anywhere, under a policy that would refuse them; and Markdown."""

    def render(
        self,
        record: Mapping[str, Any],
        exhibits: Exhibits,
        form: ReportForm,
        guidance: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        """See the port."""
        values = _values(record, exhibits) | {"known": _known(guidance)}
        if form is ReportForm.MARKDOWN:
            return self._markdown.get_template("report.md.jinja").render(values)
        style = _asset("report.css")
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        return self._html.get_template("report.html.jinja").render(values, style=style, style_digest=digest)

    @cached_property
    def _html(self) -> Environment:
        environment = _environment(autoescape=True)
        environment.filters["prose"] = prose
        return environment

    @cached_property
    def _markdown(self) -> Environment:
        environment = _environment(autoescape=False)
        environment.filters["md"] = markdown_text
        environment.filters["fenced"] = fenced
        return environment


def prose(text: object) -> str:
    """Our own sentences as HTML: everything is escaped, then what stands between backticks becomes code."""
    return re.sub(r"`([^`\n]{1,200})`", r"<code>\1</code>", escape(str(text)))


def markdown_text(text: object) -> str:
    """Text that Markdown shows as it is, on one line: whatever could be markup or HTML is escaped."""
    line = " ".join(_plain(text).split())
    escaped = re.sub(r"([\\`*_{}\[\]()#+|~!-])", r"\\\1", line)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fenced(text: object) -> str:
    """Text as a block of code, whose fence is longer than any run of backticks within."""
    shown = _plain(text)
    runs = [len(run) for run in re.findall(r"`+", shown)]
    fence = "`" * max(3, 1 + max(runs, default=0))
    return f"{fence}text\n{shown}\n{fence}"


def _plain(text: object) -> str:
    """Text without characters that steer a terminal: Markdown is read there as well."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in str(text))


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=FunctionLoader(_asset),
        autoescape=autoescape,  # noqa: S701 - on for HTML; Markdown has none, its filters escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _asset(name: str) -> str:
    return resources.files("faultmaven_adapters.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _values(record: Mapping[str, Any], exhibits: Exhibits) -> dict[str, Any]:
    hypotheses = record["hypotheses"]
    lead = next((h for h in hypotheses if h["status"] == "leading"), None)
    timeline = _around_deviation(record["timeline"], TIMELINE_ENTRIES)
    shown = {name for excerpt in exhibits.excerpts for line in excerpt.lines for name in line.claims}
    return {
        "record": record,
        "cause": record["root_cause"],
        "lead": lead,
        "others": [h for h in hypotheses if h["status"] == "open"],
        "verdict": VERDICTS[record["verdict"]],
        "claims": {claim["id"]: claim for claim in record["claims"]},
        "shown": shown,
        "short": _short_names(record),
        "verified": sum(claim["status"] == "verified" for claim in record["claims"]),
        "timeline": timeline,
        "timeline_head": _around_deviation(timeline, TIMELINE_HEAD),
        "timeline_chart": timeline_chart(record["timeline"]),
        "charts": [metric_chart(chart) for chart in exhibits.charts],
        "files": _by_file(exhibits),
        "first_shown": _first_lines(exhibits),
    }


def _known(guidance: Mapping[str, Any]) -> dict[str, Any]:
    known = {**NO_GUIDANCE, **guidance}
    return {**known, "remedies": {remedy["action"]: remedy["citations"] for remedy in known["remedies"]}}


def _short_names(record: Mapping[str, Any]) -> dict[str, str]:
    """The last part of each file's path where that is unique, else the whole path."""
    files = {source["file"] for source in record["coverage"]}
    files |= {citation["file"] for claim in record["claims"] for citation in claim["citations"]}
    last = {file: re.split(r"[/!]", file)[-1] for file in files}
    count = Counter(last.values())
    return {file: name if name and count[name] == 1 else file for file, name in last.items()}


def _around_deviation(timeline: Sequence[Mapping[str, Any]], most: int) -> Sequence[Mapping[str, Any]]:
    """At most this many neighbouring entries: a few before the first deviation, the rest from it on."""
    first = next((i for i, entry in enumerate(timeline) if entry["first_deviation"]), 0)
    start = max(0, min(first - most // 4, len(timeline) - most))
    return timeline[start : start + most]


def _by_file(exhibits: Exhibits) -> list[tuple[str, list[Any]]]:
    files: dict[str, list[Any]] = {}
    for excerpt in exhibits.excerpts:
        files.setdefault(excerpt.file, []).append(excerpt)
    return list(files.items())


def _first_lines(exhibits: Exhibits) -> dict[tuple[str, int], list[str]]:
    """For each line, the claims whose anchor stands there: an id may occur once in a page."""
    seen: set[str] = set()
    anchors: dict[tuple[str, int], list[str]] = {}
    for excerpt in exhibits.excerpts:
        for line in excerpt.lines:
            fresh = [name for name in line.claims if name not in seen]
            seen.update(fresh)
            anchors[excerpt.sha256, line.number] = fresh
    return anchors

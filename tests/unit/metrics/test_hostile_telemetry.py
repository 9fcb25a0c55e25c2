"""Whatever JSON, table or exposition says: facts or a sentence, never a failure, and always within the file."""

from __future__ import annotations

import json
import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultmaven_core.analysis.extract.extractors import read_as
from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.extract.tools import Findings, Tools
from faultmaven_core.analysis.model import Entity
from faultmaven_core.analysis.signals.metric_anomalies import metric_facts

KEYS = st.sampled_from(
    [
        "alerts",
        "status",
        "state",
        "labels",
        "annotations",
        "data",
        "result",
        "resultType",
        "metric",
        "values",
        "timestamps",
        "datapoints",
        "points",
        "value",
        "Values",
        "time",
        "timestamp",
        "message",
        "level",
        "tags",
        "events",
        "date",
        "top_sql",
        "top_wait_events",
        "name",
        "statement",
        "db_load_avg",
        "wait_events",
        "series",
        "Dimensions",
        "monitors",
        "overall_state",
        "logs",
        "incident",
        "edges",
        "source",
        "target",
        "host",
        "pod",
        "kind",
        "metadata",
        "items",
        "pods",
        "db_load",
    ]
)
LEAVES = st.sampled_from(
    [
        "",
        "x",
        "firing",
        "OK",
        "matrix",
        "2026-01-01T00:00:00Z",
        "1e400",
        "-1",
        "error",
        "a:b",
        "\n\n",
        "NaN",
        "CPU",
        "Pod",
    ]
) | st.sampled_from([None, True, 0, -5, 1_700_000_000, 1.5, 1e300, 10**17])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
CELLS = st.sampled_from(
    ["time", "metric", "value", "pod", "cpu", "", "1700000000", "2026-01-01", "1", "nan", "inf", '"', "x\ny", "web"]
)
SAMPLES = st.sampled_from(
    [
        'up{a="b"} 1',
        "up 1e400",
        "x{ 1",
        "# TYPE up gauge",
        "lag 3 1700000000000",
        "lag 4 99999999999999",
        "{} 1",
        "up +Inf",
        "up 1.2.3",
    ]
)


def check(kind: str, text: str, tools: Tools) -> None:
    """Read, judge, and look at every span."""
    data = text.encode()
    passage = SourceText(data).passage()
    out = Findings(tools, Entity("source", "file"))
    read_as(kind, passage, out)
    measured = metric_facts(out.series)
    last = len(passage.source.starts)
    for fact in (*out.facts, *measured):
        assert fact.attribute
        assert not isinstance(fact.value, float) or math.isfinite(fact.value)
        for span in fact.spans:
            assert 0 <= span.start <= span.end <= len(data)
            assert 1 <= span.first_line <= span.last_line <= last
    assert all(sentence.strip() for sentence in out.problems)


@given(value=VALUES, indent=st.sampled_from([None, 1]))
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_read_without_failure(tools: Tools, value: object, indent: int | None) -> None:
    """Shapes of all products, mixed up."""
    check("json", json.dumps(value, indent=indent), tools)


@given(rows=st.lists(st.lists(CELLS, max_size=5), max_size=8), kind=st.sampled_from(["metrics_csv", "call_graph"]))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_is_read_without_failure(tools: Tools, rows: list[list[str]], kind: str) -> None:
    """Ragged, empty, quoted wrongly."""
    check(kind, "\n".join(",".join(row) for row in rows), tools)


@given(lines=st.lists(SAMPLES, max_size=8))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_exposition_is_read_without_failure(tools: Tools, lines: list[str]) -> None:
    """Broken labels, infinities, times out of range."""
    check("prometheus_text", "\n".join(lines), tools)

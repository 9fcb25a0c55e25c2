"""What a report shows of the evidence: the cited lines, whole and numbered right, and no secret."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.claims.ledger import ReadSpan
from faultmaven_core.analysis.exhibits import (
    CLAIMS,
    CONTEXT,
    LONGEST_CITATION,
    charts_of,
    excerpts_of,
    exhibits_of,
    redacted,
)
from faultmaven_core.analysis.model import (
    Anomaly,
    Category,
    Entity,
    Extraction,
    Numbers,
    Places,
    Role,
    Series,
    Source,
    Span,
    Verdict,
)
from faultmaven_core.analysis.record import (
    Citation,
    ClaimView,
    EntityView,
    Finding,
    HypothesisView,
    PredictionView,
    Producer,
    RcaRecord,
    SourceCoverage,
)
from faultmaven_core.ports.report_renderer import Excerpt, ExcerptLine, Exhibits
from faultmaven_core.shared.errors import CorruptDataError, NotFoundError


def _record(data: bytes, *cited: tuple[int, int]) -> RcaRecord:
    """A record whose claims cite these lines (from 1, inclusive) of `app.log`."""
    digest = hashlib.sha256(data).hexdigest()
    lines = data.split(b"\n")
    claims = []
    for number, (first, last) in enumerate(cited, 1):
        start = sum(len(line) + 1 for line in lines[: first - 1])
        end = start + len(b"\n".join(lines[first - 1 : last]))
        text = hashlib.sha256(data[start:end]).hexdigest()
        citation = Citation("app.log", digest, (start, end), (first, last), text)
        claims.append(ClaimView(f"c{number}", f"claim {number}", "observed", "verified", (citation,)))
    coverage = SourceCoverage("app.log", digest, "log", "incident", len(data), len(lines), "", "", ())
    findings = (Finding("symptom", "error", EntityView("pod", "a", ""), "it fails", ("c1",)),) if cited else ()
    none: tuple[()] = ()
    return RcaRecord(
        "rca-record/1",
        "case_0123456789ab",
        "",
        Verdict.INSUFFICIENT_EVIDENCE,
        None,
        none,
        findings,
        none,
        tuple(claims),
        none,
        none,
        none,
        (coverage,),
        Producer("0", "analyst"),
    )


def _reader(data: bytes) -> ReadSpan:
    return lambda span: data[span.start : span.end]


TEN = b"\n".join(b"line %d" % n for n in range(1, 11)) + b"\n"


def test_excerpt_shows_the_cited_line_amid_its_neighbours() -> None:
    """Two lines before and after, so that a reader sees where it stands."""
    (excerpt,) = excerpts_of(_record(TEN, (5, 5)), _reader(TEN))
    assert [(line.number, line.text) for line in excerpt.lines] == [(n, f"line {n}") for n in range(3, 8)]
    assert [line.number for line in excerpt.lines if line.claims] == [5]


def test_excerpts_that_touch_are_one() -> None:
    """No line is shown twice, and each says which claims cite it."""
    (excerpt,) = excerpts_of(_record(TEN, (4, 4), (7, 8), (4, 4)), _reader(TEN))
    assert [line.number for line in excerpt.lines] == list(range(2, 11))
    assert excerpt.lines[2].claims == ("c1", "c3")


def test_excerpts_far_apart_stay_apart() -> None:
    """A gap between line numbers is a gap on the page."""
    data = b"\n".join(b"%d" % n for n in range(1, 41))
    first, second = excerpts_of(_record(data, (1, 1), (40, 40)), _reader(data))
    assert [line.number for line in first.lines] == [1, 2, 3]
    assert [line.number for line in second.lines] == [38, 39, 40]


def test_long_citation_is_cut() -> None:
    """A cited object of hundreds of lines does not fill the report."""
    data = b"\n".join(b"%d" % n for n in range(1, 301))
    (excerpt,) = excerpts_of(_record(data, (10, 290)), _reader(data))
    assert len(excerpt.lines) == CONTEXT + LONGEST_CITATION


def test_endless_line_is_cut_in_width() -> None:
    """One line of a megabyte is shown by its beginning."""
    data = b"x" * 1_000_000
    (excerpt,) = excerpts_of(_record(data, (1, 1)), _reader(data))
    assert len(excerpt.lines[0].text) < 700


@given(
    st.lists(
        st.binary(max_size=9).map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b"")), min_size=1, max_size=60
    ),
    st.data(),
)
def test_every_line_shown_is_that_line_of_the_source(lines: list[bytes], pick: st.DataObject) -> None:
    """Whatever is cited, numbers and texts agree with the source."""
    data = b"\n".join(lines)
    first = pick.draw(st.integers(1, len(lines)))
    last = pick.draw(st.integers(first, len(lines)))
    shown = [line for excerpt in excerpts_of(_record(data, (first, last)), _reader(data)) for line in excerpt.lines]
    assert {line.number for line in shown} >= set(range(first, min(last, first + LONGEST_CITATION - 1) + 1))
    for line in shown:
        assert line.text == lines[line.number - 1].decode("utf-8", "replace")
        assert bool(line.claims) == (first <= line.number <= last)


def test_vanished_and_changed_sources_are_named() -> None:
    """The report says why there is no excerpt instead of leaving it out."""
    for failure in (NotFoundError("app.log is gone."), CorruptDataError("app.log has changed.")):

        def read(_: Span, failure: Exception = failure) -> bytes:
            raise failure

        (excerpt,) = excerpts_of(_record(TEN, (5, 5)), read)
        assert excerpt.lines == ()
        assert excerpt.problem == str(failure)


def _series(values: list[float]) -> Series:
    count = len(values)
    spots = Numbers.of(range(count))
    places = Places("a" * 64, spots, spots, spots, spots)
    times = Numbers.of(60.0 * n for n in range(count))
    return Series(Entity("service", "cart"), "latency", "ms", times, Numbers.of(values), places)


def test_chart_keeps_spikes_of_long_series() -> None:
    """Thinning keeps the lowest and the highest point of each stretch."""
    values = [1.0] * 5000
    values[3333] = 99.0
    anomaly = Anomaly(
        Entity("service", "cart"), "latency", "up", 60.0 * 3333, None, 9, "self", 1, 99, 60.0 * 3333, 1, "ms",
        hurts=True, sentence="latency rose", spans=(),
    )  # fmt: skip
    (chart,) = charts_of([anomaly, replace(anomaly, score=3.0)], [_series(values)])
    assert len(chart.points) <= 302
    assert max(value for _, value in chart.points) == 99.0
    assert [when for when, _ in chart.points] == sorted(when for when, _ in chart.points)
    assert chart.onset == 60.0 * 3333


def test_metrics_that_did_not_move_get_no_chart() -> None:
    """A report shows what matters, whatever else was measured; a baseline is never the incident."""
    source = Source("m.csv", "a" * 64, 9, "metrics_csv", Role.INCIDENT)
    calm = Extraction(source, series=(_series([5.0] * 100),))
    moved = Extraction(replace(source, role=Role.BASELINE), series=(_series([5.0] * 50 + [900.0] * 50),))
    assert exhibits_of(_record(TEN), _reader(TEN), [calm, moved]).charts == ()


def test_series_without_numbers_gets_no_chart() -> None:
    """Gaps are no points, and one point is no line."""
    anomaly = Anomaly(
        Entity("service", "cart"), "latency", "up", 0.0, None, 9, "self", 1, 99, 0.0, 1, "ms",
        hurts=True, sentence="latency rose", spans=(),
    )  # fmt: skip
    assert charts_of([anomaly], [_series([float("nan")] * 9 + [1.0])]) == ()
    assert charts_of([anomaly], []) == ()


def test_evidence_of_the_cause_comes_first() -> None:
    """Where not every claim gets an excerpt, those of the leading explanation do."""
    data = b"\n".join(b"%d" % n for n in range(1, 4001))
    record = _record(data, *((40 * n, 40 * n) for n in range(1, 100)))
    pod = EntityView("pod", "a", "")
    prediction = PredictionView("it fails", "met", ("c98",))
    leading = HypothesisView(1, pod, Category.UNKNOWN, "m", "It broke.", 0.7, "leading", (prediction,), ("c99",))
    shown = excerpts_of(replace(record, hypotheses=(leading,)), _reader(data))
    cited = {name for excerpt in shown for line in excerpt.lines for name in line.claims}
    assert {"c99", "c98", "c1", "c78"} <= cited
    assert len(cited) == CLAIMS


def test_redaction_masks_record_and_excerpts_alike() -> None:
    """A secret has one placeholder, wherever it stands; a private key hides each of its lines."""
    record = _record(TEN, (5, 5))
    record = replace(record, question="why does postgres://app:s3cr3t-Pa55@db/shop fail")
    key = [
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIEpAIBAAKCAQEA3Tz2mr7SZiAMfQyuvBjM9Oi",
        "-----END RSA PRIVATE KEY-----",
    ]
    texts = ["cannot reach postgres://app:s3cr3t-Pa55@db/shop", *key, "done"]
    lines = tuple(ExcerptLine(number, text, ()) for number, text in enumerate(texts, 1))
    masked, exhibits, _ = redacted(record, Exhibits((Excerpt("app.log", "a" * 64, lines),)), None)
    shown = [line.text for line in exhibits.excerpts[0].lines]
    assert "s3cr3t" not in masked.question + "".join(shown)
    placeholder = masked.question.removeprefix("why does ").removesuffix(" fail")
    assert shown[0] == f"cannot reach {placeholder}"
    assert shown[1:4] == ["[redacted:private-key]"] * 3
    assert shown[4] == "done"

"""Reports: everything a reader needs is there, and nothing from the evidence becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_adapters.reports.charts import metric_chart, timeline_chart
from faultmaven_adapters.reports.jinja import JinjaReportRenderer, fenced, markdown_text
from faultmaven_core.ports.report_renderer import Chart, Exhibits, ReportForm


class Page(HTMLParser):
    """The tags, attributes and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the tag says."""
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.words += data


@pytest.fixture
def page(record: dict[str, Any], exhibits: Exhibits) -> Page:
    return Page(JinjaReportRenderer().render(record, exhibits, ReportForm.HTML))


def test_hostile_text_in_every_field_stays_text(page: Page) -> None:
    """No script, no image and no handler can come from evidence; the reader still sees what the text says."""
    assert not page.tags & {"script", "img", "iframe", "object", "link", "form"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert page.words.count("<script>alert(1)</script>") > 20
    assert "{{7*7}}" in page.words


def test_page_refers_to_nothing_but_its_own_anchors(page: Page) -> None:
    """One file, no outside request: every link leads within the page, to a place that exists once."""
    links = [value for name, value in page.attributes if name in ("href", "src", "srcset", "action", "xlink:href")]
    assert links
    assert all(link.startswith("#") for link in links)
    assert {link[1:] for link in links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_policy_forbids_what_the_page_does_not_need(record: dict[str, Any], exhibits: Exhibits) -> None:
    """The style's digest is right, so that a browser which enforces the policy still shows the style."""
    import base64
    import hashlib

    html = JinjaReportRenderer().render(record, exhibits, ReportForm.HTML)
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in html.replace("&#39;", "'")
    assert "url(" not in style
    assert "@import" not in style


def test_page_tells_verdict_cause_proof_checks_and_coverage(page: Page) -> None:
    """The parts that a reader looks for, in the reader's words."""
    for part in ("Probable cause", "86 % confidence", "checkout.log:12", "Would confirm", "Would refute", "Ruled out"):
        assert part in page.words
    for part in ("First deviation.", "Next checks", "pool.yaml is gone.", "It ends early.", "rose from 4 to 10"):
        assert part in page.words


@pytest.mark.parametrize("verdict", ["healthy", "insufficient_evidence"])
def test_report_without_a_cause_says_so(record: dict[str, Any], verdict: str) -> None:
    """A record that abstains has no cause, no proof and no chart, and is still a whole page."""
    bare = {**record, "verdict": verdict, "root_cause": None, "hypotheses": [], "timeline": [], "claims": []}
    bare |= {"findings": [], "ruled_out": [], "evidence_needs": [], "actions": []}
    for form in ReportForm:
        text = JinjaReportRenderer().render(bare, Exhibits(), form)
        assert "Nothing abnormal" in text if verdict == "healthy" else "does not decide" in text


def test_same_record_gives_the_same_bytes(record: dict[str, Any], exhibits: Exhibits) -> None:
    """Reports can be compared and cached."""
    for form in ReportForm:
        assert JinjaReportRenderer().render(record, exhibits, form) == JinjaReportRenderer().render(
            record, exhibits, form
        )


def test_markdown_holds_no_html_of_the_evidence(record: dict[str, Any], exhibits: Exhibits) -> None:
    """Outside blocks of code, no tag is left for a Markdown viewer to run."""
    text = JinjaReportRenderer().render(record, exhibits, ReportForm.MARKDOWN)
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)
    assert "<script" not in outside
    assert "<img" not in outside
    assert "Probable cause" in outside


@given(st.text(alphabet="`~ab\n<", max_size=60))
def test_fence_is_longer_than_any_run_of_backticks_within(text: str) -> None:
    """No text can close its own block of code."""
    fence = fenced(text).partition("text\n")[0]
    assert fence not in text
    assert set(fence) == {"`"}


@given(st.text(max_size=80))
def test_escaped_markdown_is_one_line_without_tags(text: str) -> None:
    """Inline text cannot open a tag, a list or a heading."""
    shown = markdown_text(text)
    assert "\n" not in shown
    assert "<" not in shown
    assert not shown.startswith(("#", "- ", "* ", "> "))


@given(
    st.lists(
        st.tuples(st.floats(0, 4e9), st.floats(allow_nan=False, allow_infinity=False, width=32)),
        min_size=1,
        max_size=40,
    ),
    st.none() | st.floats(0, 4e9),
)
def test_metric_chart_stays_within_its_box(points: list[tuple[float, float]], onset: float | None) -> None:
    """Whatever the numbers, the line is drawn inside the chart."""
    drawn = metric_chart(Chart("m", "ms", tuple(sorted(points)), onset))
    for pair in drawn.polyline.split():
        x, y = map(float, pair.split(","))
        assert 0 <= x <= 600
        assert 0 <= y <= 100
    assert drawn.onset is None or 0 <= drawn.onset <= 600


def test_timeline_of_one_moment_needs_no_chart(record: dict[str, Any]) -> None:
    """A chart needs two moments; a list is enough for one."""
    assert timeline_chart(record["timeline"][:1]) is None
    chart = timeline_chart(record["timeline"])
    assert chart is not None
    assert [dot.first_deviation for dot in chart.dots].count(True) == 1
    assert all(0 <= tick.x <= 100 for tick in chart.ticks)


def test_markdown_cannot_steer_a_terminal(record: dict[str, Any], exhibits: Exhibits) -> None:
    """People read Markdown with `cat`; escape sequences of evidence must not arrive there."""
    record["claims"][0]["text"] = "\x1b]0;owned\x07\x1b[2J red"
    record["root_cause"]["statement"] = "\x1b[31mred\x9b0m"
    text = JinjaReportRenderer().render(record, exhibits, ReportForm.MARKDOWN)
    assert all(character.isprintable() or character in "\n\t" for character in text)

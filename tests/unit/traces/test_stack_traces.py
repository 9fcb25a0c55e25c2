"""Stack traces of four languages: what was thrown, what caused it, and where in the application's own code."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven_core.analysis.extract.stack_traces import Trace, add_exceptions, traces
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Span

PYTHON = """\
2026-01-01 10:00:00,123 ERROR worker failed
Traceback (most recent call last):
  File "/app/shop/db.py", line 12, in load
    return rows[0]
           ~~~~^^^
IndexError: list index out of range

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/shop/view.py", line 40, in show
    item = load()
  File "/usr/lib/python3.11/site-packages/web/handler.py", line 9, in call
    raise
shop.errors.NotFound: no such item: 7
2026-01-01 10:00:01,000 INFO next
"""
JAVA = """\
2026-01-01T10:00:00Z ERROR [main] o.s.Shop - Exception in thread "main" java.lang.IllegalStateException: cannot pay
\tat org.springframework.web.Dispatcher.run(Dispatcher.java:88)
\tat com.shop.Pay.charge(Pay.java:42)
\t... 7 more
Caused by: java.sql.SQLException: Connection is closed
\tat com.zaxxer.hikari.Pool.get(Pool.java:10)
\tat com.shop.Db.open(Db.java:17)
\t... 9 common frames omitted
2026-01-01T10:00:01Z INFO next
"""
GO = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1]

goroutine 1 [running]:
runtime.gopanic(0x1)
\t/usr/local/go/src/runtime/panic.go:884 +0x212
main.(*Cart).Total(0x0)
\t/src/cart/cart.go:31 +0x1d
main.main()
\t/src/cart/main.go:9 +0x20
exit status 2
"""
NODE = """\
TypeError: Cannot read properties of undefined (reading 'id')
    at Object.next (node:internal/process:12:3)
    at checkout (/app/src/checkout.js:21:17)
    at async /app/src/server.js:5:1
done
"""


def only(text: str) -> Trace:
    found = list(traces(text.splitlines()))
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("text", "surface", "root", "frame", "function", "lines"),
    [
        (
            PYTHON,
            "shop.errors.NotFound",
            ("IndexError", "list index out of range"),
            "/app/shop/db.py:12",
            "load",
            (1, 15),
        ),
        (
            JAVA,
            "java.lang.IllegalStateException",
            ("java.sql.SQLException", "Connection is closed"),
            "Db.java:17",
            "com.shop.Db.open",
            (0, 8),
        ),
        (
            GO,
            "panic",
            ("panic", "runtime error: invalid memory address or nil pointer dereference"),
            "/src/cart/cart.go:31",
            "main.(*Cart).Total",
            (0, 10),
        ),
        (
            NODE,
            "TypeError",
            ("TypeError", "Cannot read properties of undefined (reading 'id')"),
            "/app/src/checkout.js:21",
            "checkout",
            (0, 4),
        ),
    ],
    ids=["python", "java", "go", "javascript"],
)
def test_the_chain_ends_at_the_root_and_the_frame_is_the_applications_own(
    text: str, surface: str, root: tuple[str, str], frame: str, function: str, lines: tuple[int, int]
) -> None:
    """Frames of runtimes and libraries tell less than the code that people can change."""
    trace = only(text)
    assert trace.links[0][0] == surface
    assert trace.links[-1] == root
    assert trace.frame is not None
    assert (str(trace.frame), trace.frame.function) == (frame, function)
    assert (trace.first, trace.end) == lines


def test_a_prefix_that_the_logger_puts_before_every_line_is_seen_through() -> None:
    """As container runtimes and syslog do."""
    lines = PYTHON.splitlines()[1:6]
    trace = only("\n".join("app | " + line for line in lines))
    assert trace.links == [("IndexError", "list index out of range")]


@pytest.mark.parametrize(
    "text",
    [
        "Traceback (most recent call last):\n",
        "java.lang.Exception: alone\nnothing\n",
        "panic: at the disco\n",
        "Error: x\n",
    ],
)
def test_words_alone_are_no_trace(text: str) -> None:
    """Without frames there is nothing to point at."""
    assert list(traces(text.splitlines())) == []


def test_a_trace_without_a_frame_in_a_file_has_none() -> None:
    """Native methods stand nowhere."""
    assert only("Error: java.lang.RuntimeException: x\n\tat a.B.c(Native Method)\n").frame is None


def test_the_same_exception_again_and_again_is_one_fact_that_is_counted() -> None:
    """Where it stands, what it says, what it surfaced as and when."""
    out = Findings(None, Entity("pod", "web-0"))  # type: ignore[arg-type]  # exceptions need no tools
    lines = (PYTHON * 3 + GO).splitlines()
    add_exceptions(lines, lambda first, end: Span("a", first, end, first + 1, end), Entity("pod", "web-0"), out, 5.0)
    add_exceptions(
        GO.splitlines(), lambda first, end: Span("a", first, end, first + 1, end), Entity("pod", "web-0"), out, 5.0
    )
    first, second, undated = out.facts
    assert undated.when == 5.0, "else the caller's time"
    assert (first.attribute, first.value, first.count) == ("error.exception", "IndexError: list index out of range", 3)
    assert first.when == 1767261600.123
    assert (first.spans[0].first_line, first.spans[0].last_line) == (2, 15)
    params = dict(first.params)
    assert params["surfaced_as"] == "shop.errors.NotFound: no such item: 7"
    assert (params["file"], params["line"], params["language"]) == ("/app/shop/db.py", "12", "python")
    assert second.when == 1767261601.0, "the line before a trace tells when it was written"


@given(
    st.lists(
        st.sampled_from([*PYTHON.splitlines(), *JAVA.splitlines(), *GO.splitlines(), *NODE.splitlines()]), max_size=40
    )
)
@settings(max_examples=100)
def test_any_mixture_of_lines_is_read_without_failure_and_traces_do_not_overlap(lines: list[str]) -> None:
    """Interleaved output of threads, cut and shuffled."""
    end = 0
    for trace in traces(lines):
        assert end <= trace.first < trace.end <= len(lines)
        assert trace.links
        end = trace.end

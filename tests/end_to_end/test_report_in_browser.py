"""The HTML report in a real browser: it shows itself, asks nobody, and evidence cannot act in it."""

from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


class Listener(http.server.ThreadingHTTPServer):
    """A web server that only remembers who came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Remember)
        self.visits: list[str] = []


class _Remember(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Listener)
        self.server.visits.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server that hostile evidence would like the reader's browser to call."""
    server = Listener()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def browser(tmp_path: Path) -> list[str]:
    """The command of a browser with a fresh profile."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("No chromium here; `make test` installs it, or install the package chromium.")
    return [found, *QUIET, f"--user-data-dir={tmp_path / 'profile'}"]


def _dom(browser: list[str], page: Path, *options: str) -> str:
    shown = [*browser, *options, "--virtual-time-budget=3000", "--dump-dom", page.as_uri()]
    return subprocess.run(shown, capture_output=True, text=True, check=True, timeout=120).stdout


def _hostile(port: int) -> str:
    at = f"http://127.0.0.1:{port}"
    return (
        f"</style></title></pre><script>document.title='owned';new Image().src='{at}/script'</script>"
        f"<img src={at}/img onerror=\"document.title='owned'\"><link rel=stylesheet href={at}/css>"
        f"<iframe src={at}/frame></iframe><style>@import '{at}/import';</style><meta http-equiv=refresh content='0;{at}/go'>"
    )


@pytest.fixture
def report(data: Path, tmp_path: Path, listener: Listener) -> Path:
    """The report of a real incident into whose evidence somebody wrote markup."""
    source = data / "cases" / "holmes_investigate" / "02_crashloop_backoff" / "evidence" / "kubectl_describe.txt"
    text, spoiled = re.subn(
        r'(exec: "wge": executable file not found)', rf"\1 {_hostile(listener.server_port)}", source.read_text()
    )
    assert spoiled
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "describe.txt").write_text(text)
    page = tmp_path / "report.html"
    subprocess.run(
        [sys.executable, "-m", "faultmaven_cli.main", "investigate", str(evidence), "--output", str(page)],
        check=True,
        capture_output=True,
        env={**os.environ, "FM_HOME": str(tmp_path / "home")},
    )
    return page


def test_browser_shows_the_report_and_evidence_stays_text(browser: list[str], report: Path, listener: Listener) -> None:
    """The hostile line is on the page to be read; its script did not run, and nobody was asked for anything."""
    dom = _dom(browser, report)
    assert "owned" not in dom.partition("<title>")[2].partition("</title>")[0]
    assert "&lt;script&gt;document.title" in dom
    assert "executable file not found" in dom
    assert not re.findall(r"<(script|img|iframe|link)\b", dom)
    assert listener.visits == []


def test_listener_would_have_been_called(browser: list[str], tmp_path: Path, listener: Listener) -> None:
    """The proof above can fail: the same markup, unescaped, does call."""
    page = tmp_path / "naive.html"
    page.write_text(f"<html><body><pre>{_hostile(listener.server_port)}</pre></body></html>")
    _dom(browser, page)
    assert "/img" in listener.visits


def test_report_is_whole_without_a_network(browser: list[str], report: Path) -> None:
    """With every name unresolvable and every proxy dead the page is the same."""
    offline = ("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9")
    assert _dom(browser, report, *offline) == _dom(browser, report)


@pytest.mark.parametrize("width", [390, 1280])
def test_style_applies_and_nothing_is_wider_than_the_screen(
    browser: list[str], report: Path, tmp_path: Path, width: int
) -> None:
    """The policy lets the report's own style through, and no line forces a phone to scroll sideways."""
    frame = tmp_path / "frame.html"
    probe = (
        "const d = document.querySelector('iframe').contentDocument; const m = d.querySelector('main');"
        "document.body.dataset.over = d.documentElement.scrollWidth - d.documentElement.clientWidth;"
        "document.body.dataset.styled = getComputedStyle(m).maxWidth !== 'none';"
    )
    frame.write_text(
        f'<body><iframe src="{report.name}" style="width:{width}px;height:900px;border:0"></iframe>'
        f'<script>document.querySelector("iframe").onload = () => {{ {probe} }}</script></body>'
    )
    dom = _dom(browser, frame, "--allow-file-access-from-files")
    assert 'data-over="0"' in dom
    assert 'data-styled="true"' in dom


def test_report_prints(browser: list[str], report: Path, tmp_path: Path) -> None:
    """On paper it is a document of some pages."""
    paper = tmp_path / "report.pdf"
    subprocess.run([*browser, f"--print-to-pdf={paper}", report.as_uri()], check=True, capture_output=True, timeout=120)
    assert paper.read_bytes().startswith(b"%PDF")
    assert paper.stat().st_size > 10_000

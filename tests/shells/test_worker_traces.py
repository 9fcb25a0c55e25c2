"""A trace goes on in another process: over the row and the broker into a worker."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from faultmaven_contract_tests.servers import shared
from tests.shells.test_worker import Fm, started
from tests.unit.telemetry.collector import collecting


@pytest.mark.soak
@pytest.mark.servers("redis")
def test_what_a_worker_does_belongs_to_who_asked_for_it(environ: dict[str, str], tmp_path: Path, fm: Fm) -> None:
    """The command and the job are one trace of two processes, and the worker hands all over before it ends."""
    url = shared("redis").url
    book = tmp_path / "book.md"
    book.write_text("# Restart\n\nRestart the pod.\n")
    with collecting() as collector:
        more = {"FM_JOBS_URL": url, "FM_CACHE_URL": url, "FM_OTLP_URL": collector.url}
        with started(environ | more, tmp_path / "log", "--concurrency", "1") as worker:
            added = fm("knowledge", "add", str(book), **more)
            assert added.returncode == 0, added.stderr
            job = collector.wait_for("job knowledge.ingest")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
        (asked,) = [span for span in collector.spans if span.id == job.parent]
    assert job.kind == "consumer"
    assert (asked.name, asked.trace) == ("fm knowledge add", job.trace)
    assert asked.resource["service.instance.id"] != job.resource["service.instance.id"]
    assert "knowledge.ingest" in {span.name for span in collector.within(job)}

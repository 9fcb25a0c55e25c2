"""A recorded incident, diagnosed from raw files by the command that a person would type."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_fm_investigate_names_the_command_that_the_crashing_container_cannot_find(data: Path) -> None:
    """The cause is a mistyped command; the proof is the runtime's own message, cited to its line."""
    evidence = data / "cases" / "holmes_investigate" / "02_crashloop_backoff" / "evidence"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "faultmaven_cli.main",
            "investigate",
            str(evidence),
            "--question",
            "Crashing pod logging-agent in namespace default. Find the root cause.",
            "--format",
            "json",
        ],
        capture_output=True,
        check=True,
    )
    record = json.loads(done.stdout)
    assert record["verdict"] == "probable"
    cause = record["root_cause"]
    assert cause["entity"] == {"kind": "pod", "name": "logging-agent", "namespace": "default"}
    assert cause["category"] == "configuration_error"
    assert "`wge`" in cause["statement"]
    assert "CrashLoopBackOff" in cause["statement"]
    proof = next(claim for claim in record["claims"] if claim["id"] == record["hypotheses"][0]["claims"][0])
    assert proof["status"] == "verified"
    assert proof["citations"][0]["lines"] == [30, 30]

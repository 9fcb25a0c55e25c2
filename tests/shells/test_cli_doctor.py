"""`fm doctor` tries everything, tells each failure by itself, and ends with a code that scripts understand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from faultmaven_contract_tests.servers import shared

FM = Path(sys.executable).parent / "fm"


def doctor(home: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Its exit code and what it printed."""
    environ = {"PATH": os.environ["PATH"], "FM_HOME": str(home), "FM_STARTUP_WAIT": "0", **variables}
    done = subprocess.run(
        [FM, "doctor", *arguments], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def outcomes(home: Path, **variables: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """Exit code, and (step, outcome) by dependency."""
    code, text = doctor(home, "--json", **variables)
    found: dict[str, list[tuple[str, str]]] = {}
    answer: dict[str, Any] = json.loads(text)
    assert answer["ok"] is (code == 0)
    for finding in answer["findings"]:
        found.setdefault(finding["dependency"], []).append((finding["step"], finding["outcome"]))
    return code, found


def test_a_laptop_is_well(tmp_path: Path) -> None:
    """No server, nothing set: everything works."""
    code, text = doctor(tmp_path)
    assert code == 0
    assert "Everything works" in text
    for dependency in ("database (sqlite)", "blobs (file)", "cache (memory)", "jobs (embedded)"):
        assert f"\n{dependency}\n" in f"\n{text}"


@pytest.mark.servers("redis")
def test_what_is_down_hides_nothing_else(tmp_path: Path) -> None:
    """Two are away, two work, and steps that mean nothing now are left out."""
    code, found = outcomes(
        tmp_path,
        FM_DATABASE_URL="postgresql://app@127.0.0.1:9/fm",
        FM_BLOBS_URL="s3://bucket",
        FM_S3_ENDPOINT_URL="http://127.0.0.1:9",
        FM_S3_ACCESS_KEY_ID="k",
        FM_S3_SECRET_ACCESS_KEY="s",
        FM_CACHE_URL=shared("redis").url,
    )
    assert code == 75
    assert found["database (postgresql)"][0] == ("reach", "failed")
    assert {outcome for _, outcome in found["database (postgresql)"][1:]} == {"left out"}
    assert found["blobs (s3)"][0] == ("reach", "failed")
    assert {outcome for _, outcome in found["cache (redis)"]} <= {"ok", "warning"}
    assert [step for step, _ in found["cache (redis)"] if step != "version and clock"] == [
        "reach",
        "write, read, delete",
        "leases",
        "signals",
        "sessions",
        "rate limits",
    ]


def test_a_missing_folder_for_copies_is_said_with_the_variable(tmp_path: Path) -> None:
    """The sentence says what to change."""
    (tmp_path / "file").write_text("no folder")
    code, text = doctor(tmp_path, FM_BLOBS_URL=f"file:{tmp_path}/file")
    assert code != 0
    assert "blobs (file)" in text
    assert "failed" in text


@pytest.mark.servers("redis_cluster")
def test_a_lone_node_of_a_cluster_is_named_as_such(tmp_path: Path) -> None:
    """Two thirds of the keys would fail later."""
    node = shared("redis_cluster").url.partition("://")[2].partition(",")[0]
    code, text = doctor(tmp_path, FM_CACHE_URL=f"redis://{node}")
    assert code == 78
    assert "redis+cluster://" in text


def test_wrong_settings_are_told_before_anything_is_tried(tmp_path: Path) -> None:
    """As every command does."""
    environ = {"PATH": os.environ["PATH"], "FM_HOME": str(tmp_path), "FM_CACHE_URL": "memcached://h"}
    done = subprocess.run([FM, "doctor"], env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (78, "")
    assert "FM_CACHE_URL does not begin with one of" in done.stderr

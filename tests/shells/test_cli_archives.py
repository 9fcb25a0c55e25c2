"""`fm case export` and `fm case import`: from one home to another, as files or through a pipe."""

from __future__ import annotations

import json
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

Fm = Callable[..., subprocess.CompletedProcess[str]]


def test_a_case_moves_from_one_home_to_another(fm: Fm, evidence: Path, tmp_path: Path) -> None:
    """Files that were left in place come along as copies; what has gone since is named."""
    done = fm("investigate", evidence, "--json")
    case = json.loads(done.stdout)["case_id"]
    (evidence / "core.bin").unlink()
    archive = tmp_path / "case.zip"
    assert fm("case", "export", case, "--output", archive).returncode == 0
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert opened.read("evidence/00002/describe.txt") == (evidence / "describe.txt").read_bytes()
    there = tmp_path / "there"
    imported = fm("case", "import", archive, "--home", there, "--json")
    assert imported.returncode == 0, imported.stderr
    found = json.loads(imported.stdout)
    assert (found["from_case"], found["evidence"]) == (case, 3)
    assert [Path(name).name for name in found["missing"]] == ["core.bin"]
    new = found["case"]["case_id"]
    for file in evidence.iterdir():
        file.unlink()
    hits = fm("evidence", "search", new, "heap space", "--home", there)
    assert "java.lang.OutOfMemoryError" in hits.stdout, hits.stderr
    listed = fm("evidence", "list", new, "--home", there, "--json")
    states = {Path(item["name"]).name: item["state"] for item in json.loads(listed.stdout)["items"]}
    assert states == {"core.bin": "unreadable", "describe.txt": "available", "web-0.log": "available"}


def test_what_is_no_archive_is_refused_in_a_sentence(fm: Fm, tmp_path: Path) -> None:
    """And of a case that is not there nothing is written."""
    wrong = tmp_path / "wrong.zip"
    wrong.write_text("no zip at all")
    refused = fm("case", "import", wrong)
    assert refused.returncode == 2, refused.stderr
    assert "no archive of a case" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert fm("case", "export", "case_0123456789ab", "-o", tmp_path / "x.zip").returncode == 4
    assert [path.name for path in tmp_path.glob("*x.zip*")] == []

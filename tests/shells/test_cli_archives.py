"""`fm case export` and `fm case import`: from one home to another, as files or through a pipe."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

from faultmaven import FaultMaven, load_settings
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.evidence.commands import AddEvidence, ListEvidence

Fm = Callable[..., subprocess.CompletedProcess[str]]


async def _kept(home: Path, evidence: Path) -> str:
    """A case whose evidence is left in its place."""
    async with FaultMaven.open(load_settings({"FM_HOME": str(home)})) as fm:
        case = await fm.cases.open(OpenCase("Why does it fail?"), fm.caller)
        await fm.evidence.add(AddEvidence(case.case_id, str(evidence)), fm.caller)
        return case.case_id


async def _states(home: Path, case_id: str) -> dict[str, str]:
    """The states of a case's evidence."""
    async with FaultMaven.open(load_settings({"FM_HOME": str(home)})) as fm:
        items = (await fm.evidence.list(ListEvidence(case_id), fm.caller)).items
        return {Path(item.name).name: item.state for item in items}


def test_a_case_moves_from_one_home_to_another(fm: Fm, evidence: Path, tmp_path: Path) -> None:
    """Files that were left in place come along as copies; what has gone since is named."""
    here, there, archive = tmp_path / "home", tmp_path / "there", tmp_path / "case.zip"
    case = asyncio.run(_kept(here, evidence))
    (evidence / "core.bin").unlink()
    done = fm("case", "export", case, "--output", archive, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"case_id": case, "file": str(archive)}
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert opened.read("evidence/00002/describe.txt") == (evidence / "describe.txt").read_bytes()
    imported = fm("case", "import", archive, "--home", there, "--json")
    assert imported.returncode == 0, imported.stderr
    found = json.loads(imported.stdout)
    assert (found["from_case"], found["evidence"]) == (case, 3)
    assert [Path(name).name for name in found["missing"]] == ["core.bin"]
    for file in evidence.iterdir():
        file.unlink()
    states = asyncio.run(_states(there, found["case"]["case_id"]))
    assert states == {"core.bin": "unreadable", "describe.txt": "available", "web-0.log": "available"}


def test_an_archive_can_be_written_where_no_file_is(fm: Fm, evidence: Path, tmp_path: Path) -> None:
    """Into a pipe that has a name, which stays one; through a link, which stays one; a folder is refused in a sentence."""
    case = asyncio.run(_kept(tmp_path / "home", evidence))
    pipe, copy, link = tmp_path / "pipe", tmp_path / "copy.zip", tmp_path / "link.zip"
    os.mkfifo(pipe)
    link.symlink_to("real.zip")
    with copy.open("wb") as sink:
        reader = subprocess.Popen(["cat", pipe], stdout=sink)
    try:
        done = fm("case", "export", case, "--output", pipe)
        assert done.returncode == 0, done.stderr
        assert reader.wait(60) == 0
    finally:
        reader.kill()
        reader.wait()
    assert pipe.is_fifo()
    assert fm("case", "export", case, "--output", link).returncode == 0
    assert (link.is_symlink(), (tmp_path / "real.zip").is_file()) == (True, True)
    for archive in (copy, link):
        with zipfile.ZipFile(archive) as opened:
            assert opened.testzip() is None
    refused = fm("case", "export", case, "--output", tmp_path)
    assert refused.returncode == 2, refused.stderr
    assert "cannot be written (is a directory)" in refused.stderr


def test_what_is_no_archive_is_refused_in_a_sentence(fm: Fm, tmp_path: Path) -> None:
    """And not with a trace of where it was found out; where it is read no further, it is closed."""
    wrong = tmp_path / "wrong.zip"
    wrong.write_text("no zip at all")
    refused = fm("case", "import", wrong)
    assert refused.returncode == 2, refused.stderr
    assert "no archive of a case" in refused.stderr
    assert "Traceback" not in refused.stderr
    wrong.write_bytes(bytes(3 << 20))
    early = fm("case", "import", wrong, FM_EVIDENCE_COPY_MAX="1MiB", PYTHONWARNINGS="always::ResourceWarning")
    assert early.returncode == 2, early.stderr
    assert "which is the most that is taken" in early.stderr
    assert "ResourceWarning" not in early.stderr

"""`fm transfer` as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Fm = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def installed(fm: Fm, evidence: Path) -> Path:
    """The home of an installation with a case that has a copy of its evidence."""
    done = fm("investigate", evidence, "--question", "Why does checkout fail?", "--json")
    case = json.loads(done.stdout)["case_id"]
    added = fm("evidence", "add", case, evidence / "describe.txt", "--copy")
    assert added.returncode == 0, added.stderr
    return evidence.parent / "home"


def test_an_installation_moves_and_works_at_its_new_place(fm: Fm, installed: Path, tmp_path: Path) -> None:
    """A look first, then the move; the same command again changes nothing."""
    new = tmp_path / "new"
    pairs = [
        *("--from", f"database=sqlite:{installed / 'faultmaven.db'}", "--to", f"sqlite:{new / 'fm.db'}"),
        *("--from", f"file:{installed / 'blobs'}", "--to", f"file:{new / 'blobs'}"),
    ]
    planned = fm("transfer", *pairs, "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "would be copied" in planned.stdout
    assert fm("transfer", *pairs, "--verify-only").returncode != 0
    assert not new.exists(), "who looks makes nothing"
    assert not (installed / "transfers").exists()
    moved = fm("transfer", *pairs)
    assert moved.returncode == 0, moved.stderr
    assert "are the same on both sides" in moved.stdout
    assert f"blobs: file:{installed / 'blobs'} -> file:{new / 'blobs'}" in moved.stdout
    told = json.loads(fm("transfer", *pairs, "--json").stdout)
    assert told["resumed"]
    assert [outcome["copied"] for outcome in told["outcomes"] if outcome["copied"]] == []
    there = {"FM_DATABASE_URL": f"sqlite:{new / 'fm.db'}", "FM_BLOBS_URL": f"file:{new / 'blobs'}"}
    assert "OOMKilled" in fm("report", "--format", "text", **there).stdout


def test_each_way_to_be_wrong_has_its_code_and_its_sentence(fm: Fm, installed: Path, tmp_path: Path) -> None:
    """What is missing is never made by looking for it."""
    missing = tmp_path / "not-there.db"
    cases: list[tuple[tuple[str, ...], int, str]] = [
        (("--from", f"database=sqlite:{missing}", "--to", f"sqlite:{tmp_path / 'x.db'}"), 2, "there is nothing at"),
        (("--to", f"file:{installed / 'blobs'}"), 2, "are the same"),
        (("--to", "postgresql://nobody"), 78, "The target cannot be used"),
        (("--to", "file:x", "--dry-run", "--no-verify"), 2, "exclude each other"),
    ]
    for arguments, code, said in cases:
        done = fm("transfer", *arguments)
        assert (done.returncode, said in done.stderr) == (code, True), (arguments, done.stderr)
    assert not missing.exists()


def test_the_side_that_is_not_named_is_what_the_settings_name(fm: Fm, installed: Path, tmp_path: Path) -> None:
    """Either one; begun anew, what it has copied itself is in its way."""
    target = f"file:{tmp_path / 'blobs'}"
    there = fm("transfer", "--to", target)
    assert there.returncode == 0, there.stderr
    assert f"blobs: file:{installed / 'blobs'} -> {target}" in there.stdout
    same = fm("transfer", "--from", target, "--verify-only")
    assert same.returncode == 0, same.stderr
    assert "1 items are the same on both sides" in same.stdout
    refused = fm("transfer", "--to", target, "--restart", "--json")
    assert (refused.returncode, json.loads(refused.stderr)["error"]) == (5, "precondition_failed")

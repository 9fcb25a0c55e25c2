"""Hostile names: what a file is called cannot act on the terminal that shows it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

Fm = Callable[..., subprocess.CompletedProcess[str]]


def test_escape_sequences_in_file_names_are_not_printed(fm: Fm, tmp_path: Path) -> None:
    """Neither on the screen nor in notes, tables or errors."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "a\x1b[2J\x1b]0;owned\x07.bin").write_bytes(bytes(range(256)) * 40)
    (folder / "b\x1b[31m.log").write_text("2026-03-02T14:00:00Z ERROR \x1b[5m connection refused to db:5432\n" * 5)
    done = fm("investigate", folder)
    assert done.returncode == 0, done.stderr
    listed = fm("evidence", "list", done_case(fm))
    absent = fm("investigate", tmp_path / "no\x1b[2Jwhere")
    for text in (done.stdout, done.stderr, listed.stdout, fm("report").stdout, absent.stderr):
        assert "\x1b" not in text
        assert "\x07" not in text


def done_case(fm: Fm) -> str:
    """The id of the newest case."""
    return fm("case", "list").stdout.split("\t", 1)[0]

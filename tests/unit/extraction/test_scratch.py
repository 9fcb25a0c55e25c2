"""Scratch folders: private, and not left behind by a process that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from faultmaven_adapters.extraction.scratch import FolderScratch, private_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def old(folder: Path) -> None:
    """Make a folder look an hour old."""
    os.utime(folder, (1, 1))


def test_contents_are_numbered_files_that_only_the_user_reads() -> None:
    """Whatever an archive calls them."""
    with private_folder() as folder:
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        scratch = FolderScratch(folder, "7-")
        key, sink = scratch.create()
        with sink:
            sink.write(b"x")
        assert key == "7-000001"
        assert Path(scratch.path(key)).stat().st_mode & 0o777 == 0o600
        with scratch.open(key) as content:
            assert content.read() == b"x"
        scratch.drop(key)
        assert not Path(scratch.path(key)).exists()
    assert not Path(folder).exists()


def test_what_a_killed_process_left_is_removed_by_the_next(temporary: Path) -> None:
    """Unpacked evidence must not stay on a disk."""
    program = "import os, tempfile\nfrom faultmaven_adapters.extraction.scratch import private_folder\nwith private_folder() as f:\n    os.kill(os.getpid(), 9)\n"
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "TMPDIR": str(temporary)}, check=False)
    (left,) = temporary.iterdir()
    old(left)
    with private_folder() as folder:
        assert [path.name for path in temporary.iterdir()] == [Path(folder).name]


def test_a_folder_that_is_in_use_young_or_not_ours_stays(temporary: Path) -> None:
    """Two runs at a time do not disturb each other; a link leads nowhere."""
    (temporary / "other").mkdir()
    (temporary / "faultmaven-run-link").symlink_to(temporary / "other")
    (temporary / "faultmaven-run-unlocked").mkdir()
    old(temporary / "faultmaven-run-unlocked")
    with private_folder() as first:
        old(Path(first))
        with private_folder() as second:
            assert Path(first).exists()
        assert not Path(second).exists()
    assert sorted(path.name for path in temporary.iterdir()) == [
        "faultmaven-run-link",
        "faultmaven-run-unlocked",
        "other",
    ]

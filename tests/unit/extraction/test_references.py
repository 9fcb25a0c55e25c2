"""Spans read again from files that stay where they are, and what became of those files."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from faultmaven_adapters.extraction.references import ReferencedFiles
from faultmaven_core.analysis.model import Span
from faultmaven_core.ports.extraction_runner import Place
from faultmaven_core.shared.errors import CorruptDataError, NotFoundError

TEXT = b"one\ntwo\nthree\n"
DIGEST = hashlib.sha256(TEXT).hexdigest()
TWO = Span(DIGEST, 4, 7, 2, 2)


def place(path: Path, *members: str) -> Place:
    """The place of the text in a file as it is now."""
    status = path.stat()
    return Place(DIGEST, str(path), members, status.st_size, status.st_mtime_ns)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file with the text."""
    path = tmp_path / "x.log"
    path.write_bytes(TEXT)
    return path


def test_a_span_and_lines_are_read_in_place(log: Path) -> None:
    """Nothing is copied."""
    with ReferencedFiles([place(log)]) as files:
        assert files.read(TWO) == b"two"
        assert files.lines(DIGEST, 2, 5) == [b"two", b"three"]
        assert files.state(DIGEST) == "available"


def test_a_file_that_was_touched_or_grew_is_still_the_evidence(log: Path) -> None:
    """Its digest decides, and logs grow."""
    files = ReferencedFiles([place(log)])
    os.utime(log, ns=(1, 1))
    assert files.read(TWO) == b"two"
    with log.open("ab") as more:
        more.write(b"four\n")
    assert files.read(TWO) == b"two"
    assert files.state(DIGEST) == "available"


def test_a_file_that_changed_or_went_is_an_explicit_state(log: Path) -> None:
    """Never other bytes than those that were read."""
    files = ReferencedFiles([place(log)])
    log.write_bytes(TEXT.replace(b"two", b"2wo"))
    os.utime(log, ns=(1, 1))
    with pytest.raises(CorruptDataError, match=r"x\.log is not what it was"):
        files.read(TWO)
    assert files.state(DIGEST) == "changed"
    log.unlink()
    with pytest.raises(NotFoundError, match=r"x\.log is not there any more; put it back"):
        files.read(TWO)
    assert files.state(DIGEST) == "moved"
    log.mkdir()
    assert files.state(DIGEST) == "unreadable"


def test_a_source_that_is_not_known_is_not_found() -> None:
    """Whatever span a caller makes up."""
    with pytest.raises(NotFoundError):
        ReferencedFiles().read(TWO)


def test_a_member_of_an_archive_is_unpacked_once_to_a_folder_that_goes_away(tmp_path: Path) -> None:
    """In the archive in place; the digest finds it."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, data in (("other", b"zzz"), ("logs/x.log", TEXT)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    path = tmp_path / "b.tgz"
    path.write_bytes(gzip.compress(sink.getvalue()))
    with ReferencedFiles([place(path, "logs/x.log")]) as files:
        assert files.read(TWO) == b"two"
        folder = Path(files._folder)
        assert len(list(folder.iterdir())) == 1
        assert files.read(TWO) == b"two"
    assert not folder.exists()


def test_a_gzipped_log_is_read_again_too(tmp_path: Path) -> None:
    """It has no member name of its own."""
    path = tmp_path / "x.log.gz"
    path.write_bytes(gzip.compress(TEXT))
    with ReferencedFiles([place(path)]) as files:
        assert files.read(TWO) == b"two"
    with ReferencedFiles([place(path)]) as files:
        os.utime(path, ns=(1, 1))
        assert files.read(TWO) == b"two"

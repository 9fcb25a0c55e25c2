"""Paths as a person types them, with everything on a disk that is no honest file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from faultmaven_adapters.extraction.files import LocalEvidenceFiles
from faultmaven_adapters.extraction.walk import walk
from faultmaven_core.analysis.model import Role


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the tests stand in, so that names are as typed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_gives_its_files_by_name_as_typed_in_one_order(here: Path) -> None:
    """Whatever the file system's order; each file once, even where paths overlap."""
    for name in ("b/z.log", "b/a.log", "a.log", "c.tar.gz"):
        path = here / "ev" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    found = walk(["ev", "ev/b/", "./ev/a.log"], Role.BASELINE)
    assert [entry.name for entry in found] == ["ev/a.log", "ev/b/a.log", "ev/b/z.log", "ev/c.tar.gz"]
    assert all(entry.role is Role.BASELINE and not entry.problem for entry in found)


def test_what_is_no_file_is_named_and_not_read(here: Path) -> None:
    """Links below a folder could lead anywhere, pipes and sockets would block."""
    folder = here / "ev"
    folder.mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "dangling").symlink_to("/nowhere")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("ev/socket")
        said = {entry.name: entry.problem for entry in walk(["ev"])}
    assert said["ev/link"] == "ev/link is a symbolic link and was not read; give the file that it points to."
    assert said["ev/dangling"].startswith("ev/dangling is a symbolic link")
    assert said["ev/pipe"] == "ev/pipe is a pipe and was not read; save its content to a file and give that."
    assert said["ev/socket"].startswith("ev/socket is a socket")


def test_a_link_that_is_given_by_name_is_followed(here: Path) -> None:
    """The person pointed at it."""
    (here / "real.log").write_text("x")
    (here / "latest.log").symlink_to("real.log")
    (only,) = walk(["latest.log"])
    assert (only.name, only.problem) == ("latest.log", "")


def test_a_missing_path_and_a_device_get_a_sentence(here: Path) -> None:
    """They stand in the record like files that were read."""
    missing, device = walk(["gone.log", "/dev/zero"])[::-1]
    assert missing.problem == "gone.log is not there (any more); check the path or collect it again."
    assert device.problem == "/dev/zero is a device and was not read; save its content to a file and give that."


def test_a_sparse_file_of_ten_gigabytes_is_refused_at_once_with_its_real_size(here: Path) -> None:
    """Reading holes would take minutes and show nothing but zeros."""
    with (here / "big.log").open("wb") as file:
        file.seek(10 << 30)
        file.write(b"end\n")
    (only,) = walk(["big.log"])
    assert only.problem.startswith(
        "big.log is a sparse file and was not read: 10,737,418,244 bytes long, of which about"
    )
    assert "give that" in only.problem


def test_a_large_file_with_small_holes_is_read(here: Path) -> None:
    """A log whose writer was moved once is no reason to refuse it."""
    with (here / "big.log").open("wb") as file:
        file.write(b"x" * (48 << 20))
        file.seek(80 << 20)
        file.write(b"end\n")
    assert walk(["big.log"])[0].problem == ""


def test_folders_that_may_not_be_read_are_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other folders are walked all the same. The refusal is played, since root may read everything."""
    (here / "ev" / "private").mkdir(parents=True)
    (here / "ev" / "x.log").write_text("x")
    scan = os.scandir

    def refuse(path: str) -> os._ScandirIterator[str]:
        if path.endswith("private"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    private, log = walk(["ev"])
    assert private.problem.startswith("ev/private may not be read by this user; give yourself the right")
    assert log.problem == ""


def test_names_that_no_text_encodes_are_shown_safely(here: Path) -> None:
    """Bytes that are not UTF-8, line feeds, and signs that reverse the direction of writing."""
    folder = here / "ev"
    folder.mkdir()
    for name in (b"caf\xe9.log", b"a\nb.log", "txt\u202egol.exe".encode()):
        (Path(os.fsdecode(os.fsencode(folder) + b"/" + name))).write_text("x")
    assert [entry.name for entry in walk(["ev"])] == ["ev/a\ufffdb.log", "ev/caf\ufffd.log", "ev/txt\ufffdgol.exe"]
    assert all(Path(entry.path).read_text() == "x" for entry in walk(["ev"]))


async def test_a_name_that_is_no_text_costs_that_file_alone(here: Path) -> None:
    """No database can keep such a path; what is said of it names the file as far as it can be shown."""
    (here / "ev").mkdir()
    (here / "ev" / "a.log").write_text("x")
    (here / "ev" / os.fsdecode(b"caf\xe9.log")).write_text("x")
    files = LocalEvidenceFiles()
    try:
        found = await files.find("ev", Role.INCIDENT)
    finally:
        await files.aclose()
    assert [(file.input.name, file.size) for file in found] == [("ev/a.log", 1), ("ev/caf\ufffd.log", 0)]
    assert "not UTF-8; rename it" in found[1].input.problem
    found[1].input.path.encode()

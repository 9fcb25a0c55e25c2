"""One folder with every kind of bad file beside an honest one: each is named with advice, the cause is found all the same."""

from __future__ import annotations

import ctypes
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

DROP_CAPABILITY = 24
"""prctl: PR_CAPBSET_DROP."""


@dataclass(frozen=True)
class Investigated:
    """What `fm investigate` printed, and where its case stands."""

    record: Mapping[str, Any]
    errors: str
    code: int
    home: Path

    def said_of(self, name: str) -> str:
        """Everything that the record says was wrong with the sources of a file."""
        ours = [one for one in self.record["coverage"] if one["file"].split("!")[0].endswith(f"/{name}")]
        assert ours, f"{name} is not in the record"
        return " ".join(problem for one in ours for problem in one["problems"])


def zipped(**members: bytes) -> bytes:
    """A deflated zip."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def climbing_tar() -> bytes:
    """A tar whose members point out of it."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, kind in (("../../escape.log", tarfile.REGTYPE), ("passwd", tarfile.SYMTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, "/etc/passwd", 4 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"evil"))
    return sink.getvalue()


def backwards() -> bytes:
    """Times that go backwards, in five formats."""
    forms = (
        "2026-11-22T10:{m:02d}:00Z",
        "Nov 22 10:{m:02d}:00 host app:",
        "22/Nov/2026:10:{m:02d}:00 +0000",
        "1764{m:02d}0000",
        "I1122 10:{m:02d}:00.000000 1 x.go:1]",
    )
    return "".join(f"{forms[m % 5].format(m=m)} request done\n" for m in range(59, 0, -1)).encode()


FILES: Mapping[str, Callable[[], bytes]] = {
    "empty.log": lambda: b"",
    "binary.bin": lambda: bytes(range(256)) * 64,
    "cut.log.gz": lambda: gzip.compress(b"2026-11-22T10:00:00Z INFO fine\n" * 20_000)[:-400],
    "bomb.zip": lambda: zipped(zeros=bytes(80 << 20)),
    "nested.zip": lambda: zipped(a=zipped(b=zipped(c=zipped(d=zipped(e=zipped(f=zipped(g=b"deep"))))))),
    "climbing.tar": climbing_tar,
    "half.zip": lambda: zipped(a=b"a" * 5000)[:-40],
    "wide.txt": lambda: "plain words in wide characters\n".encode("utf-16"),
    "wide_without_mark.txt": lambda: "plain words in wide characters\n".encode("utf-16-le"),
    "deep.json": lambda: b"[" * 100_000,
    "wide.csv": lambda: (
        b"time," + b",".join(b"c%d" % i for i in range(100_000)) + b"\n2026-11-22T10:00:00Z," + b"1," * 100_000 + b"\n"
    ),
    "one_line.log": lambda: b"x" * (40 << 20),
    "blank_lines.log": lambda: b"\n" * 2_000_000,
    "nul.log": lambda: (b"2026-11-22T10:00:00Z INFO fine\n" + b"\0" * 3) * 400,
    "backwards.log": backwards,
    "manifest.yaml": lambda: b"apiVersion: v1\nkind: Pod\nmetadata: &a\n  x: *a\n\t- broken\n",
    "laughs.xml": lambda: b'<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>\n',
}


@pytest.fixture(scope="module")
def result(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Investigated:
    """The command, run once over all of it."""
    folder = tmp_path_factory.mktemp("bad") / "evidence"
    shutil.copytree(data / "cases" / "holmes_investigate" / "02_crashloop_backoff" / "evidence", folder)
    for name, make in FILES.items():
        (folder / name).write_bytes(make())
    (folder / "link.log").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.log")
    with (folder / "sparse.log").open("wb") as sparse:
        sparse.truncate(10 << 30)
    (folder / "locked.log").write_text("secret\n")
    (folder / "locked.log").chmod(0)
    home = tmp_path_factory.mktemp("home")
    done = investigate(folder, home)
    return Investigated(json.loads(done.stdout), done.stderr.decode(), done.returncode, home)


def investigate(folder: Path, home: Path) -> subprocess.CompletedProcess[bytes]:
    """`fm investigate`, as a user whom file modes bind."""

    def bound_by_modes() -> None:
        # Root reads what it likes; without these two capabilities the modes of files count for it as well.
        for capability in (1, 2):
            ctypes.CDLL(None).prctl(DROP_CAPABILITY, capability, 0, 0, 0)

    question = "Crashing pod logging-agent in namespace default. Find the root cause."
    command = [sys.executable, "-m", "faultmaven_cli.main", "investigate", str(folder), "-q", question, "--json"]
    environ = {**os.environ, "FM_HOME": str(home), "TMPDIR": str(home)}
    return subprocess.run(
        command,
        capture_output=True,
        timeout=280,
        env=environ,
        check=False,
        preexec_fn=bound_by_modes if os.geteuid() == 0 else None,
    )


def test_the_cause_in_the_honest_files_is_found_all_the_same(result: Investigated) -> None:
    """Bad neighbours cost nothing."""
    assert result.code == 0, result.errors
    assert result.record["root_cause"]["entity"]["name"] == "logging-agent"
    assert "`wge`" in result.record["root_cause"]["statement"]


@pytest.mark.parametrize(
    ("name", "says", "advises"),
    [
        ("empty.log", "empty (0 bytes)", "collect it again"),
        ("binary.bin", "binary (16,384 bytes)", "give a text export"),
        ("cut.log.gz", "cut off before its end; only the first", "Copy or collect it again"),
        ("bomb.zip", "as a zip bomb does", "give the files that matter"),
        ("nested.zip", "nested more than 6 archives deep", "give the files"),
        ("climbing.tar", "points out of the archive", "is a symbolic link"),
        ("half.zip", "cut off before its end", "Copy or collect it again"),
        ("wide.txt", "text in UTF-16", "iconv -f UTF-16 -t UTF-8"),
        ("wide_without_mark.txt", "text in UTF-16", "iconv -f UTF-16 -t UTF-8"),
        ("deep.json", "levels", "read as plain text"),
        ("link.log", "is a symbolic link", "give the file that it points to"),
        ("pipe.log", "is a pipe", "save its content to a file"),
        ("sparse.log", "is a sparse file", "Copy its data out"),
        ("locked.log", "may not be read", "change its permissions"),
    ],
)
def test_each_bad_file_is_named_with_what_is_wrong_and_what_to_do(
    result: Investigated, name: str, says: str, advises: str
) -> None:
    """In the record, where every report takes it from."""
    said = result.said_of(name)
    assert name in said
    assert says in said
    assert advises in said


def test_odd_but_honest_text_is_read(result: Investigated) -> None:
    """Long lines, blank lines, stray bytes, wide tables and times that run backwards are no reason to refuse a file."""
    kinds = {one["file"].rsplit("/", 1)[-1]: one["kind"] for one in result.record["coverage"]}
    for name in ("one_line.log", "blank_lines.log", "nul.log", "backwards.log", "wide.csv", "laughs.xml"):
        assert kinds[name] not in ("unreadable", "binary", "empty"), result.said_of(name)


def test_nothing_is_left_in_the_temporary_folder(result: Investigated) -> None:
    """Neither what a bomb unpacked nor what a broken archive left half-way."""
    assert [path.name for path in result.home.iterdir() if path.name.startswith("faultmaven-")] == []


def test_the_case_stays_usable(result: Investigated) -> None:
    """It can be listed and shown afterwards."""
    done = subprocess.run(
        [sys.executable, "-m", "faultmaven_cli.main", "case", "list", "--json"],
        capture_output=True,
        check=True,
        env={**os.environ, "FM_HOME": str(result.home)},
    )
    assert result.record["case_id"] in done.stdout.decode()

"""Containers of every kind, honest and hostile, through the unpacker."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import struct
import tarfile
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.intake.limits import Limits
from faultmaven_core.analysis.intake.memory_scratch import MemoryScratch
from faultmaven_core.analysis.intake.unpack import Content, Unpacker

SMALL = Limits(depth=4, entries=50, total=1 << 20, ratio=20, ratio_from=64 << 10)


def unpack(data: bytes, limits: Limits = SMALL, name: str = "b") -> tuple[list[Content], dict[str, bytes]]:
    """The contents of a container, and their bytes by name."""
    scratch = MemoryScratch()
    found = list(Unpacker(scratch, limits=limits).unpack(name, io.BytesIO(data)))
    return found, {content.name: scratch.contents[content.key] for content in found if content.key}


def tar(members: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of regular files."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of regular files."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_tar_gives_its_files_under_their_names_with_digest_and_size(form: int) -> None:
    """All three formats that are in use, empty files and names over the 100 characters of the header included."""
    long = "d/" * 60 + "x.log" if form != tarfile.USTAR_FORMAT else "d/x.log"
    members = {"pods/app.log": b"one\ntwo\n", "empty": b"", long: b"y" * 1000}
    found, data = unpack(tar(members, form), name="bundle.tar")
    assert data == {f"bundle.tar!{name}": content for name, content in members.items()}
    assert [content.members for content in found] == [(name,) for name in members]
    assert [content.sha256 for content in found] == [
        hashlib.sha256(content).hexdigest() for content in members.values()
    ]
    assert [content.problem for content in found] == ["", "", ""]


def test_a_zip_gives_its_files_stored_or_deflated() -> None:
    """Folders are no contents."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        _, data = unpack(zipped({"a/": b"", "a/x.log": b"x\n" * 50, "y": b""}, method))
        assert data == {"b!a/x.log": b"x\n" * 50, "b!y": b""}


def test_a_compressed_file_keeps_its_name_and_layers_nest() -> None:
    """A `.tar.gz` with a gzipped log and a zip inside gives plain contents, each under the path that leads to it."""
    inner = zipped({"z.txt": b"deep\n"})
    bundle = gzip.compress(tar({"x.log.gz": gzip.compress(b"log\n"), "more.zip": inner}))
    found, data = unpack(bundle, name="b.tgz")
    assert data == {"b.tgz!x.log.gz": b"log\n", "b.tgz!more.zip!z.txt": b"deep\n"}
    assert [content.members for content in found] == [("x.log.gz",), ("more.zip", "z.txt")]


def test_what_comes_before_a_cut_or_damage_is_kept_and_the_loss_is_said() -> None:
    """The sentence names the file and says what to do; other members stay."""
    packed = gzip.compress(bytes(range(256)) * 4000)
    found, data = unpack(packed[:-200], name="app.log.gz", limits=Limits())
    assert 0 < len(data["app.log.gz"]) < 256 * 4000
    assert "app.log.gz: it is cut off before its end; only the first" in found[0].problem
    assert "again" in found[0].problem
    wrong = packed[:-8] + b"\0\0\0\0" + packed[-4:]
    found, data = unpack(wrong, name="crc.gz", limits=Limits())
    assert "crc.gz: it is damaged" in found[0].problem
    trailing, data = unpack(gzip.compress(b"good\n") + b"garbage", name="t.gz")
    assert data["t.gz"] == b"good\n"
    assert "damaged" in trailing[0].problem
    found, data = unpack(tar({"a": b"a" * 600, "b": b"b" * 600})[: 512 * 4 + 20])
    assert data == {"b!a": b"a" * 600, "b!b": b"b" * 20}
    assert (
        found[-1].problem
        == "b!b: it is cut off before its end; only the first 20 bytes were read. Copy or collect it again."
    )


def test_a_zip_without_its_directory_is_said_to_be_cut_off() -> None:
    """An interrupted download."""
    found, data = unpack(zipped({"a": b"a" * 5000})[:-30], name="cut.zip")
    assert data == {}
    assert found == [
        Content(
            "cut.zip", (), problem="cut.zip was read in part: it is cut off before its end. Copy or collect it again."
        )
    ]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "C:\\boot.ini", "a/../../b", "\\\\host\\share", "..", "x\0y"]
)
def test_names_that_point_elsewhere_are_refused_and_the_rest_is_read(name: str) -> None:
    """A member's name is never a path to us, but one that tries says what the archive is."""
    found, data = unpack(tar({name: b"evil", "good.log": b"good"}, tarfile.GNU_FORMAT))
    assert "b!good.log" in data
    assert not any("evil" in content.decode() for content in data.values()) or name == "x\0y"  # tar cuts names at NUL
    if name != "x\0y":
        assert [content.problem.split(": ")[0] for content in found if content.problem] == [f"b!{name} was not read"]


def test_links_devices_and_pipes_in_a_tar_are_refused_by_name() -> None:
    """None of them has content, each could point anywhere."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, kind in (
            ("s", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("c", tarfile.CHRTYPE),
            ("f", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("good")
        info.size = 2
        archive.addfile(info, io.BytesIO(b"ok"))
    found, data = unpack(sink.getvalue())
    assert data == {"b!good": b"ok"}
    said = [content.problem for content in found if content.problem]
    assert said == [
        "b!s was not read: it is a symbolic link.",
        "b!h was not read: it is a hard link.",
        "b!c was not read: it is a device.",
        "b!f was not read: it is a pipe.",
    ]


def test_a_symbolic_link_and_an_encrypted_entry_in_a_zip_are_refused() -> None:
    """Zip marks links in the Unix mode, encryption in a flag."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("secret", b"x" * 40)
    data = bytearray(sink.getvalue())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    found, kept = unpack(bytes(data))
    assert kept == {}
    assert "link was not read: it is a symbolic link" in found[0].problem
    assert "secret was not read: it is encrypted" in found[1].problem


def test_of_equal_names_the_first_counts() -> None:
    """Which one a program sees must not depend on the program."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a", b"first")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"second")
    found, data = unpack(sink.getvalue())
    assert data == {"b!a": b"first"}
    assert "another entry has the same name" in found[1].problem
    twice = tar({"a": b"1"})[: 512 * 2] + tar({"a": b"2"})
    found, data = unpack(twice)
    assert data == {"b!a": b"1"}
    assert "another entry has the same name" in found[1].problem


def test_entries_that_share_bytes_are_refused() -> None:
    """Many directory entries that point at one kernel: the densest known bomb."""
    raw = zipped({"a": b"0" * 4000})
    start = raw.find(b"PK\x01\x02")
    end = raw.rfind(b"PK\x05\x06")
    record = bytearray(raw[start:end])
    record[46:47] = b"z"
    size = end - start + len(record)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, size, start, 0)
    found, data = unpack(raw[:end] + bytes(record) + tail)
    assert data == {}
    assert all("shares bytes with another entry" in content.problem for content in found)


def test_a_bomb_is_stopped_by_its_ratio_and_says_so() -> None:
    """Zeros unpack 1030:1; text does not."""
    for data in (gzip.compress(bytes(900_000)), zipped({"zeros": bytes(900_000)})):
        found, kept = unpack(data, name="bomb")
        assert "as a zip bomb does" in found[0].problem
        assert sum(map(len, kept.values())) <= SMALL.ratio_from + (256 << 10)


def test_totals_entries_and_depth_are_limited() -> None:
    """Each limit stops the archive with a sentence, and what came before is kept."""
    noise = random.Random(1).randbytes(300_000)
    found, _ = unpack(tar({str(i): noise for i in range(8)}))
    assert "it unpacks to more than 1 MiB" in found[-1].problem
    assert len(found) < 8
    found, data = unpack(tar({str(i): b"x" for i in range(60)}))
    assert "it has more than 50 entries" in found[-1].problem
    assert len(data) == 50
    nested = b"core\n"
    for _ in range(7):
        nested = gzip.compress(nested)
    found, data = unpack(nested)
    assert data == {}
    assert "nested more than 4 archives deep" in found[0].problem


def test_a_header_that_claims_a_huge_extension_is_damage_not_memory() -> None:
    """Extended headers are bounded before they are read."""
    block = bytearray(tar({"x": b""})[:512])
    block[156:157] = b"x"
    block[124:136] = b"77777777777\0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    found, _ = unpack(bytes(block) + bytes(1024))
    assert found[0].problem == "b was read in part: it is damaged. Copy or collect it again."


def test_a_zip_whose_directory_claims_to_be_huge_is_refused_unread() -> None:
    """The directory is held in memory by the library."""
    data = bytearray(zipped({"a": b"a"}))
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = (100 << 20).to_bytes(4, "little")
    found, _ = unpack(bytes(data))
    assert "its directory claims 104,857,600 bytes" in found[0].problem


@given(
    st.sampled_from(["tar", "zip", "gz"]), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=12)
)
def test_damage_anywhere_never_escapes_as_an_exception(form: str, flips: list[tuple[int, int]]) -> None:
    """Whatever bytes are changed: contents within the limits, sentences that name the file, nothing else."""
    members = {"a.log": b"line\n" * 200, "dir/b.json": b'{"a": 1}', "c": b""}
    made = {"tar": tar, "zip": zipped, "gz": lambda files: gzip.compress(tar(files))}[form](members)
    data = bytearray(made)
    for place, value in flips:
        data[place % len(data)] = value
    found, kept = unpack(bytes(data), name="fuzzed")
    assert all(content.problem.startswith("fuzzed") for content in found if not content.key)
    assert sum(map(len, kept.values())) <= SMALL.total + (256 << 10)


@given(
    st.binary(max_size=3000),
    st.sampled_from([b"\x1f\x8b\x08", b"PK\x03\x04", b"PK\x05\x06", b"\x28\xb5\x2f\xfd", b"%PDF-", b""]),
)
def test_arbitrary_bytes_behind_a_container_s_magic_never_raise(data: bytes, magic: bytes) -> None:
    """The same for content that only pretends."""
    for content in unpack(magic + data, name="junk")[0]:
        assert content.key or content.problem.startswith("junk")

"""From bytes to readable content: what it is, or a sentence on why it cannot be read."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.intake.memory_scratch import MemoryScratch
from faultmaven_core.analysis.intake.prepare import Prepared, prepare
from faultmaven_core.analysis.intake.provenance import Entry
from faultmaven_core.analysis.intake.unpack import Unpacker


def prepared(data: bytes, name: str = "f") -> list[Prepared]:
    """What stands in a file with these bytes."""
    return list(prepare(name, io.BytesIO(data), Unpacker(MemoryScratch())))


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (b"", "empty", "f is empty (0 bytes); collect it again"),
        (bytes(range(256)) * 40, "binary", "f is binary (10,240 bytes), no text was read; give a text export"),
        ("Zeit: 10 Uhr\n".encode("utf-16"), "unreadable", "UTF-16, which is not read; convert it with `iconv"),
        ("plain words in wide characters\n".encode("utf-16-le"), "unreadable", "convert it with `iconv"),
        (b"BZh91AY" + bytes(20), "unreadable", "f is a bzip2 archive, which is not read; unpack it"),
        (b"7z\xbc\xaf\x27\x1c", "unreadable", "7-Zip archive"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 20, "unreadable", "zstandard is not installed here"),
        (b"%PDF-1.7\n", "unreadable", "no reader for pdf is installed here"),
    ],
)
def test_content_that_is_no_text_gets_a_sentence_that_names_it_and_says_what_to_do(
    data: bytes, kind: str, says: str
) -> None:
    """Nothing is silently left out."""
    (only,) = prepared(data)
    assert only.kind == kind
    assert says in only.problems[0]


def test_text_with_a_few_stray_bytes_stays_text() -> None:
    """A log with a torn block, colours or a foreign encoding is still the best evidence there is."""
    log = b"2026-11-22 10:00:00 ERROR down\n" * 20
    for stray in (b"\0" * 20, b"\x1b[31mred\x1b[0m\n", "schön\n".encode("latin-1")):
        (only,) = prepared(log + stray + log)
        assert (only.kind, only.problems) == ("log", ())


def test_an_uncertain_kind_is_said_with_the_alternatives() -> None:
    """And how to correct it."""
    (only,) = prepared(b"hello\nthis is odd\n# A heading\nand more of it\n* an item\nmore\nand more\n")
    assert "which is not certain; it may be" in only.problems[0]
    assert "fm evidence classify" in only.problems[0]


def test_an_archive_without_files_is_said_to_be_empty() -> None:
    """Not mistaken for one that was read."""
    (only,) = prepared(b"PK\x05\x06" + bytes(18), "b.zip")
    assert (only.kind, only.problems) == ("empty", ("b.zip is an archive without files; check how it was made.",))


def test_a_collector_s_list_is_provenance_and_another_file_of_that_name_is_not() -> None:
    """By name and shape."""
    listed = [
        {"file": "./logs/a.log", "tool": "kubectl", "params": {"pod": "a", "limit": 3, "none": None}},
        {"file": "b"},
    ]
    (only,) = prepared(json.dumps(listed).encode(), "x/sources.json")
    assert only.kind == "provenance"
    pairs = (("params.limit", "3"), ("params.pod", "a"), ("tool", "kubectl"))
    assert only.entries == (Entry("logs/a.log", pairs), Entry("b", ()))
    for other in (b'{"file": "a"}', b'[{"name": "a"}]', b"[1]", b"[" * 100_000, b"[{"):
        assert prepared(other, "x/sources.json")[0].kind != "provenance"
    assert prepared(json.dumps(listed).encode(), "x/other.json")[0].kind == "json"


def test_every_file_of_the_hostile_collection_is_prepared(data: Path) -> None:
    """Malformed JSON, XML with entity bombs, strings that break naive software: each is some content, none an exception."""
    files = [path for path in sorted((data / "hostile").rglob("*")) if path.is_file()]
    assert len(files) > 150
    for path in files:
        raw = path.read_bytes()
        for form in (raw, gzip.compress(raw)):
            (only,) = prepared(form, path.name)
            assert only.kind


@given(st.binary(max_size=4000))
def test_any_bytes_are_some_content(data: bytes) -> None:
    """Never an exception, and the kind that cannot be read always says why."""
    for one in prepared(data):
        assert one.kind not in ("unreadable", "empty", "binary") or one.problems

"""Masking and merging of messages."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.extract import log_blocks, template_miner
from faultmaven_core.analysis.extract.log_format import LogFormat
from faultmaven_core.analysis.extract.log_summary import LogSummary, Tally
from faultmaven_core.analysis.extract.log_templates import template_id, templates
from faultmaven_core.analysis.extract.template_lines import template_of_lines
from faultmaven_core.analysis.extract.template_mask import EDGES, mask_words
from faultmaven_core.analysis.extract.template_merge import merge
from faultmaven_core.analysis.extract.template_miner import MAX_SIGNATURES, TemplateMiner
from faultmaven_core.analysis.extract.template_text import MAX_CHARACTERS, masked
from faultmaven_core.analysis.model import LogSample

LEAST_MEAN = 0.9
WORD_WITH_DIGIT = re.compile(rb"[^%s]*[0-9][^%s]*" % (re.escape(EDGES), re.escape(EDGES)))


@given(
    st.lists(st.sampled_from([b"a", b"7", b" ", b"\n", b"=", b"\xff", b"12x", b"xyz", b"/", b"-"]), max_size=80).map(
        b"".join
    )
)
def test_masking_a_block_masks_each_word_with_a_digit(block: bytes) -> None:
    """The carries of an addition do what a regular expression would do much more slowly."""
    assert mask_words(block) == WORD_WITH_DIGIT.sub(b"\x01", block)


@pytest.mark.parametrize(
    ("messages", "template"),
    [
        (["took 5 ms", "took 7 ms"], "took <*>"),
        (["open /var/lib/a/b failed", "open /tmp/x/y/z failed"], "open <*> failed"),
        (["GET http://a.example/x ok", "GET https://b.example/y?z=1 ok"], "GET <*> ok"),
        (["delete blk_1 blk_2", "delete blk_3 blk_4 blk_5"], "delete <*>"),
        (["sent 5 bytes (4.1 KB) ok", "sent 5 bytes ok"], "sent <*> ok"),
        (["from 00:1b:EB:22 up", "from 00:1c:FF:aa up"], "from <*> up"),
        (["via en0 (FE80:0000:C6B3:FECD:467F)", "via en1 (FE80:0000:0000:ABCD:1234)"], "via <*> (<*>)"),
        (["at Sun Jul 10 03:55:15 2005", "at Mon Jun  6 13:55:15 2005"], "at <*>"),
        (['tag="View Lock", x', 'tag="other", x'], 'tag="<*>", x'),
        (["name=com.a.b, ws=null, x", "name=org.c.d, ws=WorkSource{10113}, x"], "name=<*>, ws=<*>, x"),
        (["closed for user root", "closed for user news", "closed for user cyrus"], "closed for user <*>"),
        ([f"state is {word} now" for word in ("red", "blue", "green", "pink", "grey", "black")], "state is <*> now"),
    ],
)
def test_messages_of_one_kind_share_a_template(messages: list[str], template: str) -> None:
    """Values vary, words stay."""
    texts = merge(masked(message) for message in messages)
    assert {texts[masked(message)] for message in messages} == {template}


@pytest.mark.parametrize(
    "messages",
    [
        ["link is up", "link is down"],
        ["instruction cache parity error", "data cache parity error"],
        ["alpha done", "beta done", "gamma done", "delta done", "eta done", "zeta done", "theta done"],
        ["state a.b.SCREEN_ON", "state a.b.SCREEN_OFF"],
    ],
)
def test_messages_of_different_kinds_stay_apart(messages: list[str]) -> None:
    """Few words at one place, or the first word, are what the author wrote."""
    assert len(set(merge(masked(message) for message in messages).values())) == len(messages)


@given(st.lists(st.text(alphabet="ab 1=./(", max_size=20), max_size=20))
def test_merging_does_not_depend_on_order(messages: list[str]) -> None:
    """Nor on how often a message came."""
    texts = [masked(message) for message in messages]
    assert merge(texts) == merge([*reversed(texts), *texts])


def test_a_long_message_is_cut_at_a_word() -> None:
    """What follows counts as values."""
    long = "word " * MAX_CHARACTERS
    assert len(masked(long)) <= MAX_CHARACTERS + 1
    assert len(masked("x" * 5000)) <= MAX_CHARACTERS + 1


def test_more_messages_than_can_be_kept_are_told_apart_by_their_begin() -> None:
    """Memory is bounded whatever the log says."""

    def word(number: int) -> str:
        return "".join(chr(ord("a") + int(digit)) for digit in str(number))

    lines = [f"{word(n % 7)} b {word(n)} tail".encode() for n in range(3 * MAX_SIGNATURES)]
    miner = TemplateMiner(LogFormat("plain"))
    numbers = miner.mine(b"\n".join(lines), lines)
    assert len(numbers) == len(lines)
    assert len(miner.signatures) <= 2 * MAX_SIGNATURES + 12


def test_the_id_of_a_template_is_a_hash_of_its_text() -> None:
    """The same in every source and case, and part of what others may store: it never changes."""
    assert template_id("closed for user <*>") == "4728ff956857"


def test_every_line_has_a_template() -> None:
    """Blank ones, odd ones, and a last one without a line feed."""
    stream = io.BytesIO(b"a 1\n\na 2\r\n\xff\xfe\nb")
    found = list(template_of_lines(stream))
    assert [line for line, _, _ in found] == [1, 2, 3, 4, 5]
    assert found[0][1:] == found[2][1:]


def grouping_accuracy(truth: list[str], guess: list[str]) -> float:
    """Share of lines whose group holds exactly the lines of their true group."""
    groups: dict[str, set[int]] = defaultdict(set)
    true: dict[str, set[int]] = defaultdict(set)
    for place, (group, name) in enumerate(zip(guess, truth, strict=True)):
        groups[group].add(place)
        true[name].add(place)
    return sum(len(places) for places in groups.values() if true[truth[min(places)]] == places) / len(truth)


def test_real_logs_are_grouped_as_people_grouped_them(data: Path) -> None:
    """On raw lines and with the same settings for all systems."""
    scores = {}
    for path in sorted(data.glob("logs/loghub_2k/*/*_2k.log_structured.csv.gz")):
        rows = csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode()))
        truth = [row["EventId"] for row in rows]
        with path.with_name(f"{path.parent.name}_2k.log").open("rb") as stream:
            scores[path.parent.name] = grouping_accuracy(truth, [name for _, name, _ in template_of_lines(stream)])
    assert scores
    assert sum(scores.values()) / len(scores) >= LEAST_MEAN, scores


def test_what_is_remembered_of_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgetting costs time, not correctness."""
    monkeypatch.setattr(template_miner, "MAX_KEYS", 3)
    lines = [f"{word} line".encode() for word in ["a", "b", "c", "d", "e", "a", "b", "c", "d", "e"]]
    miner = TemplateMiner(LogFormat("plain"))
    numbers = miner.mine(b"\n".join(lines), lines)
    assert numbers[:5] == numbers[5:] == [0, 1, 2, 3, 4]
    assert miner.mine(lines[0], lines[:1]) == [0]


def test_a_line_longer_than_a_block_has_one_template(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of its begin."""
    monkeypatch.setattr(log_blocks, "BLOCK", 64)
    assert len(list(template_of_lines(io.BytesIO(b"one\n" + b"x" * 1000 + b"\nthree\n")))) == 3


def test_the_commonest_templates_are_kept() -> None:
    """In the order of their counts; the same template of several messages once."""

    def tally(count: int) -> Tally:
        return Tally(count=count, first=[LogSample(count, 0, 1, "x")])

    messages = {"a": tally(1), "b": tally(3), "u a.b": tally(2), "u c.d": tally(2)}
    summary = LogSummary(messages=messages)
    assert [(one.text, one.count) for one in templates(summary)] == [("u <*>", 4), ("b", 3), ("a", 1)]

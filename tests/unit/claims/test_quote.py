"""A quote stands in a text, or it does not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.claims.quote import Standing, normalised, readings, standing

LINE = 'Warning  Failed  6m9s (x5 over 7m)  kubelet  Error: exec: "wge": not found, exit code 128, took 1.5s at 10.0.0.12:5432'


@pytest.mark.parametrize(
    "quote",
    [
        LINE,
        "Warning Failed 6m9s",
        'Error: exec: "wge": not found',
        "exit code 128",
        "took 1.5s at 10.0.0.12:5432",
        "  exit\n code 128 ",
    ],
)
def test_words_that_stand_there_are_a_quote_whatever_the_white_space(quote: str) -> None:
    """Claims are shown on one line; the evidence may be laid out in columns."""
    assert standing(quote, LINE) is Standing.STANDS


@pytest.mark.parametrize(
    "quote",
    [
        "exit code 12",
        "exit code 129",
        "ailed 6m9s",
        "took 1",
        "5s at 10.0.0.12",
        "10.0.0.1",
        "0.0.12:5432",
        "at 10.0.0.12",
        "Failed exit code 128",
        "exit code 128, took 1.5s at 10.0.0.12:5432 again",
        "",
        '": ',
    ],
)
def test_a_part_of_a_word_a_number_or_an_address_is_no_quote(quote: str) -> None:
    """`code 12` is not what `code 128` says, and `10.0.0.12` without its port is another thing."""
    assert standing(quote, LINE) is Standing.MISSING


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("ready", "the node is not ready"),
        ("connect to the database", "could never connect to the database"),
        ("errors found", "no errors found"),
        ("the probe did", "the probe did not answer"),
        ("respond", "upstream didn't respond"),
    ],
)
def test_words_cut_off_from_the_one_that_denies_them_say_the_opposite(quote: str, text: str) -> None:
    """Leaving out the "not" is the cheapest lie that still is a word for word quote."""
    assert standing(quote, text) is Standing.DENIED


def test_the_denying_word_counts_when_it_stands_outside_of_the_cited_bytes() -> None:
    """A citation may begin right behind the "not"."""
    assert standing("ready", "ready since 10:00", before="the node is not ") is Standing.DENIED


def test_a_message_inside_of_json_is_quoted_as_a_person_reads_it() -> None:
    """Escapes are notation, not content, even twice over."""
    message = 'exec: "wge": executable file not found in $PATH'
    once = json.dumps({"message": message})
    assert standing(message, once) is Standing.STANDS
    assert standing(message, json.dumps({"log": once})) is Standing.STANDS


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_what_is_called_a_quote_does_stand_in_the_text(quote: str, before: str, after: str) -> None:
    """Whatever bytes come in: no quote without the words, and never a crash."""
    text = f"{before} {after}"
    stands = standing(quote, text) is Standing.STANDS
    assert not stands or any(normalised(quote) in reading for reading in readings(text))


@given(st.lists(st.text(alphabet="abcdefghij0123456789", min_size=1, max_size=8), min_size=3, max_size=12), st.data())
def test_any_run_of_whole_words_is_a_quote_and_no_changed_word_is(words: list[str], data: st.DataObject) -> None:
    """The heart of it: contiguous words stand, one changed word falls."""
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    text = " ".join(words)
    assert standing(" ".join(words[start:end]), text) is Standing.STANDS
    changed = [*words[start:end]]
    changed[data.draw(st.integers(0, len(changed) - 1))] += "X"
    assert standing(" ".join(changed), text) is Standing.MISSING

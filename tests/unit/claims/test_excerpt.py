"""The part of a long line that is worth quoting."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.claims.excerpt import MAX_QUOTE, excerpt
from faultmaven_core.analysis.claims.quote import Standing, standing

PAD = "lorem ipsum " * 60


@pytest.mark.parametrize(
    ("text", "key", "value", "part"),
    [
        ('{"a": 1, "reason": "OOMKilled", "b": 2}', "reason", "OOMKilled", '"reason": "OOMKilled"'),
        ('{"exitCode":137,"x":0}', "exitCode", "137", '"exitCode":137'),
        ('{"code":1375,"exitCode":137}', "code", "137", '"code":1375'),
        ("level=error reason=OOMKilled, next", "reason", "OOMKilled", "reason=OOMKilled"),
        ('said "it failed badly" at last', "", "it failed badly", "it failed badly"),
        ("took 1.5s then", "", "1", "1.5s"),
        ("first words", "reason", "absent", "first words"),
        ("", "reason", "absent", ""),
    ],
)
def test_the_value_is_quoted_with_its_key_or_alone_and_never_cut_within_a_word(
    text: str, key: str, value: str, part: str
) -> None:
    """The key tells a reader what the value is."""
    start, end = excerpt(text, key, value)
    assert text[start:end] == part


def test_a_value_escaped_twice_is_found() -> None:
    """JSON in a string of JSON."""
    text = json.dumps({"log": json.dumps({"message": 'exec "wge" failed'})})
    start, end = excerpt(text, "message", 'exec "wge" failed')
    assert "wge" in text[start:end]


@given(st.text(alphabet="ab1 .,:{}\"'é\n", max_size=900), st.text(alphabet='ab1 ."', max_size=12))
def test_an_excerpt_lies_in_the_text_and_is_short_enough_to_read(text: str, value: str) -> None:
    """Whatever is wanted of whatever line."""
    start, end = excerpt(text, "key", value)
    assert 0 <= start <= end <= len(text)
    assert end - start <= MAX_QUOTE + len(value)


@pytest.mark.parametrize("value", ["OOMKilled", "137", "not there at all"])
def test_an_excerpt_is_a_true_quote(value: str) -> None:
    """The ledger must not write down what the verifier rejects."""
    text = json.dumps({"pad": PAD, "state": {"reason": "OOMKilled", "exitCode": 137}, "more": PAD})
    start, end = excerpt(text, "reason", value)
    assert standing(text[start:end], text) is Standing.STANDS

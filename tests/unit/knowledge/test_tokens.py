"""Texts are cut into words the same way everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.knowledge.tokens import LONGEST_TERM, spaced, terms, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The pods ARE restarting", ("pod", "restarting")),
        ("KubePodCrashLooping", ("kube", "pod", "crash", "looping", "kubepodcrashlooping")),
        (
            "HTTPServer2 etcdMembersDown",
            ("http", "server2", "httpserver2", "etcd", "member", "down", "etcdmembersdown"),
        ),
        ("node_load15 kube-proxy a.b", ("node", "load15", "kube", "proxy", "b")),
        ("processes class status DNS policies", ("process", "class", "status", "dns", "policy")),
        ("not ready, no quorum", ("not", "ready", "no", "quorum")),
        ("Ärger Straße \uff46\uff55\uff4c\uff4c \u2102", ("arger", "strasse", "full", "c")),
        ("磁盘满 disk磁盘", ("磁盘", "盘满", "disk", "磁盘")),
        ("满", ("满",)),
        ("", ()),
    ],
)
def test_a_text_has_these_terms(text: str, expected: tuple[str, ...]) -> None:
    """Cases, plurals, accents, compounds and scripts without spaces."""
    assert terms(text) == expected


def test_what_is_too_long_to_be_a_word_is_none() -> None:
    """Keys and encoded data would fill an index that nobody asks."""
    assert terms("a" * (LONGEST_TERM + 1) + " short") == ("short",)


def test_parts_of_a_compound_stand_where_they_are_in_the_text() -> None:
    """Highlights rely on it."""
    text = "see KubeAPIDown."
    assert [(token.term, text[token.start : token.end]) for token in tokens(text)] == [
        ("see", "see"),
        ("kube", "Kube"),
        ("api", "API"),
        ("down", "Down"),
        ("kubeapidown", "KubeAPIDown"),
    ]


def test_compounds_are_spelt_out_for_models_that_know_words() -> None:
    """The rest of a text is left as it is."""
    assert spaced("KubeAPIDown on node-1: 5xx") == "Kube API Down on node-1: 5xx"


@given(st.text())
def test_every_term_is_one_that_every_database_can_hold(text: str) -> None:
    """Letters and digits only, folded, and cut again it is the same word or a stem of it."""
    for token in tokens(text):
        assert token.term.isalnum()
        assert token.term == token.term.lower()
        assert 0 <= token.start < token.end <= len(text)


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_case_does_not_matter_but_for_compounds(text: str) -> None:
    """Whoever types in small letters finds the same words."""
    plain = text.lower()
    assert terms(plain) == terms(plain.upper())

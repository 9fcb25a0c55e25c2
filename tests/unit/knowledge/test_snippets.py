"""What is shown of a passage."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.knowledge.snippets import LENGTH, snippet


def marked(text: str, **weights: float) -> tuple[str, list[str]]:
    """The snippet and what is marked in it."""
    found = snippet(text, weights)
    return found.text, [found.text[start:end] for start, end in found.highlights]


def test_words_of_the_question_are_marked_as_they_stand_in_the_text() -> None:
    """Plurals and capitals too."""
    assert marked("The Disks are FULL of logs.", disk=1, full=1) == ("The Disks are FULL of logs.", ["Disks", "FULL"])


def test_a_compound_is_marked_once() -> None:
    """Its parts and itself stand over the same characters."""
    assert marked("See KubeAPIDown now", api=1, kubeapidown=2) == ("See KubeAPIDown now", ["KubeAPIDown"])


def test_the_part_that_holds_most_of_the_question_is_shown() -> None:
    """A word that tells much outweighs repeats of one that tells little."""
    text = "disk disk disk disk " + "and other things " * 40 + "the inode table is exhausted " + "more of it " * 40
    shown, marks = marked(text, disk=1, inode=3, exhausted=3)
    assert marks == ["inode", "exhausted"]
    assert shown.count("disk") == 0


def test_without_any_word_the_beginning_is_shown() -> None:
    """A passage that was found by its meaning."""
    shown, marks = marked("  Restart it. " + "And wait. " * 100, zebra=1)
    assert shown.startswith("Restart it.")
    assert not marks


@given(st.text(), st.dictionaries(st.sampled_from(["a1", "pod", "disk", "é"]), st.floats(0, 9)))
def test_marks_are_in_order_apart_and_inside(text: str, weights: dict[str, float]) -> None:
    """For any text."""
    found = snippet(text + " pod disk " + text, weights)
    assert len(found.text) <= LENGTH
    at = 0
    for start, end in found.highlights:
        assert at <= start < end <= len(found.text)
        at = end

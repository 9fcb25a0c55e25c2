"""Texts are cut along their headings, and nothing of them is lost."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.knowledge.chunking import MOST, cut, passage
from faultmaven_core.knowledge.headings import markdown_headings
from faultmaven_core.knowledge.model import Chunk
from faultmaven_core.ports.document_reader import Heading

KEY = UUID(int=7)

LINES = st.sampled_from(
    [
        "# One",
        "## Two",
        "### Three",
        "## Four",
        "",
        "text of a line",
        "- a step",
        "```",
        "    code",
        "word " * 90,
        "x" * 2500,
    ]
)


def chunks(text: str, title: str = "Disk full") -> list[Chunk]:
    """The chunks of a Markdown text."""
    return list(cut(title, text, tuple(markdown_headings(text)), KEY))


@given(st.lists(LINES, max_size=40))
def test_chunks_tile_the_text(lines: list[str]) -> None:
    """Joined they are the text, none is larger than a chunk may be, and each says where it stands."""
    text = "\n".join(lines)
    found = chunks(text)
    if not text.strip():
        assert found == []
        return
    assert "".join(chunk.text for chunk in found) == text
    assert [chunk.number for chunk in found] == list(range(len(found)))
    for chunk in found:
        assert text[chunk.start : chunk.end] == chunk.text
        assert 0 < len(chunk.text) <= MOST


def test_a_section_is_a_chunk_under_the_headings_that_lead_to_it() -> None:
    """Outermost first; a heading of the same level ends the one before."""
    body = "What is to be done now. " * 15
    text = f"# Disk full\n\n{body}\n## Diagnosis\n\n{body}\n### Linux\n\n{body}\n## Mitigation\n\n{body}\n"
    assert [chunk.headings for chunk in chunks(text)] == [
        ("Disk full",),
        ("Disk full", "Diagnosis"),
        ("Disk full", "Diagnosis", "Linux"),
        ("Disk full", "Mitigation"),
    ]


def test_small_neighbours_are_one_chunk_under_what_they_share() -> None:
    """Three lines under three headings say something together only."""
    text = "# Disk full\n\n## Meaning\n\nThe disk is full.\n\n## Impact\n\nWrites fail.\n"
    (one,) = chunks(text)
    assert one.headings == ("Disk full",)


def test_sections_of_different_parents_are_not_joined() -> None:
    """They are about different things, however small."""
    text = "# A\n\n## B\n\n### C\n\none\n\n# D\n\n## E\n\n### F\n\ntwo\n"
    assert [chunk.headings for chunk in chunks(text)] == [("A", "B", "C"), ("D", "E", "F")]


def test_a_long_section_is_cut_between_steps_and_not_within_one() -> None:
    """A step goes with the indented lines under it, and with its code."""
    step = (
        "1. Look at the disk.\n\n   It may be full.\n\n   ```\n   df -h\n\n   df -i\n   ```\n\n"
        + "   More of it. " * 20
        + "\n\n"
    )
    text = f"# Disk\n\n{step * 6}"
    found = chunks(text)
    assert len(found) > 1
    assert all(chunk.text.lstrip().startswith(("1. Look", "# Disk")) for chunk in found)


def test_code_is_cut_only_where_there_is_no_other_way() -> None:
    """A command cut off from its continuation is worse than a long chunk."""
    code = "```\nfirst command\n\nsecond command\n```\n\n"
    text = ("Do this, then that. " * 20 + "\n\n" + code) * 5
    for chunk in chunks(text):
        assert chunk.text.count("```") % 2 == 0


def test_labels_are_the_words_of_the_title_and_of_headings_that_add_to_it() -> None:
    """A heading that repeats the title does not count twice."""
    text = "# Disk full\n\n" + "Something long about it. " * 15 + "\n## Fix now\n\n" + "Remove what is old. " * 15
    first, second = chunks(text)
    assert first.labels == ("disk", "full")
    assert second.labels == ("disk", "full", "fix", "now")
    assert second.terms[:4] == ("fix", "now", "remove", "old")


def test_names_stand_with_the_chunk_that_holds_them_and_the_titles_with_the_first() -> None:
    """Else every chunk of a runbook would claim its alert."""
    text = "Long words about it. " * 30 + "\n\n" + "Look at node_load15 there. " * 30
    first, *_, last = chunks(text, "NodeBusyNow")
    assert first.names == ("nodebusynow",)
    assert last.names == ("node_load15",)


def test_a_passage_tells_a_model_where_it_stands() -> None:
    """Compound names spelt out, and no heading twice."""
    text = "# KubeAPIDown\n\n" + "Something. " * 30 + "\n## Fix\n\n" + "Restart it. " * 30
    first, second = chunks(text, "KubeAPIDown")
    assert passage("KubeAPIDown", first).splitlines()[0] == "Kube API Down"
    assert passage("KubeAPIDown", second).splitlines()[:2] == ["Kube API Down > Fix", "## Fix"]


def test_text_before_the_first_heading_has_none() -> None:
    """It is not taken to be part of what follows."""
    text = "intro " * 60 + "\n# One\n\n" + "text " * 70
    assert [chunk.headings for chunk in chunks(text)] == [(), ("One",)]


def test_headings_come_from_the_reader_and_not_from_marks_in_the_text() -> None:
    """A `#` in a converted document is a comment of a shell."""
    text = "Title\n# not a heading\n" + "text " * 100
    (one,) = cut("T", text, (Heading(0, 6, 1, "Title"),), KEY)
    assert one.headings == ("Title",)

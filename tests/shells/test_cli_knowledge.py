"""`fm knowledge`: documents in, passages out, and every answer in a form for people and one for programs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from faultmaven_cli import knowledge_screen
from faultmaven_core.knowledge.commands import Coverage, Explanation, KnowledgeHit, SearchResult, Snippet

Fm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def runbooks(tmp_path: Path) -> Path:
    """Two documents, a broken one, and what is no document."""
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "redis.md").write_text(
        "---\nstatus: draft\n---\n# Redis is full\n\n## Remedy\n\nRaise maxmemory \x1b[31mnow\x1b[0m.\n"
    )
    (folder / "dns.txt").write_text("The resolver does not answer.\n")
    (folder / "cut.pdf").write_bytes(b"%PDF-1.7 cut")
    (folder / "logo.png").write_bytes(b"x")
    return folder


def test_a_folder_is_synced_searched_shown_and_deleted(fm: Fm, runbooks: Path) -> None:
    """The way of a person, on a laptop without a model."""
    synced = fm("knowledge", "sync", runbooks)
    assert (synced.returncode, synced.stdout) == (0, "3 added\n")
    assert re.fullmatch(
        r"not read: doc_[0-9a-f]{12} .*/cut\.pdf was not read: it is no PDF that can be read \(damaged, or an unusual kind\)\.\n"
        r"note: files of other kinds, passed over: 1\n",
        synced.stderr,
    )
    found = fm("knowledge", "search", "raise", "maxmemory", "--explain")
    assert found.returncode == 0
    lines = found.stdout.splitlines()
    assert lines[0] == "1. Redis is full > Remedy"
    assert lines[1].endswith(f" · global · {runbooks / 'redis.md'}")
    assert "   Raise maxmemory  [31mnow [0m." in lines
    assert "   This is a draft that nobody has verified." in lines
    assert any(line.startswith("   why: score ") for line in lines)
    assert "\x1b" not in found.stdout
    assert found.stderr == "note: There is no embedding model: this looked for words and names, not for meaning.\n"
    document = lines[1].split()[0]
    shown = fm("knowledge", "show", document, "--text")
    assert shown.stdout == "# Redis is full\n\n## Remedy\n\nRaise maxmemory  [31mnow [0m.\n"
    source = json.loads(fm("knowledge", "show", document, "--json").stdout)["item"]["source"]
    assert source == str(runbooks), "as the help of `list --source` has it"
    assert len(json.loads(fm("knowledge", "list", "--source", source, "--json").stdout)["items"]) == 3
    listed = fm("knowledge", "list")
    assert [line.split("\t")[:4] for line in listed.stdout.splitlines()][1:] == [
        [listed.stdout.splitlines()[1].split("\t")[0], "ready", "global", "dns"],
        [document, "ready", "global", "Redis is full"],
    ]
    asked = fm("knowledge", "delete", document)
    assert (asked.returncode, "add --yes" in asked.stderr) == (2, True)
    assert fm("knowledge", "delete", document, "--yes").returncode == 0
    gone = fm("knowledge", "search", "maxmemory")
    assert gone.stdout == "Nothing was found in 1 document.\n"
    assert fm("knowledge", "show", document).returncode == 4


def test_what_could_not_be_taken_at_all_is_no_success(fm: Fm, tmp_path: Path) -> None:
    """For people and for programs alike; what is said of it is printed in both forms."""
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "cut.pdf").write_bytes(b"%PDF-1.7 cut")
    for name, words in (("pipe.md", "no regular file"), ("cut.pdf", "no PDF that can be read")):
        told = fm("knowledge", "add", tmp_path / name, "--json")
        assert (told.returncode, words in told.stdout) == (2, True), told.stdout
        for document in json.loads(told.stdout)["documents"]:
            fm("knowledge", "delete", document, "--yes")
        plain = fm("knowledge", "add", tmp_path / name)
        assert (plain.returncode, words in plain.stderr) == (2, True), plain.stderr


def test_programs_get_json_and_exit_codes(fm: Fm, runbooks: Path, tmp_path: Path) -> None:
    """Also of what was not read, and where nothing could be read at all."""
    added = json.loads(fm("knowledge", "add", runbooks, "--tag", "ops", "--json").stdout)
    assert (added["added"], added["ignored"], len(added["documents"]), added["given_up"]) == (3, 1, 3, [])
    (failed,) = added["failed"]
    assert failed["document_id"] in added["documents"]
    assert failed["name"] == str(runbooks / "cut.pdf")
    piped = fm(
        "knowledge", "add", "-", "--name", "notes.md", "--scope", "personal", "--json", stdin="# Notes\n\nText.\n"
    )
    assert json.loads(piped.stdout)["added"] == 1
    stats = json.loads(fm("knowledge", "stats", "--json").stdout)
    assert (stats["documents"], stats["states"], stats["model"]) == (4, {"failed": 1, "ready": 3}, "")
    mine = json.loads(fm("knowledge", "list", "--scope", "personal", "--json").stdout)
    assert [item["name"] for item in mine["items"]] == ["notes.md"]
    found = json.loads(fm("knowledge", "search", "resolver", "--json").stdout)
    assert found["hits"][0]["snippet"]["text"].strip() == "The resolver does not answer."
    assert found["coverage"]["vectors"] == "none"
    again = fm("knowledge", "reindex", "--scope", "personal")
    assert (again.returncode, again.stdout) == (0, "documents read anew: 1\n")
    everything = fm("knowledge", "reindex")
    assert (everything.returncode, everything.stdout) == (0, "documents read anew: 3\n")
    assert everything.stderr.startswith(f"not read: {failed['document_id']} ")
    told = json.loads(fm("knowledge", "reindex", "--json").stdout)
    assert (told["documents"], told["failed"], told["given_up"]) == (4, [failed], [])
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.docx").write_bytes(b"PK\x03\x04")
    broken = fm("knowledge", "add", tmp_path / "broken")
    assert (broken.returncode, broken.stdout) == (2, "1 added\n")
    assert "None of these documents could be read" in broken.stderr


def test_what_is_wrong_is_said_before_anything_is_done(fm: Fm, runbooks: Path) -> None:
    """With the exit code for it."""
    for arguments, code, words in (
        (("add", "-"), 2, "--name"),
        (("add", runbooks / "logo.png"), 2, "no ending of a document"),
        (("add", runbooks / "nowhere"), 4, "There is nothing at"),
        (("sync", runbooks / "redis.md"), 2, "only folders are synced"),
        (("search", "x", "--scope", "everything"), 2, "is no scope"),
    ):
        done = fm("knowledge", *arguments)
        assert (done.returncode, words in done.stderr) == (code, True), (arguments, done.stderr)


def hit(text: str, *highlights: tuple[int, int], why: Explanation | None = None) -> SearchResult:
    """A result of one hit with this passage."""
    snippet = Snippet(text, highlights)
    one = KnowledgeHit("doc_1", "Redis", "redis.md", "global", ("Redis", "Remedy"), 0, len(text), snippet, 0.5, "", why)
    return SearchResult((one,), Coverage(1, 1, "used"))


def test_on_a_terminal_what_was_found_is_highlighted(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing that a document holds reaches the terminal as a command."""
    monkeypatch.setattr(knowledge_screen, "colours", lambda: True)
    shown = knowledge_screen.found(hit("use maxmemory\x1b[2J\n\nor evict", (4, 13), (22, 27)))
    assert click.style("maxmemory", bold=True, fg="green") in shown
    assert click.style("evict", bold=True, fg="green") in shown
    assert "\x1b[2J" not in shown
    assert click.unstyle(shown).splitlines()[2:] == ["   use maxmemory [2J", "   or evict"]


def test_long_passages_are_wrapped_between_words_and_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A highlight may lie over a line's end."""
    monkeypatch.setattr(knowledge_screen, "colours", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    text = "word " * 200
    shown = knowledge_screen.found(hit(text, (0, 900)))
    lines = click.unstyle(shown).splitlines()[2:]
    assert lines == [f"   {'word ' * 11}".rstrip()] * 6 + ["   …"]
    unbroken = click.unstyle(knowledge_screen.found(hit("x" * 130))).splitlines()[2:]
    assert unbroken == [f"   {'x' * 57}", f"   {'x' * 57}", f"   {'x' * 16}"]


def test_the_explanation_names_what_each_search_gave() -> None:
    """And is silent on what did not find the passage."""
    why = Explanation(2, 4.5, ("redis", "full"), 1, 0.71, ("redisoutofmemory",), 0.3, 0.2)
    shown = knowledge_screen.found(hit("text", why=why))
    assert shown.splitlines()[3:] == [
        "   why: score 0.5000 = 0.3000 by words + 0.2000 by meaning",
        "        words redis, full (rank 2, BM25 4.50)",
        "        meaning 0.710 (rank 1)",
        "        exact name redisoutofmemory",
    ]
    nothing = Explanation(0, 0.0, (), 0, 0.0, (), 0.0, 0.5)
    assert knowledge_screen.found(hit("text", why=nothing)).splitlines()[4:] == ["        no words"]

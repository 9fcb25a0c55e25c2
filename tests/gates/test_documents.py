"""The documents say what is so: their links lead somewhere, their commands print what stands below them."""

from __future__ import annotations

import dataclasses
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from faultmaven_core.analysis.mechanisms.mechanism import Mechanism

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    file.relative_to(ROOT).as_posix()
    for file in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_within_the_repository_lead_somewhere(document: str) -> None:
    """Also those to a heading."""
    place = ROOT / document
    broken = []
    for link in LINK.findall(place.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, heading = link.partition("#")
        target = (place.parent / path).resolve() if path else place
        if not target.exists() or (heading and f"#{heading}" not in anchors(target)):
            broken.append(link)
    assert broken == []


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, made the way code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_document_is_reached_from_the_index() -> None:
    """What nobody can find is not documentation."""
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {file.name for file in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page}" not in index} == set()
    decisions = (ROOT / "docs" / "adr" / "README.md").read_text()
    assert {f.name for f in (ROOT / "docs" / "adr").glob("0*.md") if f"({f.name})" not in decisions} == set()


def test_decisions_name_what_was_rejected() -> None:
    """A decision without its alternatives cannot be questioned."""
    for file in (ROOT / "docs" / "adr").glob("0*.md"):
        text = file.read_text()
        assert text.startswith(f"# {int(file.name[:4])}. "), file.name
        assert all(part in text for part in ("**Context.**", "**Decision.**", "**Rejected.**")), file.name


def test_shown_commands_print_what_the_documents_show() -> None:
    """Every console block is run; `make docs` renews them when the product says it better."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "examples.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_changelog_has_the_form_it_names() -> None:
    """Keep a Changelog: an unreleased section, and kinds of change that it knows."""
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "\n## [Unreleased]\n" in text
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_guide_to_mechanisms_names_every_key_that_is_read_and_no_other() -> None:
    """Who writes knowledge has only this table."""
    table = (ROOT / "docs" / "knowledge.md").read_text().partition("## Mechanisms")[2]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    documented = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert documented == {field.name for field in dataclasses.fields(Mechanism)}


def shown_commands() -> list[str]:
    """The `fm` commands in the README's shell blocks, without what follows a pipe or a comment."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    lines = [part.strip() for block in blocks for line in block.splitlines() for part in line.split("|")]
    return sorted({line.partition(" #")[0].strip() for line in lines if line.startswith("fm ")})


@pytest.mark.parametrize("command", shown_commands())
def test_commands_of_the_readme_exist_with_the_options_shown(command: str) -> None:
    """Those that need a cluster or a case of the reader's own are not run, but looked up."""
    words = shlex.split(command)[1:]
    path = words[:1] if words[0] in {"investigate", "report", "verify"} else words[:2]
    asked = [sys.executable, "-m", "faultmaven_cli.main", *path, "--help"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", done.stdout))


def test_the_figures_of_the_readme_are_those_of_the_measurement() -> None:
    """One place is renewed when they are measured again; the other must not stay behind."""
    section = (ROOT / "README.md").read_text().partition("**It is measured**")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("|")]
    assert len(rows) > 4
    measured = (ROOT / "docs" / "quality.md").read_text().splitlines()
    assert [row for row in rows if row not in measured] == []

"""Five hundred documents of all kinds, twenty of them broken, in an installation of files and SQLite."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from docx import Document as WordDocument

from faultmaven import FaultMaven, load_settings
from faultmaven_core.jobs.commands import ShowJob
from faultmaven_core.knowledge import commands as c

DOCUMENTS, BROKEN = 500, 20
LOOK_SECONDS = 0.05

_WORDS = ("alder", "birch", "cedar", "dogwood", "elder", "fir", "gorse", "hazel", "ivy", "juniper", "larch", "maple")


def code(number: int) -> str:
    """A word that stands in one document only, as an error code does."""
    return f"E{7000 + number}{_WORDS[number % len(_WORDS)]}"


def markdown(number: int) -> bytes:
    """A runbook with front matter, code and headings."""
    return (
        f"---\ntitle: Runbook {number}\ntags: [{_WORDS[number % 12]}]\n---\n# Runbook {number}\n\n## Meaning\n\n"
        f"The service ends with {code(number)}.\n\n## Remedy\n\n```sh\n# restart it\nsystemctl restart s{number}\n```\n"
    ).encode()


def plain(number: int) -> bytes:
    """A note."""
    return f"Note {number}\n\nWe saw {code(number)} after the release.\n".encode()


def html(number: int) -> bytes:
    """A page of a wiki."""
    return f"<!DOCTYPE html><html><body><h1>Page {number}</h1><h2>Cause</h2><p>{code(number)} &amp; more</p></body></html>".encode()


def pdf(number: int) -> bytes:
    """A report with a heading in larger letters."""
    lines = ((22, f"Report {number}"), (11, f"The cause was {code(number)} in the end"), (11, "and nothing else."))
    shown = "".join(f"/F1 {height} Tf ({text}) Tj 0 -30 Td " for height, text in lines)
    stream = f"BT 50 780 Td {shown}ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    data, places = b"%PDF-1.4\n", []
    for at, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (at, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(data)
    return data + b"xref\n0 6\n0000000000 65535 f \n" + table + trailer


def word(number: int) -> bytes:
    """A post-mortem."""
    made, sink = WordDocument(), io.BytesIO()
    made.add_heading(f"Post-mortem {number}", level=1)
    made.add_paragraph(f"At ten the pods ended with {code(number)}.")
    made.save(sink)
    return sink.getvalue()


KINDS = {"md": markdown, "txt": plain, "html": html, "pdf": pdf, "docx": word}


def broken() -> Iterator[tuple[str, bytes, str]]:
    """Name, content and words of the reason: ways in which documents break."""
    for n in range(4):
        yield f"cut{n}.pdf", pdf(n)[: 60 + n], "no PDF that can be read"
        yield f"cut{n}.docx", word(n)[: 2000 + n], "no Word document that can be read"
        yield f"binary{n}.md", bytes(range(n, 32)) * 20, "binary and no text"
        yield f"latin{n}.txt", f"caf\xe9 au lait {n}".encode("latin-1"), "no text in UTF-8"
    yield "scan.pdf", pdf(0).replace(b" Tj", b" pop"), "holds no text"
    yield "script.html", b"<html><script>x()</script></html>", "holds no text"
    yield "blank.md", b" \n\n", "holds no text"
    yield "other.docx", zipped(), "no Word document that can be read"


def zipped() -> bytes:
    """An archive that is no document."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("readme", "text")
    return sink.getvalue()


def written(folder: Path) -> Mapping[str, str]:
    """The documents in folders by kind; the words of the reason by the names of broken ones."""
    reasons = {}
    for number in range(DOCUMENTS - BROKEN):
        kind = list(KINDS)[number % len(KINDS)]
        place = folder / kind
        place.mkdir(parents=True, exist_ok=True)
        (place / f"d{number}.{kind}").write_bytes(KINDS[kind](number))
    for name, content, words in broken():
        (folder / name).write_bytes(content)
        reasons[name] = words
    return reasons


async def ended(fm: FaultMaven, jobs: tuple[str, ...]) -> list[str]:
    """The states of jobs once none is open."""
    while True:
        states = [(await fm.jobs.show(ShowJob(job), fm.caller)).job.state for job in jobs]
        if not {"queued", "running", "waiting"} & set(states):
            return states
        await asyncio.sleep(LOOK_SECONDS)


async def documents(fm: FaultMaven, state: str) -> dict[str, c.DocumentView]:
    """All of a state, by the last part of their name."""
    page = await fm.knowledge.list(c.ListDocuments(("global",), state=state, limit=1000), fm.caller)
    return {item.name.rpartition("/")[2]: item for item in page.items}


async def found(fm: FaultMaven, text: str) -> list[str]:
    """The names that a search finds, best first."""
    result = await fm.knowledge.search(c.SearchKnowledge(text, ("global",), limit=3), fm.caller)
    return [hit.name.rpartition("/")[2] for hit in result.hits]


async def test_all_good_documents_are_found_and_each_broken_one_says_why(tmp_path: Path) -> None:
    """Added, embedded, searched, synced and deleted on the settings of a laptop."""
    folder = tmp_path / "library"
    reasons = written(folder)
    assert len(reasons) == BROKEN
    settings = load_settings({"FM_HOME": str(tmp_path / "home"), "FM_EMBEDDING_URL": "hashing:"})
    async with FaultMaven.open(settings) as fm:
        taken = await fm.knowledge.sync(c.SyncDocuments(str(folder)), fm.caller)
        assert (taken.added, taken.duplicates, taken.problems) == (DOCUMENTS, 0, ())
        assert set(await ended(fm, taken.jobs)) == {"succeeded"}
        failed = await documents(fm, "failed")
        assert set(failed) == set(reasons)
        assert [name for name, words in reasons.items() if words not in failed[name].problem] == []
        counts = await fm.knowledge.stats(c.CountKnowledge(("global",)), fm.caller)
        assert counts.states == {"ready": DOCUMENTS - BROKEN, "failed": BROKEN}
        assert counts.embedded == DOCUMENTS - BROKEN
        missed = []
        for number in range(DOCUMENTS - BROKEN):
            kind = list(KINDS)[number % len(KINDS)]
            if (await found(fm, code(number)))[:1] != [f"d{number}.{kind}"]:
                missed.append(number)
        assert missed == []
        # Another day: nothing changed but one that went and one that was mended.
        (folder / "md" / "d0.md").unlink()
        (folder / "cut0.pdf").write_bytes(pdf(9999))
        later = await fm.knowledge.sync(c.SyncDocuments(str(folder)), fm.caller)
        assert (later.added, later.changed, later.removed, later.unchanged) == (0, 1, 1, DOCUMENTS - 2)
        assert set(await ended(fm, later.jobs)) == {"succeeded"}
        assert (await found(fm, code(9999)))[:1] == ["cut0.pdf"]
        assert "d0.md" not in await found(fm, code(0))
        one = (await documents(fm, "ready"))["d5.md"]
        gone = await fm.knowledge.delete(c.DeleteDocument(one.document_id), fm.caller)
        assert "d5.md" not in await found(fm, code(5))
        assert await ended(fm, (gone.job,)) == ["succeeded"]
    originals = [path for path in (tmp_path / "home").rglob("*.blob") if path.is_file()]
    assert len(originals) == DOCUMENTS - 2

"""`fm verify` and `fm redact`, as a person types them."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from faultmaven_cli.redact import redact
from faultmaven_cli.verify import claims_of, verify_command
from faultmaven_core.shared.errors import InvalidInputError

LINE = "ERROR connection refused by db:5432"
CONTENT = f"INFO fine\n{LINE}\n".encode()


def claim(text: str, **changes: Any) -> dict[str, Any]:
    """A claim of the second line of the log."""
    cited = {
        "file": "app.log",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "bytes": [10, 10 + len(LINE)],
        "lines": [2, 2],
        "text_sha256": hashlib.sha256(LINE.encode()).hexdigest(),
    }
    return {"id": "c1", "text": text, "kind": "observed", "citations": [cited], **changes}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Evidence: a log, its compressed twin, an empty file and a link that is not followed."""
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "app.log").write_bytes(CONTENT)
    (evidence / "old.log.gz").write_bytes(gzip.compress(b"other\n" + CONTENT))
    (evidence / "empty").write_bytes(b"")
    (evidence / "link").symlink_to("app.log")
    return tmp_path


def run(folder: Path, claims: object, *options: str) -> tuple[int, str]:
    """Exit code and output of `fm verify` for claims as JSON, or JSON lines from a list."""
    path = folder / "claims.json"
    lines = [json.dumps(row) for row in claims] if isinstance(claims, list) else [json.dumps(claims)]
    path.write_text("\n".join(lines), encoding="utf-8")
    done = CliRunner().invoke(verify_command, [str(path), "--evidence", str(folder / "evidence"), *options])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_a_record_whose_claims_hold_ends_well(folder: Path) -> None:
    """Each claim with its judgement and the reason."""
    code, said = run(folder, {"schema": "rca-record/1", "claims": [claim(LINE, status="verified")]})
    assert code == 0
    assert said.startswith("verified")
    assert "word for word" in said


def test_a_claim_that_calls_itself_verified_and_is_not_fails_the_run(folder: Path) -> None:
    """So that a pipeline can refuse somebody's report."""
    code, said = run(folder, {"claims": [claim(LINE.replace("refused", "accepted"), status="verified")]})
    assert code == 1
    assert said.startswith("unverified")


def test_claims_as_lines_are_judged_by_their_ids_without_a_status(folder: Path) -> None:
    """The form in which the scorer asks."""
    rows = [
        {"id": "a", "claim": claim(LINE)},
        {"id": "b", "claim": claim(LINE.replace("5432", "5433"))},
        {"id": "c", "claim": claim(LINE, kind="inferred")},
    ]
    code, said = run(folder, rows, "--json")
    assert code == 0
    found = {row["id"]: row["status"] for row in map(json.loads, said.splitlines())}
    assert found == {"a": "verified", "b": "unverified", "c": "unverified"}


@pytest.mark.parametrize(
    "changes",
    [
        {"citations": "none"},
        {"text": 7},
        {"kind": None},
        {"citations": [{"file": "app.log"}]},
        {"citations": [7]},
        {"citations": []},
    ],
)
def test_what_is_not_formed_like_a_claim_is_unverified(folder: Path, changes: dict[str, Any]) -> None:
    """One bad claim must not stop the judging of the others."""
    code, said = run(folder, [claim(LINE) | changes, claim(LINE)], "--json")
    assert code == 0
    assert [json.loads(line)["status"] for line in said.splitlines()] == ["unverified", "verified"]


@pytest.mark.parametrize("digested", ["packed", "unpacked"])
def test_a_compressed_file_is_known_by_its_own_digest_and_by_that_of_its_content(folder: Path, digested: str) -> None:
    """Spans count in the unpacked content."""
    unpacked = b"other\n" + CONTENT
    name = unpacked if digested == "unpacked" else (folder / "evidence" / "old.log.gz").read_bytes()
    row = claim(LINE)
    row["citations"][0] |= {
        "sha256": hashlib.sha256(name).hexdigest(),
        "bytes": [16, 16 + len(LINE)],
        "lines": [3, 3],
    }
    assert run(folder, [row], "--json")[1].count('"verified"') == 1


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz"])
def test_members_of_archives_are_evidence(tmp_path: Path, suffix: str) -> None:
    """A record of a bundle holds for the bundle itself, also where it lies packed in another."""
    (tmp_path / "evidence").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "app.log").write_bytes(CONTENT)
    archive = tmp_path / "evidence" / f"bundle{suffix}"
    form = {".zip": "zip", ".tar": "tar", ".tar.gz": "gztar"}[suffix]
    shutil.make_archive(str(archive).removesuffix(suffix), form, tmp_path, "logs")
    assert run(tmp_path, [claim(LINE)])[1].startswith("verified")
    shutil.rmtree(tmp_path / "logs")
    with zipfile.ZipFile(tmp_path / "evidence" / "outer.zip", "w") as outer:
        outer.write(archive, "inner")
    archive.unlink()
    assert run(tmp_path, [claim(LINE)])[1].startswith("verified")


def test_what_an_archive_does_not_give_away_is_said(tmp_path: Path) -> None:
    """Else a claim of it would look like an invention."""
    (tmp_path / "evidence").mkdir()
    with zipfile.ZipFile(tmp_path / "evidence" / "a.zip", "w") as packed:
        packed.writestr("../app.log", CONTENT)
    assert "note: a.zip!../app.log was not read" in run(tmp_path, [claim(LINE)])[1]


def test_a_record_cannot_steer_the_terminal(folder: Path) -> None:
    """It is somebody else's text."""
    assert "\x1b" not in run(folder, [claim("\x1b[2Jgone", id="\x1b]0;x")])[1]


def test_the_exit_code_reaches_the_shell(folder: Path) -> None:
    """What a pipeline sees is the process, not the command."""
    path = folder / "claims.json"
    path.write_text(json.dumps(claim("It was never written.", status="verified")), encoding="utf-8")
    command = [sys.executable, "-m", "faultmaven_cli.main", "verify", str(path), "--evidence", str(folder / "evidence")]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1


def test_a_broken_compressed_file_is_named(folder: Path) -> None:
    """With what to do about it."""
    (folder / "evidence" / "broken.gz").write_bytes(gzip.compress(CONTENT)[:-9])
    with pytest.raises(InvalidInputError, match=r"broken\.gz cannot be unpacked"):
        run(folder, [claim(LINE)])


def test_a_line_that_is_no_claim_is_named(folder: Path) -> None:
    """A report in another format is not silently called true."""
    path = folder / "claims.json"
    path.write_text("# Report\n", encoding="utf-8")
    done = CliRunner().invoke(verify_command, [str(path), "--evidence", str(folder)])
    assert "line 1 is no claim" in str(done.exception)


def test_a_line_ends_where_json_lines_end(folder: Path) -> None:
    """A separator of lines that stands inside of a JSON string is part of the string."""
    path = folder / "claims.jsonl"
    path.write_text(json.dumps(claim(f"{LINE}\u2028"), ensure_ascii=False) + "\r\n\n", encoding="utf-8")
    assert [row["text"] for row in claims_of(path)] == [f"{LINE}\u2028"]


def test_redact_masks_a_text_from_stdin() -> None:
    """The same secret twice is the same placeholder twice."""
    done = CliRunner().invoke(redact, ["-"], input="password=hunter2x and hunter2x from 10.0.0.1\n")
    assert done.output == "password=[redacted:secret:1] and [redacted:secret:1] from 10.0.0.1\n"
    asked = CliRunner().invoke(redact, ["-", "--addresses"], input="from 10.0.0.1")
    assert asked.output == "from [redacted:ip:1]"


def test_redact_masks_a_field_of_json_lines_or_says_where(tmp_path: Path) -> None:
    """For data sets; other fields stay."""
    path = tmp_path / "texts.jsonl"
    path.write_text('{"id": 1, "text": "a@example.org"}\n\n{"id": 2, "text": "none"}\n', encoding="utf-8")
    masked = CliRunner().invoke(redact, [str(path), "--field", "text"]).output.splitlines()
    assert [json.loads(line)["text"] for line in masked] == ["[redacted:email:1]", "none"]
    spans = CliRunner().invoke(redact, [str(path), "--field", "text", "--spans"]).output.splitlines()
    assert [json.loads(line) for line in spans] == [{"id": 1, "masked": [[0, 13, "email"]]}, {"id": 2, "masked": []}]


@pytest.mark.parametrize(
    ("content", "said"), [("plain\n", "line 1 is no JSON object"), ('{"a": 1}', "no text in 'text'")]
)
def test_redact_names_the_line_that_has_no_such_field(tmp_path: Path, content: str, said: str) -> None:
    """Rather than leaving it out."""
    path = tmp_path / "texts.jsonl"
    path.write_text(content, encoding="utf-8")
    done = CliRunner().invoke(redact, [str(path), "--field", "text"])
    assert isinstance(done.exception, InvalidInputError)
    assert said in str(done.exception)

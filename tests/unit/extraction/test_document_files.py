"""Documents are found in folders and git checkouts, under names that every copy of a checkout shares."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_adapters.extraction import walk
from faultmaven_adapters.extraction.document_files import LocalDocumentFiles
from faultmaven_adapters.extraction.git_checkout import checkout_of
from faultmaven_core.shared.errors import NotFoundError, PreconditionFailedError, UnsupportedTypeError

ORIGIN = "https://ann:secret@example.com/acme/runbooks.git"
SHARED = "https://example.com/acme/runbooks"


@pytest.fixture
async def files() -> AsyncIterator[LocalDocumentFiles]:
    """Of this machine."""
    made = LocalDocumentFiles()
    yield made
    await made.aclose()


def git(folder: Path, *arguments: str) -> None:
    """Run git as somebody, with nothing of this machine's settings."""
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    who = ["-c", "user.name=ann", "-c", "user.email=ann@example.com"]
    subprocess.run(["git", *who, *arguments], cwd=folder, env=environ, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with documents that are tracked, others that are not, and what is no document."""
    root = tmp_path / "checkout"
    for name in ("redis.md", "db/postgres full.html", "db/größe.txt", "logo.png", "draft.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "link.md").symlink_to("redis.md")
    git(root, "init", "-q")
    git(root, "remote", "add", "origin", ORIGIN)
    git(root, "add", "redis.md", "db", "logo.png", "link.md")
    git(root, "commit", "-q", "-m", "first")
    return root


async def test_a_folder_gives_its_documents_by_their_paths_and_counts_the_rest(
    files: LocalDocumentFiles, tmp_path: Path
) -> None:
    """Hidden files and folders are none of ours; a link may lead anywhere and is told."""
    for name in ("b.md", "a/x.TXT", "a/pic.png", ".hidden.md", ".git_like/y.md", "notes"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    (tmp_path / "z.md").symlink_to("b.md")
    found = await files.find(str(tmp_path))
    assert found.source == str(tmp_path)
    assert [(file.name, file.path, file.size) for file in found.documents[:2]] == [
        (str(tmp_path / name), str(tmp_path / name), 4) for name in ("a/x.TXT", "b.md")
    ]
    assert found.documents[0].modified_ns == (tmp_path / "a" / "x.TXT").stat().st_mtime_ns
    assert "symbolic link" in found.documents[2].problem
    assert found.ignored == 2


async def test_a_single_file_must_be_there_and_of_a_kind_that_is_taken(
    files: LocalDocumentFiles, tmp_path: Path
) -> None:
    """What it is not is said with what is taken."""
    (tmp_path / "x.md").write_text("x")
    (tmp_path / "x.png").write_text("x")
    (one,) = (await files.find(str(tmp_path / "x.md"))).documents
    assert (one.name, one.size) == (str(tmp_path / "x.md"), 1)
    with pytest.raises(UnsupportedTypeError, match=r"Markdown \(\.md\)"):
        await files.find(str(tmp_path / "x.png"))
    with pytest.raises(NotFoundError, match="nothing at"):
        await files.find(str(tmp_path / "y.md"))


@pytest.mark.parametrize("version", ["2", "4"])
async def test_of_a_checkout_the_tracked_documents_are_taken_under_its_origin(
    files: LocalDocumentFiles, repository: Path, version: str
) -> None:
    """Without the user and password that people put into addresses, in every version of the index."""
    git(repository, "update-index", "--index-version", version)
    found = await files.find(str(repository))
    assert found.source == SHARED
    assert [file.name for file in found.documents] == [
        f"{SHARED}/{name}" for name in ("db/größe.txt", "db/postgres full.html", "redis.md")
    ]
    assert found.documents[2].path == str(repository / "redis.md")
    assert (found.ignored, found.untracked) == (1, 1)  # the logo; the draft
    part = await files.find(str(repository / "db"))
    assert (part.source, len(part.documents)) == (f"{SHARED}/db", 2)
    (one,) = (await files.find(str(repository / "redis.md"))).documents
    assert one.name == f"{SHARED}/redis.md"


async def test_a_tracked_file_that_is_not_there_is_removed_and_one_that_became_a_link_is_told(
    files: LocalDocumentFiles, repository: Path
) -> None:
    """A link could lead out of the checkout."""
    (repository / "redis.md").unlink()
    (repository / "db" / "größe.txt").unlink()
    (repository / "db" / "größe.txt").symlink_to("/etc/passwd")
    found = await files.find(str(repository))
    assert [(file.name.rpartition("/")[2], bool(file.problem)) for file in found.documents] == [
        ("größe.txt", True),
        ("postgres full.html", False),
    ]


async def test_worktrees_are_read_as_the_checkout_that_they_belong_to(
    files: LocalDocumentFiles, repository: Path, tmp_path: Path
) -> None:
    """Their settings stand in the main checkout, their index does not."""
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"))
    found = await files.find(str(tmp_path / "other"))
    assert (found.source, len(found.documents)) == (SHARED, 3)


async def test_a_checkout_without_origin_is_named_by_its_folder(files: LocalDocumentFiles, repository: Path) -> None:
    """It has no other name."""
    git(repository, "remote", "remove", "origin")
    found = await files.find(str(repository))
    assert found.source == str(repository)
    assert found.documents[-1].name == str(repository / "redis.md")


async def test_a_checkout_whose_index_cannot_be_read_gives_nothing_and_says_why(
    files: LocalDocumentFiles, repository: Path
) -> None:
    """Cut short, of another version, empty, split or not ours to read: a draft that was never shared must not come along."""
    index = repository / ".git" / "index"
    whole = index.read_bytes()
    for content in (whole[:100], b"DIRC\0\0\0\x09\0\0\0\0", b""):
        index.write_bytes(content)
        with pytest.raises(PreconditionFailedError, match=f"{re.escape(str(repository))}.*damaged"):
            await files.find(str(repository))
    (one,) = (await files.find(str(repository / "draft.md"))).documents
    assert one.name == f"{SHARED}/draft.md"
    index.unlink()
    index.mkdir()
    with pytest.raises(PreconditionFailedError, match="directory"):
        await files.find(str(repository))
    index.rmdir()
    index.write_bytes(whole)
    git(repository, "update-index", "--split-index")
    with pytest.raises(PreconditionFailedError, match="--no-split-index"):
        await files.find(str(repository))
    git(repository, "update-index", "--no-split-index")
    assert len((await files.find(str(repository))).documents) == 3


async def test_of_a_checkout_into_which_nothing_was_added_nothing_is_taken(
    files: LocalDocumentFiles, repository: Path
) -> None:
    """It has no index yet; what stands there is counted, so that nobody wonders."""
    (repository / ".git" / "index").unlink()
    found = await files.find(str(repository))
    assert (found.documents, found.untracked) == ((), 4)
    shutil.rmtree(repository / ".git")
    assert checkout_of(str(repository)) is None


async def test_a_name_that_is_no_text_is_told_and_not_taken(files: LocalDocumentFiles, tmp_path: Path) -> None:
    """No database could keep it."""
    (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("x")
    (one,) = (await files.find(str(tmp_path))).documents
    assert "not UTF-8" in one.problem
    one.name.encode()


async def test_what_was_not_come_to_in_a_huge_folder_is_not_gone(
    files: LocalDocumentFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole folder is named as not seen, so nothing that stood in any part of it counts as removed."""
    monkeypatch.setattr(walk, "MAX_FILES", 3)
    for name in ("a/1.md", "a/2.md", "b/3.md", "c/4.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("# Text\n")
    found = await files.find(str(tmp_path))
    assert [file.name for file in found.documents if file.problem] == [str(tmp_path)]

"""The work that is done on evidence, in pieces that any process can do: what goes in, what comes out."""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import BinaryIO

from faultmaven_adapters.extraction.scratch import FolderScratch
from faultmaven_core.analysis.extract.large_log import finish
from faultmaven_core.analysis.extract.log_pass import read_log_segment
from faultmaven_core.analysis.extract.log_summary import LogSummary, merge
from faultmaven_core.analysis.extract.source import Reading, read_whole
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.intake.limits import CHUNK, Limits
from faultmaven_core.analysis.intake.prepare import Prepared, prepare
from faultmaven_core.analysis.intake.unpack import Unpacker
from faultmaven_core.analysis.model import Extraction
from faultmaven_core.knowledge.reading import read_document
from faultmaven_core.ports.document_reader import ReadDocument
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError


@dataclass(frozen=True, slots=True)
class Prepare:
    """Open a file, unpack what is in it to the folder under the prefix. Replies: Opened, then Prepared each."""

    name: str
    path: str
    folder: str
    prefix: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Opened:
    """The file on disk as it was found."""

    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class ReadWhole:
    """Extract a content that is small enough to be held. Replies: Extraction."""

    reading: Reading
    path: str


@dataclass(frozen=True, slots=True)
class Digest:
    """Compute the SHA-256 of the first `size` bytes. Replies: the digest in hex."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Summarise:
    """Read one segment of a large log. Replies: its summary, pickled: only processes like this one look into it."""

    path: str
    start: int
    end: int
    fast: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """Put summaries that follow each other together. Replies: their summary, pickled."""

    summaries: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """Say what the summary of a large log means. Replies: Extraction."""

    reading: Reading
    sha256: str
    summary: bytes


@dataclass(frozen=True, slots=True)
class ReadText:
    """Read a document of knowledge. Replies: ReadDocument."""

    path: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a job was given up: refused | system | memory | depth | defect (in the process), killed | timeout (of the process)."""

    why: str
    detail: str = ""
    error: str = ""


Job = Prepare | ReadWhole | Digest | Summarise | Merge | Finish | ReadText
Reply = Opened | Prepared | Extraction | ReadDocument | str | bytes | Failed


def run(job: Job, tools: Tools) -> Iterator[Reply]:
    """Do the work; replies until it is done or Failed."""
    try:
        yield from _replies(job, tools)
    except (InvalidInputError, TooLargeError) as error:
        yield Failed("refused", str(error))
    except OSError as error:
        yield Failed("system", error.strerror or str(error), type(error).__name__)
    except MemoryError:
        yield Failed("memory")
    except RecursionError:
        yield Failed("depth")
    except Exception as error:  # noqa: BLE001 - a bug in one extractor must cost one file, not the run
        yield Failed("defect", type(error).__name__)


def _replies(job: Job, tools: Tools) -> Iterator[Reply]:
    if isinstance(job, Finish):
        yield finish(job.reading, job.sha256, [_summary(job.summary)], tools)
        return
    if isinstance(job, Merge):
        yield pickle.dumps(reduce(merge, map(_summary, job.summaries)))
        return
    with open_regular(job.path) as stream:
        if isinstance(job, Prepare):
            status = os.fstat(stream.fileno())
            yield Opened(status.st_size, status.st_mtime_ns)
            scratch = FolderScratch(job.folder, job.prefix)
            yield from prepare(job.name, stream, Unpacker(scratch, tools.documents, tools.zstd, job.limits))
        elif isinstance(job, ReadWhole):
            data = stream.read(job.reading.prepared.size)
            if len(data) < job.reading.prepared.size:
                raise OSError(0, "it became shorter while it was read")
            yield read_whole(job.reading, data, tools)
        elif isinstance(job, ReadText):
            yield read_document(stream, job.media_type, tools.documents, tools.structured)
        elif isinstance(job, Digest):
            yield digest_of(stream, job.size)
        else:
            yield pickle.dumps(read_log_segment(stream, job.start, job.end, tools, fast=job.fast))


def _summary(data: bytes) -> LogSummary:
    summary: LogSummary = pickle.loads(data)  # noqa: S301 - written by `Summarise` or `Merge`
    return summary


def open_regular(path: str) -> BinaryIO:
    """A file for reading, if it is one: a pipe that took its place must not block us.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is no regular file any more")
    return open(descriptor, "rb")


def digest_of(stream: BinaryIO, size: int) -> str:
    """SHA-256 of the first `size` bytes, or of what is there."""
    digest, left = hashlib.sha256(), size
    while left and (chunk := stream.read(min(left, 4 * CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest()

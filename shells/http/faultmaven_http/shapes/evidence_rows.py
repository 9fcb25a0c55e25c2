"""Evidence of the core in the words of clients."""

from __future__ import annotations

from faultmaven_core.evidence.commands import EvidenceDetail, EvidenceView
from faultmaven_http.shapes import evidence as s

_PACES = ("KB", "MB", "GB", "TB")


def file_of(item: EvidenceView) -> s.UploadedFile:
    """A row of the list of files."""
    return s.UploadedFile(
        item.evidence_id,
        item.name,
        item.size,
        item.turn,
        1,  # here a file and the evidence that it is are one
        size_display(item.size),
        item.added_at,
        item.origin or "file_upload",
        _status(item),
        item.explanation,
        item.details,
    )


def detail_of(detail: EvidenceDetail) -> s.UploadedFileDetail:
    """A file with what it gave."""
    item = detail.item
    row = file_of(item)
    kinds = sorted({source.kind for source in detail.sources if source.kind})
    lines = sum(source.lines for source in detail.sources)
    summary = item.explanation or (f"{lines:,} lines of {', '.join(kinds)}." if kinds else "Not read yet.")
    derived = s.DerivedEvidence(
        item.evidence_id,
        summary,
        item.kind or (kinds[0] if kinds else "unknown"),
        (),
        item.turn,
        row.source_type,
        "baseline" if item.role == "baseline" else "diagnosis",
    )
    return s.UploadedFileDetail(
        row.file_id,
        row.filename,
        row.size_bytes,
        row.uploaded_at_turn,
        row.evidence_count,
        row.size_display,
        row.uploaded_at,
        row.source_type,
        "failed" if row.analysis_status == "failed" else "completed" if detail.sources else "pending",
        summary,
        row.source_metadata,
        (derived,),
        item.details.get("content_type", "application/octet-stream"),
        item.sha256,
        row.source_type,
    )


def size_display(size: int) -> str:
    """A size as people read it: in steps of 1024, with one digit after the point."""
    if size < 1024:
        return f"{size} B"
    number, pace = size / 1024, 0
    while number >= 1024 and pace < len(_PACES) - 1:
        number, pace = number / 1024, pace + 1
    return f"{number:.1f} {_PACES[pace]}"


def _status(item: EvidenceView) -> str:
    return "completed" if item.state == "available" else "failed"

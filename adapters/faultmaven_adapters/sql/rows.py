"""Values of the core as rows and back; both databases' and the memory's repositories agree because this is the only place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from faultmaven_core import codec
from faultmaven_core.analysis.model import Role
from faultmaven_core.cases.dialogue import Dialogue, Message, MessageRole
from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.milestones import Figures
from faultmaven_core.cases.model import Case, CaseStatus, Judgement, Priority, Transition, search_text
from faultmaven_core.evidence.model import Custody, Evidence, SeenSource
from faultmaven_core.evidence.uploads import Upload
from faultmaven_core.jobs.model import Job, JobState, Progress
from faultmaven_core.shared.caller import Caller


def case_row(case: Case) -> dict[str, Any]:
    """The row of a case."""
    return {
        "organization_id": case.organization,
        "key": case.key,
        "id": case.id,
        "owner": case.owner,
        "title": case.title,
        "question": case.question,
        "status": str(case.status),
        "verdict": case.verdict,
        "cause": case.cause,
        "mechanism": case.mechanism,
        "judgement": str(case.judgement),
        "actual_cause": case.actual_cause,
        "closure_reason": case.closure_reason,
        "history": codec.to_builtins(case.history),
        "records": case.records,
        "description": case.description,
        "priority": str(case.priority),
        "source": case.source,
        "metadata": case.metadata,
        "turns": case.turns,
        "messages": case.messages,
        "dialogue": codec.to_builtins(case.dialogue),
        "deleted_at": case.deleted_at,
        "archived_at": case.archived_at,
        "teams": "".join(f" {team} " for team in case.teams),
        "figures": codec.to_builtins(case.figures),
        "search_text": search_text(case),
        "created_at": case.created_at,
        "updated_at": case.updated_at,
        "closed_at": case.closed_at,
        "version": case.version,
    }


def case_of(row: Any) -> Case:
    """The case of a row."""
    return Case(
        row.key,
        row.id,
        row.organization_id,
        row.owner,
        row.title,
        row.question,
        row.created_at,
        row.updated_at,
        CaseStatus(row.status),
        row.verdict,
        row.cause,
        row.mechanism,
        Judgement(row.judgement),
        row.actual_cause,
        row.closure_reason,
        row.closed_at,
        codec.restored(tuple[Transition, ...], row.history),
        row.records,
        row.description,
        Priority(row.priority),
        row.source,
        row.metadata,
        row.turns,
        row.messages,
        codec.restored(Dialogue, row.dialogue),
        row.deleted_at,
        row.archived_at,
        tuple(row.teams.split()),
        codec.restored(Figures, row.figures),
        row.version,
    )


def message_row(message: Message, organization: str) -> dict[str, Any]:
    """The row of a message."""
    return {
        "organization_id": organization,
        "case_id": message.case_id,
        "sequence": message.sequence,
        "key": message.key,
        "id": message.id,
        "turn": message.turn,
        "role": str(message.role),
        "author": message.author,
        "text": message.text,
        "at": message.at,
        "metadata": message.metadata,
    }


def message_of(row: Any) -> Message:
    """The message of a row."""
    return Message(
        row.key,
        row.id,
        row.case_id,
        row.sequence,
        row.turn,
        MessageRole(row.role),
        row.author,
        row.text,
        row.at,
        row.metadata,
    )


def entry_row(entry: JournalEntry, organization: str) -> dict[str, Any]:
    """The row of a journal entry."""
    return {
        "organization_id": organization,
        "case_id": entry.case_id,
        "sequence": entry.sequence,
        "key": entry.key,
        "at": entry.at,
        "actor": entry.actor,
        "kind": entry.kind,
        "detail": entry.detail,
        "previous": entry.previous,
        "digest": entry.digest,
    }


def entry_of(row: Any) -> JournalEntry:
    """The journal entry of a row."""
    return JournalEntry(
        row.case_id, row.sequence, row.key, row.at, row.actor, row.kind, row.detail, row.previous, row.digest
    )


def evidence_row(item: Evidence) -> dict[str, Any]:
    """The row of a piece of evidence."""
    return {
        "organization_id": item.organization,
        "key": item.key,
        "id": item.id,
        "case_id": item.case_id,
        "name": item.name,
        "role": str(item.role),
        "custody": str(item.custody),
        "location": item.location,
        "blob": item.blob,
        "size": item.size,
        "modified_ns": item.modified_ns,
        "sha256": item.sha256,
        "kind": item.kind,
        "problem": item.problem,
        "sources": codec.to_builtins(item.sources),
        "turn": item.turn,
        "origin": item.origin,
        "details": item.details,
        "added_at": item.added_at,
        "added_by": item.added_by,
        "version": item.version,
    }


def evidence_of(row: Any) -> Evidence:
    """The evidence of a row."""
    return Evidence(
        row.key,
        row.id,
        row.organization_id,
        row.case_id,
        row.name,
        Role(row.role),
        Custody(row.custody),
        row.added_at,
        row.added_by,
        row.location,
        row.blob,
        row.size,
        row.modified_ns,
        row.sha256,
        row.kind,
        row.problem,
        codec.restored(tuple[SeenSource, ...], row.sources),
        row.turn,
        row.origin,
        row.details,
        row.version,
    )


def upload_row(upload: Upload) -> dict[str, Any]:
    """The row of an upload."""
    return {
        "organization_id": upload.organization,
        "key": upload.key,
        "id": upload.id,
        "case_id": upload.case_id,
        "owner": upload.owner,
        "name": upload.name,
        "role": str(upload.role),
        "size": upload.size,
        "created_at": upload.created_at,
        "resumable": upload.resumable,
        "sha256": upload.sha256,
        "received": upload.received,
        "parts": list(upload.parts),
        "details": upload.details,
        "version": upload.version,
    }


def upload_of(row: Any) -> Upload:
    """The upload of a row."""
    return Upload(
        row.key,
        row.id,
        row.organization_id,
        row.case_id,
        row.owner,
        row.name,
        Role(row.role),
        row.size,
        row.created_at,
        row.resumable,
        row.sha256,
        row.received,
        tuple(row.parts),
        row.details,
        row.version,
    )


def job_row(job: Job) -> dict[str, Any]:
    """The row of a job, but for what only the row says: its key among twins, and when runners were told of it."""
    return {
        "organization_id": job.caller.organization,
        "id": job.id,
        "user_id": job.caller.user,
        "operation": job.operation,
        "payload": job.payload,
        "created_at": job.created_at,
        "due_at": job.due_at,
        "queue": job.queue,
        "max_attempts": job.max_attempts,
        "time_limit_ms": job.time_limit // timedelta(milliseconds=1),
        "trace": job.trace,
        "state": str(job.state),
        "attempts": job.attempts,
        "token": job.token,
        "worker": job.worker,
        "cancel_requested": job.cancel_requested,
        "error": job.error,
        "result": job.result,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    } | progress_row(job.progress)


def progress_row(progress: Progress) -> dict[str, Any]:
    """The columns of a job's progress."""
    return {
        "progress_done": progress.done,
        "progress_total": progress.total,
        "progress_sentence": progress.sentence,
    }


def job_of(row: Any) -> Job:
    """The job of a row."""
    return Job(
        row.id,
        Caller(row.organization_id, row.user_id),
        row.operation,
        row.payload,
        row.created_at,
        row.due_at,
        row.queue,
        row.max_attempts,
        timedelta(milliseconds=row.time_limit_ms),
        row.trace,
        JobState(row.state),
        row.attempts,
        row.token,
        row.worker,
        Progress(row.progress_done, row.progress_total, row.progress_sentence),
        row.cancel_requested,
        row.error,
        row.result,
        row.started_at,
        row.finished_at,
    )

"""A case and how much evidence it has, in one statement: each costs about as much as reading the case."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from faultmaven_adapters.sql.rows import case_of
from faultmaven_adapters.sql.tables import CASE, EVIDENCE
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.cases.model import Case
from faultmaven_core.shared.errors import NotFoundError
from faultmaven_core.shared.ids import CaseId

_PIECES = (
    select(func.count())
    .select_from(EVIDENCE)
    .where(EVIDENCE.c.organization_id == bindparam("own"), EVIDENCE.c.case_id == bindparam("named"))
    .scalar_subquery()
    .label("pieces")
)
_OVERVIEW = select(CASE, _PIECES).where(
    CASE.c.organization_id == bindparam("own"), CASE.c.id == bindparam("named"), CASE.c.deleted_at.is_(None)
)


async def overview(transaction: SqlTransaction, case_id: CaseId) -> tuple[Case, int]:
    """See ArchiveUnitOfWork."""
    row = await transaction.first(_OVERVIEW, {"own": transaction.organization, "named": case_id})
    if row is None:
        raise NotFoundError(f"There is no case {case_id}.")
    return case_of(row), row.pieces

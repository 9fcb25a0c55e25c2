"""The peer of the repositories: cases by SQLAlchemy's ORM, as its documentation shows it, on the same tables."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from faultmaven_adapters.sql.tables import CASE


class Base(DeclarativeBase):
    """All mapped classes."""


class CaseRow(Base):
    """A case; its version is checked by every update."""

    __table__ = CASE.to_metadata(Base.metadata)
    __mapper_args__ = {"version_id_col": __table__.c.version}  # noqa: RUF012 - the ORM reads a plain dict


class OrmCases:
    """Cases of one organization, a session for each call."""

    def __init__(self, url: str, organization: str) -> None:
        self._engine = create_async_engine(url)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self._organization = organization

    async def get(self, case_id: str) -> CaseRow:
        """One case."""
        async with self._sessions() as session:
            return await self._get(session, case_id)

    async def update(self, case_id: str, title: str) -> None:
        """Load, change, commit."""
        async with self._sessions() as session:
            case = await self._get(session, case_id)
            case.title = title  # type: ignore[attr-defined]  # columns that come with a table have no annotations
            await session.commit()

    async def page(self, statuses: Sequence[str], limit: int) -> Sequence[CaseRow]:
        """The newest cases."""
        columns = CaseRow.__table__.c
        query = select(CaseRow).where(columns.organization_id == self._organization, columns.status.in_(statuses))
        async with self._sessions() as session:
            return (await session.scalars(query.order_by(columns.key.desc()).limit(limit + 1))).all()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def _get(self, session: AsyncSession, case_id: str) -> CaseRow:
        columns = CaseRow.__table__.c
        query = select(CaseRow).where(columns.organization_id == self._organization, columns.id == case_id)
        return (await session.scalars(query)).one()

"""The repository of uploads in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from faultmaven_adapters.sql.memory_tables import MemoryTransaction
from faultmaven_core.evidence.model import Custody
from faultmaven_core.evidence.uploads import Held, Upload, UploadRepository
from faultmaven_core.ports.transactions import own
from faultmaven_core.shared.errors import AlreadyExistsError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import OrganizationId, UserId


class MemoryUploadRepository(UploadRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._organization = transaction, organization

    async def add(self, upload: Upload) -> None:
        own(self._organization, upload.organization)
        if any(upload.id == other.id or upload.key == other.key for other in self._own()):
            raise self._run.refused(AlreadyExistsError("There is an upload with the same id or key already."))
        self._run.tables.uploads[self._organization, upload.id] = upload

    async def get(self, upload_id: str) -> Upload:
        found = self._run.tables.uploads.get((self._organization, upload_id))
        if found is None:
            raise NotFoundError(f"There is no upload {upload_id}.")
        return found

    async def save(self, upload: Upload) -> None:
        own(self._organization, upload.organization)
        found = self._run.tables.uploads.get((self._organization, upload.id))
        if found is None or found.version != upload.version:
            raise StaleVersionError(f"{upload.id} was changed or removed by somebody else; read it again.")
        self._run.tables.uploads[self._organization, upload.id] = replace(upload, version=upload.version + 1)

    async def remove(self, uploads: Sequence[Upload]) -> None:
        for upload in uploads:
            self._run.tables.uploads.pop((self._organization, upload.id), None)

    async def begun_before(self, moment: datetime, limit: int) -> Sequence[Upload]:
        old = [upload for upload in self._own() if upload.created_at < moment]
        return sorted(old, key=lambda upload: (upload.created_at, upload.key))[:limit]

    async def held(self, user: UserId) -> Held:
        rows = self._run.tables.evidence.items()
        sizes = [
            (item.added_by, item.size)
            for (owner, _), item in rows
            if owner == self._organization and item.custody is Custody.COPY
        ]
        sizes += [(upload.owner, upload.size) for upload in self._own()]
        return Held(sum(size for _, size in sizes), sum(size for owner, size in sizes if owner == user))

    def _own(self) -> list[Upload]:
        return [row for (owner, _), row in self._run.tables.uploads.items() if owner == self._organization]

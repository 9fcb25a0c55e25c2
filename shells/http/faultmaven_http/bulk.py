"""The same for many: each by itself, so that one that fails costs the others nothing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from faultmaven_core.shared.errors import BackendError, FaultMavenError, InvalidInputError, NotFoundError
from faultmaven_http.errors import HttpError, in_short
from faultmaven_http.shapes.bulk import BulkOutcome, ItemOutcome

MOST = 100

_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
"""What an id can be at all; of anything else no database is asked."""

SECONDS = 300.0
"""How long all of them may take."""


def named(field: str, ids: Sequence[str]) -> Sequence[str]:
    """The ids, each once. Raises InvalidInputError where there are none or too many."""
    found = tuple(dict.fromkeys(ids))
    if not 1 <= len(found) <= MOST:
        raise InvalidInputError(f"Name 1 to {MOST} of them as `{field}`.", fields={field: "out of range"})
    return found


def known(one: str) -> str:
    """The id itself. Raises NotFoundError where it is none that anything could have."""
    if not _ID.fullmatch(one):
        raise NotFoundError("There is nothing with this id.")
    return one


async def each(ids: Sequence[str], work: Callable[[str], Awaitable[tuple[int, object]]]) -> BulkOutcome:
    """What became of each: its status and what it is now.

    A backend that fails ends it: those that follow are told the same and were not tried.
    """
    results: list[ItemOutcome] = []
    down: ItemOutcome | None = None
    for one in ids:
        if down is not None:
            results.append(ItemOutcome(one, down.status, down.code, down.detail))
            continue
        try:
            status, item = await work(one)
            results.append(ItemOutcome(one, status, item=item))
        except (FaultMavenError, HttpError) as failure:
            results.append(ItemOutcome(one, *in_short(failure)))
            down = results[-1] if isinstance(failure, BackendError) else None
    failed = tuple(result.id for result in results if result.status >= 400)
    return BulkOutcome(tuple(results), len(results) - len(failed), len(failed), failed)

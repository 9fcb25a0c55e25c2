"""A transfer: look, copy, compare; killed at any moment it goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from faultmaven_core.transfer.model import (
    Confirmed,
    Kind,
    Outcome,
    Part,
    Progress,
    Report,
    Stage,
    TargetNotEmptyError,
    TransferDiffersError,
)
from faultmaven_core.transfer.ports import Cargo, Journal

_REMEDY = (
    "Was something written meanwhile? Stop FaultMaven's services and run the transfer again: what is missing is added. What "
    "was changed or removed at the source after it was copied stays as it was: for that, empty the target and begin anew "
    "with --restart."
)


class Transfer:
    """One transfer of several cargoes. While it runs, nobody else may write to either side."""

    def __init__(
        self, cargoes: Sequence[Cargo], journal: Journal, report: Callable[[Progress], None] = lambda _progress: None
    ) -> None:
        self._cargoes, self._journal, self._report = cargoes, journal, report
        self._confirmed: dict[str, Confirmed] = {}

    async def plan(self) -> Report:
        """What would be copied: nothing is written anywhere. Raises TargetNotEmptyError as `run` would."""
        resumed = await self._open()
        return self._told([Outcome(part) for _, part in await self._parts()], resumed=resumed)

    async def run(self, *, verify: bool = True) -> Report:
        """Copy what is not confirmed, then compare everything.

        Raises TargetNotEmptyError where the target is not empty and this transfer was not begun; TransferDiffersError where
        source and target differ at the end; and what the backends raise: then run it again, it goes on.
        """
        resumed = await self._open()
        if not resumed:
            await self._journal.begin()
        copied: list[Outcome] = []
        for cargo, part in await self._parts():
            copied.append(Outcome(part, await self._copy(cargo, part)))
        if not verify:
            return self._told(copied, resumed=resumed)
        try:
            return self._told(await self._compare(copied), resumed=resumed)
        except TransferDiffersError as error:
            for part in error.parts:
                # The next run copies it again: what is missing is then added.
                await self._journal.confirm(part, Confirmed())
            raise

    async def verify(self) -> Report:
        """Compare both sides; nothing is written. Raises TransferDiffersError."""
        for cargo in self._cargoes:
            await cargo.start()
        return self._told(await self._compare([Outcome(part) for _, part in await self._parts()]), resumed=False)

    async def _open(self) -> bool:
        for cargo in self._cargoes:
            await cargo.start()
        found = await self._journal.open()
        if found is not None:
            self._confirmed = dict(found)
            return True
        for cargo in self._cargoes:
            if there := await cargo.found():
                raise TargetNotEmptyError(
                    f"{cargo.target} is not empty: it has {there}. Transfer to a place that is empty, or go on with the "
                    "transfer that put it there from the machine where that was begun (`--journal` names its file)."
                )
        return False

    async def _parts(self) -> Sequence[tuple[Cargo, Part]]:
        return [(cargo, part) for cargo in self._cargoes for part in await cargo.parts()]

    async def _copy(self, cargo: Cargo, part: Part) -> int:
        confirmed, copied = self._confirmed.get(str(part), Confirmed()), 0
        if confirmed.done:
            return 0
        self._report(Progress(Stage.COPY, part, confirmed.items, confirmed.size))
        async for batch in cargo.copy(part, confirmed.position):
            copied += batch.items
            items, size = confirmed.items + batch.items, confirmed.size + batch.size
            confirmed = Confirmed(batch.position, items, size)
            await self._journal.confirm(part, confirmed)
            self._report(Progress(Stage.COPY, part, items, size))
        await self._journal.confirm(part, replace(confirmed, done=True))
        return copied

    async def _compare(self, copied: Sequence[Outcome]) -> Sequence[Outcome]:
        by_kind: Mapping[Kind, Cargo] = {cargo.kind: cargo for cargo in self._cargoes}
        outcomes = []
        for outcome in copied:
            source, target = await by_kind[outcome.part.kind].digests(outcome.part, self._counting(outcome.part))
            outcomes.append(replace(outcome, source=source, target=target))
        different = [outcome for outcome in outcomes if not outcome.equal]
        if different:
            raise TransferDiffersError(_differences(different), tuple(outcome.part for outcome in different))
        return outcomes

    def _counting(self, part: Part) -> Callable[[int, int], None]:
        items = size = 0

        def told(more: int, bytes_more: int) -> None:
            nonlocal items, size
            items, size = items + more, size + bytes_more
            self._report(Progress(Stage.VERIFY, part, items, size))

        return told

    def _told(self, outcomes: Sequence[Outcome], *, resumed: bool) -> Report:
        places = {str(cargo.kind): (cargo.source, cargo.target) for cargo in self._cargoes}
        return Report(tuple(outcomes), resumed, places)


def _differences(different: Sequence[Outcome]) -> str:
    lines = [
        f"  {outcome.part}: {outcome.source.items:,} at the source, {outcome.target.items:,} at the target"
        for outcome in different
        if outcome.source and outcome.target
    ]
    return "\n".join(["Source and target differ:", *lines, _REMEDY])

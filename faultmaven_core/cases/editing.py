"""Changes what a case is called and said to be."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from faultmaven_core.cases import commands as c
from faultmaven_core.cases import events as e
from faultmaven_core.cases import model
from faultmaven_core.cases.journal_writer import JournalWriter
from faultmaven_core.cases.metadata import checked_metadata
from faultmaven_core.cases.model import Case, Priority
from faultmaven_core.cases.ports import CaseChangedError, CaseUnitOfWork, CaseUnits
from faultmaven_core.cases.titles import title_of
from faultmaven_core.cases.views import view
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.events import Event
from faultmaven_core.shared.ids import CaseId, Ids
from faultmaven_core.shared.text import checked, choice

MOST_TITLE = 200
MOST_DESCRIPTION = 20_000
MOST_TEAMS = 50
FEWEST_WORDS, MOST_WORDS = 3, 12


_TEAM = re.compile(r"team_[0-9a-f]{12}")


class Editing:
    """Also of ended cases: how a case is called is not what it found."""

    def __init__(self, units: CaseUnits, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._write, self._tell = Writes(units, clock), JournalWriter(clock, ids)

    async def update(self, command: c.UpdateCase, caller: Caller) -> c.CaseView:
        """Change what is given. Raises CaseChangedError where the case is not of the given version any more."""
        changes: dict[str, Any] = {}
        if command.title is not None:
            title = " ".join(checked("title", command.title, most=MOST_TITLE).split())
            changes["title"] = checked("title", title, most=MOST_TITLE, least=1)
        if command.description is not None:
            changes["description"] = checked("description", command.description, most=MOST_DESCRIPTION)
        if command.priority is not None:
            changes["priority"] = choice(Priority, "priority", command.priority)
        if command.metadata is not None:
            changes["metadata"] = checked_metadata(command.metadata)

        if command.teams is not None:
            changes["teams"] = _teams(command.teams)

        async def work(unit: CaseUnitOfWork) -> c.CaseView:
            case = await unit.cases.get(CaseId(command.case_id))
            if command.version not in {None, case.version}:
                raise CaseChangedError(case.id, expected=command.version or 0, actual=case.version)
            return await self._save(unit, case, changes, caller)

        return await self._write(command, caller, c.CaseView, work)

    async def archive(self, command: c.ArchiveCase, caller: Caller) -> c.CaseView:
        """Leave a case out of lists; one that is left out already stays as it is."""

        async def work(unit: CaseUnitOfWork) -> c.CaseView:
            case = await unit.cases.get(CaseId(command.case_id))
            return await self._moved(unit, case, self._clock.now(), e.CaseArchived(), caller)

        return await self._write(command, caller, c.CaseView, work)

    async def unarchive(self, command: c.UnarchiveCase, caller: Caller) -> c.CaseView:
        """Have a case in lists again."""

        async def work(unit: CaseUnitOfWork) -> c.CaseView:
            case = await unit.cases.get(CaseId(command.case_id))
            return await self._moved(unit, case, None, e.CaseUnarchived(), caller)

        return await self._write(command, caller, c.CaseView, work)

    async def title(self, command: c.TitleCase, caller: Caller) -> c.CaseTitled:
        """Name a case that has no name of its own. Raises InvalidInputError where nothing is known to name it after."""
        if not FEWEST_WORDS <= command.max_words <= MOST_WORDS:
            raise InvalidInputError(
                f"A title has {FEWEST_WORDS} to {MOST_WORDS} words at most, not {command.max_words}.",
                fields={"max_words": "out of range"},
            )
        hint = checked("hint", command.hint, most=MOST_DESCRIPTION)

        async def work(unit: CaseUnitOfWork) -> c.CaseTitled:
            case = await unit.cases.get(CaseId(command.case_id))
            if not model.is_placeholder(case.title):
                return c.CaseTitled(case.title, "kept")
            cause, statement = model.asserted_cause(case), case.dialogue.statement
            told = {"hint": hint, "cause": cause, "statement": statement, "question": case.question}
            for source, text in told.items():
                if title := title_of(text, command.max_words):
                    await self._save(unit, case, {"title": title}, caller)
                    return c.CaseTitled(title, source)
            raise InvalidInputError(
                "There is nothing to name this case after yet: describe the problem or add evidence first.",
                fields={"hint": "nothing known"},
            )

        return await self._write(command, caller, c.CaseTitled, work)

    async def _moved(
        self, unit: CaseUnitOfWork, case: Case, archived_at: datetime | None, event: Event, caller: Caller
    ) -> c.CaseView:
        if bool(archived_at) == bool(case.archived_at):
            return view(case)
        await unit.cases.save(replace(case, archived_at=archived_at))
        await self._tell(unit, case.id, event, caller)
        return view(replace(case, archived_at=archived_at), 1)

    async def _save(self, unit: CaseUnitOfWork, case: Case, changes: dict[str, Any], caller: Caller) -> c.CaseView:
        if not changes:
            return view(case)
        changed = replace(case, **changes, updated_at=self._clock.now())
        await unit.cases.save(changed)
        await self._tell(unit, case.id, e.CaseChanged(", ".join(sorted(changes)), changed.title), caller)
        return view(changed, 1)


def _teams(given: tuple[str, ...]) -> tuple[str, ...]:
    teams = tuple(dict.fromkeys(given))
    if len(teams) > MOST_TEAMS or not all(_TEAM.fullmatch(team) for team in teams):
        raise InvalidInputError(
            f"A case is shared with {MOST_TEAMS} teams at most, by their ids.", fields={"teams": "no ids of teams"}
        )
    return teams

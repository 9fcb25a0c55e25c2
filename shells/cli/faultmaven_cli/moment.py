"""Moments as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click


class Moment(click.ParamType[datetime]):
    """A moment: ISO 8601 (UTC where no zone is given), epoch seconds, or an age such as `90d`, `12h`, `30m`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment as an aware datetime."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        if age := re.fullmatch(r"(\d+)([smhdw])", text):
            unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[age[2]]
            return datetime.now(UTC) - timedelta(**{unit: int(age[1])})
        try:
            if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
                return datetime.fromtimestamp(float(text), UTC)
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(
                f"'{text}' is no time; write it as 2026-03-02T14:00Z, as epoch seconds, or as an age (90d).", param, ctx
            )
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

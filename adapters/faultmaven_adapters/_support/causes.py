"""What an error came of: drivers hide what the system said behind errors of their own."""

from __future__ import annotations

from collections.abc import Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """The errors beneath this one, the nearest first: what it was raised from, or while what was dealt with."""
    beneath = error.__cause__ or error.__context__
    while beneath is not None:
        yield beneath
        beneath = beneath.__cause__ or beneath.__context__

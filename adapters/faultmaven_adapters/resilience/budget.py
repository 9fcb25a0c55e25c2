"""How many retries there may be: an outage is not answered with many times the calls."""

from __future__ import annotations

from collections.abc import Callable


class RetryBudget:
    """A bucket of tokens, full at first. A retry takes one; each call adds a part of one, and so does time.

    So in any stretch of time there are at most `most + per_call * calls + per_second * seconds` retries: while nothing
    answers, a busy process makes a tenth more calls than usual, not three times as many.
    """

    def __init__(
        self,
        seconds: Callable[[], float],
        *,
        most: float = 10.0,
        per_call: float = 0.1,
        per_second: float = 0.5,
    ) -> None:
        self._seconds, self._most, self._per_call, self._per_second = seconds, most, per_call, per_second
        self._tokens, self._at = most, seconds()

    def call(self) -> None:
        """Account for a first try."""
        self._add(self._per_call)

    def retry(self) -> bool:
        """Take a token; False, and nothing is taken, where there is no whole one."""
        now = self._seconds()
        self._add((now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _add(self, tokens: float) -> None:
        self._tokens = min(self._most, self._tokens + tokens)

"""The product as a user calls it: the `fm` command, one process per call."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT_S = 600
"""One question may take ten minutes; after that it counts as unanswered."""


class ProductError(Exception):
    """A call of the product failed; the message holds the command and the last words it said."""


@dataclass(frozen=True, slots=True)
class Product:
    """`command` is how `fm` is started, `settings` are variables of its environment beside those of this process."""

    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def installed(cls) -> Product:
        """The `fm` that belongs to the running interpreter. Raises ProductError where it is not installed."""
        fm = Path(sys.executable).with_name("fm")
        if not fm.is_file():
            raise ProductError(f"There is no {fm}: install the distribution into this interpreter first.")
        return cls((str(fm),))

    def call(self, arguments: Sequence[str]) -> bytes:
        """What a call prints, in a home of its own, so that no case learns from another.

        Raises ProductError where it fails or takes too long.
        """
        with tempfile.TemporaryDirectory(prefix="fm-quality-") as home:
            return self.call_at(home, arguments)

    def call_at(self, home: str, arguments: Sequence[str], *, timeout: float = TIMEOUT_S) -> bytes:
        """As `call`, in a home that stays."""
        shown = " ".join(("fm", *arguments))
        try:
            done = subprocess.run(
                [*self.command, *arguments],
                capture_output=True,
                check=False,
                env=self.environment(home),
                stdin=subprocess.DEVNULL,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise ProductError(f"{shown}: no answer within {timeout:.0f} s.") from error
        if done.returncode:
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
            raise ProductError(f"{shown}: exit code {done.returncode}: {' / '.join(last)}")
        return done.stdout

    def environment(self, home: str) -> dict[str, str]:
        """The variables that a call sees."""
        return {**os.environ, **self.settings, "FM_HOME": home}

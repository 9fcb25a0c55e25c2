"""The product as a user calls it: the `fm` command, one process per call."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 600
"""One question may take ten minutes; after that it counts as unanswered."""


class ProductError(Exception):
    """A call of the product failed; the message holds the command and the last words it said."""


@dataclass(frozen=True, slots=True)
class Product:
    """`command` is how `fm` is started; every call gets a home of its own, so that no case learns from another."""

    command: tuple[str, ...]

    @classmethod
    def installed(cls) -> Product:
        """The `fm` that belongs to the running interpreter. Raises ProductError where it is not installed."""
        fm = Path(sys.executable).with_name("fm")
        if not fm.is_file():
            raise ProductError(f"There is no {fm}: install the distribution into this interpreter first.")
        return cls((str(fm),))

    def call(self, arguments: Sequence[str]) -> bytes:
        """What a call prints. Raises ProductError where it fails or takes too long."""
        with tempfile.TemporaryDirectory(prefix="fm-quality-") as home:
            environment = {**os.environ, "FM_HOME": home}
            shown = " ".join(("fm", *arguments))
            try:
                done = subprocess.run(
                    [*self.command, *arguments],
                    capture_output=True,
                    check=False,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    timeout=TIMEOUT_S,
                )
            except subprocess.TimeoutExpired as error:
                raise ProductError(f"{shown}: no answer within {TIMEOUT_S} s.") from error
        if done.returncode:
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
            raise ProductError(f"{shown}: exit code {done.returncode}: {' / '.join(last)}")
        return done.stdout

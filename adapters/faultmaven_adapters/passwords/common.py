"""The passwords that everybody tries first, from a file that is shipped: nothing is asked of anybody outside."""

from __future__ import annotations

from collections.abc import Container
from functools import cache
from importlib.resources import files


class CommonPasswords(Container[str]):
    """The passwords in small letters; read at the first question."""

    def __contains__(self, password: object) -> bool:
        return password in _listed()


@cache
def _listed() -> frozenset[str]:
    text = (files("faultmaven_adapters.passwords") / "data" / "common.txt").read_text(encoding="utf-8")
    return frozenset(text.splitlines())

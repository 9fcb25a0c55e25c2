"""A value that nobody may see: passwords, keys and tokens on their way from a setting to a driver."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """Hides its value in every text that Python makes of it, and refuses to be pickled or copied into one."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value. Called where it is handed to a driver, nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        # In the same time for every wrong value, so that nobody can guess it letter by letter.
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not written down.")

"""How environment variables are read: by name or by `..._FILE`, typed, with all problems collected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId, UserId

_PREFIX = "FM_"
_EXEMPT = re.compile(
    # Variables of the test suite, and what Kubernetes injects for services whose names begin with "fm-".
    r"FM_TEST_\w+|FM_\w+_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
_SIZE = re.compile(r"(\d{1,12})(B|KiB|MiB|GiB|TiB)?")
_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


@dataclass(frozen=True, slots=True)
class Variable:
    """A setting's name, meaning and default, and which part uses it. The value of a `secret` one is never shown."""

    name: str
    doc: str
    default: str
    used_by: str
    secret: bool = False


class Reading:
    """One pass over the environment. Empty means unset: compose files pass empty strings for what nobody set."""

    def __init__(
        self, environ: Mapping[str, str], read_file: Callable[[str], bytes], known: Sequence[Variable]
    ) -> None:
        self.problems: list[str] = []
        self._values: dict[str, str] = {}
        self._shown: list[tuple[str, str, str]] = []
        for variable in known:
            value, origin = self._value(variable, environ, read_file)
            self._values[variable.name] = value
            shown = "***" if variable.secret and value else value or variable.default
            self._shown.append((variable.name, shown, origin))
        self._refuse_unknown(environ, [variable.name for variable in known])

    def shown(self, resolved: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
        """(name, value, origin) of every variable; defaults that depend on the machine as they were resolved."""
        return tuple(
            (name, resolved.get(name, value) if origin == "default" else value, origin)
            for name, value, origin in self._shown
        )

    def text(self, variable: Variable) -> str:
        """The value as it is; empty where it is not set."""
        return self._values[variable.name]

    def caller(self, organization: Variable, user: Variable) -> Caller:
        """The values as names of an organization and a user."""
        owner, name = OrganizationId(organization.default), UserId(user.default)
        chosen_owner = OrganizationId(self.text(organization) or owner)
        chosen_name = UserId(self.text(user) or name)
        for variable, attempt in ((organization, (chosen_owner, name)), (user, (owner, chosen_name))):
            try:
                Caller(*attempt)
            except InvalidInputError:
                self.problems.append(f"{variable.name} is no name: use 1 to 128 letters, digits and . _ -.")
        return Caller(owner, name) if self.problems else Caller(chosen_owner, chosen_name)

    def number(self, variable: Variable, least: int, most: int) -> int:
        """The value as a whole number within bounds."""
        value = self.text(variable) or variable.default
        if not re.fullmatch(r"\d{1,9}", value) or not least <= int(value) <= most:
            self.problems.append(f"{variable.name} is no whole number from {least} to {most}.")
            return least
        return int(value)

    def size(self, variable: Variable) -> int:
        """The value in bytes: a number with B, KiB, MiB, GiB or TiB."""
        found = _SIZE.fullmatch(self.text(variable) or variable.default)
        if found is None:
            self.problems.append(f"{variable.name} is no size: write a number with B, KiB, MiB, GiB or TiB, as 64MiB.")
            return 0
        return int(found[1]) * _UNITS[found[2] or ""]

    def _value(
        self, variable: Variable, environ: Mapping[str, str], read_file: Callable[[str], bytes]
    ) -> tuple[str, str]:
        own, path = environ.get(variable.name, ""), environ.get(f"{variable.name}_FILE", "")
        if own and path:
            self.problems.append(f"{variable.name} and {variable.name}_FILE are both set: keep one.")
        if own or not path:
            return own, "environment" if own else "default"
        try:
            text = read_file(path).decode()
        except UnicodeDecodeError:
            self.problems.append(f"{variable.name}_FILE names {path}, which is no text in UTF-8.")
            return "", f"file {path}"
        except OSError as error:
            why = error.strerror or "unreadable"
            self.problems.append(f"{variable.name}_FILE names {path}, which cannot be read: {why}.")
            return "", f"file {path}"
        # Exactly one line end, as editors and `kubectl create secret` leave it; more may be meant.
        return text.removesuffix("\n").removesuffix("\r"), f"file {path}"

    def _refuse_unknown(self, environ: Mapping[str, str], known: Sequence[str]) -> None:
        allowed = {*known, *(f"{name}_FILE" for name in known)}
        for name in sorted(environ):
            if not name.startswith(_PREFIX) or name in allowed or _EXEMPT.fullmatch(name):
                continue
            near = difflib.get_close_matches(name, sorted(allowed), 1)
            hint = f"did you mean {near[0]}?" if near else "remove it, or see docs/settings.md."
            self.problems.append(f"{name} is no setting of FaultMaven: {hint}")

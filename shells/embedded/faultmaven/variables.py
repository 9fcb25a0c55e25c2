"""How environment variables are read: by name, by alias or by `..._FILE`, typed, with all problems collected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from faultmaven.places import PLACES, Resource, shown_url
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, MisconfiguredError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_core.shared.secret import Secret

_PREFIX = "FM_"
_EXEMPT = re.compile(
    # Variables of the test suite, and what Kubernetes injects for services whose names begin with "fm-".
    r"FM_TEST_\w+|FM_\w+_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
_SIZE = re.compile(r"(\d{1,12})(B|KiB|MiB|GiB|TiB)?")
_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Variable:
    """A setting's name, meaning and default, and which part uses it.

    The value of a `secret` one is never shown; of a `url` one the password is not. `aliases` are other names for it, from
    older installations and from the libraries beneath.
    """

    name: str
    doc: str
    default: str
    used_by: str
    secret: bool = False
    url: bool = False
    aliases: tuple[str, ...] = ()


class Reading:
    """One pass over the environment. Empty means unset: compose files pass empty strings for what nobody set."""

    def __init__(
        self, environ: Mapping[str, str], read_file: Callable[[str], bytes], known: Sequence[Variable]
    ) -> None:
        self.problems: list[str] = []
        self._environ, self._read_file = environ, read_file
        self._values: dict[str, str] = {}
        self._shown: list[tuple[str, str, str]] = []
        for variable in known:
            value, origin = self._value(variable)
            self._values[variable.name] = value
            self._shown.append((variable.name, _shown(variable, value), origin))
        self._refuse_unknown([name for variable in known for name in (variable.name, *variable.aliases)])

    def shown(self, resolved: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
        """(name, value, origin) of every variable; defaults that depend on the machine as they were resolved."""
        return tuple(
            (name, resolved.get(name, value) if origin == "default" else value, origin)
            for name, value, origin in self._shown
        )

    def given(self, variable: Variable) -> bool:
        """Whether somebody set it."""
        return bool(self._values[variable.name])

    def text(self, variable: Variable) -> str:
        """The value as it is; empty where it is not set."""
        return self._values[variable.name]

    def secret(self, variable: Variable) -> Secret | None:
        """The value, hidden; None where it is not set."""
        value = self.text(variable)
        return Secret(value) if value else None

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

    def seconds(self, variable: Variable, least: float = 0) -> float:
        """The value in seconds: a number with ms, s, m, h or d; a bare 0 too."""
        value = self.text(variable) or variable.default
        found = _DURATION.fullmatch(value)
        seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
        if found is None and value != "0":
            self.problems.append(f"{variable.name} is no duration: write a number with ms, s, m, h or d, as 30s.")
        elif seconds < least:
            self.problems.append(f"{variable.name} is too short: at least {least:g}s.")
        return seconds

    def flag(self, variable: Variable) -> bool:
        """The value as yes or no."""
        value = self.text(variable) or variable.default
        if value not in {"true", "false", "1", "0"}:
            self.problems.append(f"{variable.name} is not one of true, false, 1, 0.")
        return value in {"true", "1"}

    def choice(self, variable: Variable, *allowed: str) -> str:
        """The value, which must be one of these."""
        value = self.text(variable) or variable.default
        if value not in allowed:
            self.problems.append(f"{variable.name} is not one of {', '.join(filter(None, allowed))}.")
            return allowed[0]
        return value

    def names(self, variable: Variable) -> tuple[str, ...]:
        """The value as names between commas."""
        value = self.text(variable) or variable.default
        names = tuple(name.strip() for name in value.split(","))
        if value and not all(re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name) for name in names):
            self.problems.append(f"{variable.name} is no list of names: write small letters, digits, _ and -, as a,b.")
            return ()
        return names if value else ()

    def resource(self, variable: Variable, schemes: Sequence[str], password: Variable | None = None) -> Resource:
        """The value as the place of a backend; its password from the URL or from a variable of its own, not from both."""
        text = self.text(variable) or variable.default
        scheme, colon, _ = text.partition(":")
        if not colon or scheme not in schemes:
            known = ", ".join(f"{name}:" for name in schemes)
            self.problems.append(f"{variable.name} does not begin with one of {known}.")
            return Resource(schemes[0], "")
        try:
            found = PLACES[scheme](text)
        except MisconfiguredError as error:
            self.problems.append(f"{variable.name} {error}")
            return Resource(scheme, "")
        own = self.secret(password) if password else None
        if own and found.password:
            self.problems.append(f"{variable.name} holds a password and {password and password.name} is set: keep one.")
        return found.with_password(own) if own else found

    def _value(self, variable: Variable) -> tuple[str, str]:
        names = (variable.name, *variable.aliases)
        given = [n for name in names for n in (name, f"{name}_FILE") if self._environ.get(n)]
        if len(given) > 1:
            self.problems.append(f"{' and '.join(given)} are both set: keep one.")
        if not given:
            return "", "default"
        name = given[0]
        if name in names:
            return self._environ[name], "environment" if name == variable.name else f"environment ({name})"
        return self._from_file(name, self._environ[name])

    def _from_file(self, name: str, path: str) -> tuple[str, str]:
        try:
            text = self._read_file(path).decode()
        except UnicodeDecodeError:
            self.problems.append(f"{name} names {path}, which is no text in UTF-8.")
            return "", f"file {path}"
        except OSError as error:
            why = error.strerror or "unreadable"
            self.problems.append(f"{name} names {path}, which cannot be read: {why}.")
            return "", f"file {path}"
        # Exactly one line end, as editors and `kubectl create secret` leave it; more may be meant.
        return text.removesuffix("\n").removesuffix("\r"), f"file {path}"

    def _refuse_unknown(self, known: Sequence[str]) -> None:
        allowed = {*known, *(f"{name}_FILE" for name in known)}
        for name in sorted(self._environ):
            if not name.startswith(_PREFIX) or name in allowed or _EXEMPT.fullmatch(name):
                continue
            near = difflib.get_close_matches(name, sorted(allowed), 1)
            hint = f"did you mean {near[0]}?" if near else "remove it, or see docs/settings.md."
            self.problems.append(f"{name} is no setting of FaultMaven: {hint}")


def _shown(variable: Variable, value: str) -> str:
    if variable.secret and value:
        return "***"
    return shown_url(value) if variable.url and value else value or variable.default

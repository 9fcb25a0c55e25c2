"""Settings: one tree, read once at start from environment variables; every problem is told at once."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from faultmaven.variables import Reading, Variable
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import MisconfiguredError

MOST_FILE = 64 << 10
"""Bytes of a file that a `..._FILE` variable may name."""

HOME = Variable("FM_HOME", "Folder for the database and for copies of evidence.", "$XDG_DATA_HOME/faultmaven", "all")
DATABASE = Variable(
    "FM_DATABASE_URL", "`sqlite:<path>`, or `memory:` to keep nothing.", "sqlite:$FM_HOME/faultmaven.db", "database"
)
BLOBS = Variable(
    "FM_BLOBS_URL", "`file:<folder>`, or `memory:` to keep nothing.", "file:$FM_HOME/blobs", "evidence copies"
)
JOBS = Variable("FM_JOBS_URL", "`embedded:` runs jobs in the program itself.", "embedded:", "jobs")
ORGANIZATION = Variable("FM_ORGANIZATION", "Organization that everything belongs to.", "local", "all")
USER = Variable("FM_USER", "Name that stands in the journal for what you do.", "local", "all")
PROCESSES = Variable(
    "FM_EXTRACTION_PROCESSES",
    "Processes that read evidence at once, 1 to 64; 0 is one per processor.",
    "0",
    "extraction",
)
COPY_MAX = Variable(
    "FM_EVIDENCE_COPY_MAX", "Largest single copy of evidence, such as `500MiB`.", "16GiB", "evidence copies"
)

VARIABLES = (HOME, DATABASE, BLOBS, JOBS, ORGANIZATION, USER, PROCESSES, COPY_MAX)


@dataclass(frozen=True, slots=True)
class Resource:
    """Which backend, and where: `sqlite:/var/lib/fm.db` is scheme sqlite, place /var/lib/fm.db."""

    scheme: str
    place: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    home: Path
    database: Resource
    blobs: Resource
    jobs: Resource
    caller: Caller
    extraction_processes: int
    evidence_copy_max: int
    shown: tuple[tuple[str, str, str], ...]

    def show(self) -> tuple[tuple[str, str, str], ...]:
        """(name, value, origin) of every variable, secrets starred; origin: environment | file <path> | default."""
        return self.shown


def load(environ: Mapping[str, str], read_file: Callable[[str], bytes]) -> Settings:
    """The settings that these variables give. Pure: files are read by `read_file`, which raises OSError.

    Raises MisconfiguredError whose message has one line for every problem, naming variable and remedy, never a secret.
    """
    read = Reading(environ, read_file, VARIABLES)
    home = Path(read.text(HOME) or _data_home(environ, read)).expanduser()
    settings = Settings(
        home,
        _resource(read, DATABASE, ("sqlite", "memory"), home / "faultmaven.db"),
        _resource(read, BLOBS, ("file", "memory"), home / "blobs"),
        _resource(read, JOBS, ("embedded",), None),
        read.caller(ORGANIZATION, USER),
        read.number(PROCESSES, 0, 64),
        read.size(COPY_MAX),
        (),
    )
    resolved = {HOME: str(home), DATABASE: _url(settings.database), BLOBS: _url(settings.blobs)}
    settings = replace(settings, shown=read.shown({variable.name: text for variable, text in resolved.items()}))
    if read.problems:
        raise MisconfiguredError("\n".join(read.problems))
    return settings


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process."""
    return load(environ, read_setting_file)


def read_setting_file(path: str) -> bytes:
    """The content of a file that a variable names. Raises OSError where it is no regular file under 64 KiB."""
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise OSError(None, "it is no regular file")
    with Path(path).open("rb") as file:
        data = file.read(MOST_FILE + 1)
    if len(data) > MOST_FILE:
        raise OSError(None, "it has more than 64 KiB")
    return data


def _url(resource: Resource) -> str:
    return f"{resource.scheme}:{resource.place}"


def _data_home(environ: Mapping[str, str], read: Reading) -> str:
    given = environ.get("XDG_DATA_HOME") or environ.get("LOCALAPPDATA")
    if given:
        return str(Path(given) / "faultmaven")
    if environ.get("HOME"):
        return str(Path(environ["HOME"]) / ".local" / "share" / "faultmaven")
    read.problems.append("FM_HOME is not set and there is no HOME: set FM_HOME to a folder for the database.")
    return "."


def _resource(read: Reading, variable: Variable, schemes: tuple[str, ...], default: Path | None) -> Resource:
    text = read.text(variable)
    if not text:
        return Resource(schemes[0], str(default) if default else "")
    scheme, colon, place = text.partition(":")
    if not colon or scheme not in schemes:
        known = ", ".join(f"{name}:" for name in schemes)
        read.problems.append(f"{variable.name} does not begin with one of {known}.")
    elif default is not None and scheme == schemes[0] and not place:
        read.problems.append(f"{variable.name} names no place: write {scheme}:<path>.")
    # Both sqlite:/path and sqlite:///path are common; they mean the same file.
    return Resource(scheme, "/" + place.lstrip("/") if place.startswith("//") else place)

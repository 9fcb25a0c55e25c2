"""The environment of a process that a command becomes."""

from __future__ import annotations

from collections.abc import Mapping


def replaced(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The environment with options in the place of variables, under all names that these have; "" takes one away."""
    from faultmaven.declared import VARIABLES

    spellings = [(variable.name, *variable.aliases) for variable in VARIABLES if variable.name in given]
    names = {text for spelled in spellings for name in spelled for text in (name, f"{name}_FILE")}
    kept = {name: value for name, value in environ.items() if name not in names}
    return {**kept, **{name: value for name, value in given.items() if value}}

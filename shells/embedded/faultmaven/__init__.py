"""FaultMaven as a library: `async with FaultMaven.open() as fm: ...`. Importing this loads no driver."""

from __future__ import annotations

from faultmaven.library import FaultMaven
from faultmaven.settings import load_settings
from faultmaven.tree import Settings

__all__ = ["FaultMaven", "Settings", "load_settings"]

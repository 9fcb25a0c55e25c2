"""Sentences for files that could not be read: what is wrong with which one, and what to do."""

from __future__ import annotations

from faultmaven_adapters.extraction.jobs import Failed

_MISSING = "FileNotFoundError"
_DENIED = "PermissionError"


def sentence(name: str, failed: Failed) -> str:
    """Why a source was not read (or not to its end)."""
    if failed.why == "refused":
        return f"{name} was not read: {failed.detail}."
    if failed.error == _MISSING:
        return f"{name} disappeared before it could be read; collect it again."
    if failed.error == _DENIED:
        return f"{name} may not be read by this user; give yourself the right to read it, or copy it with `sudo`."
    if failed.why == "system":
        return f"{name} could not be read ({failed.detail}); copy it to another place and give that."
    if failed.why == "memory":
        return f"{name} needs more memory than extraction is given; split it, or give the part that matters."
    if failed.why == "depth":
        return f"{name} is nested too deeply to be read; give the part that matters."
    if failed.why == "timeout":
        return f"{name} took longer than {failed.detail} seconds and was given up; give the part that matters."
    if failed.why == "killed":
        return f"{name} ended the process that read it ({failed.detail}); give it as plain text, and please report it."
    return f"{name} met a defect of this program ({failed.detail}); the other files are not affected. Please report it."

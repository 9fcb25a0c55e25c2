"""The first screen: at most fifteen lines that say what broke, why we think so, and what would settle it."""

from __future__ import annotations

import math
import shutil
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from faultmaven_cli.output import colours, printable

LINES = 15
LABEL = 11
VERDICTS = {
    "confirmed": ("CONFIRMED", "green"),
    "probable": ("PROBABLE", "yellow"),
    "suspected": ("SUSPECTED", "yellow"),
    "insufficient_evidence": ("INSUFFICIENT EVIDENCE", "magenta"),
    "healthy": ("HEALTHY", "green"),
}


def first_screen(record: Mapping[str, Any], *, width: int | None = None, more: str = "") -> str:
    """The record at a glance, with the `guidance` that stands beside it. `more` is the command that shows the rest.

    Sections that matter least (what was ruled out, then what is missing, then what is known already) give way when the
    lines run out; commands are never cut, because people copy them.
    """
    width = width or max(60, min(120, shutil.get_terminal_size((100, 24)).columns))
    cause = record["root_cause"]
    top = [_verdict(record), "", *_wrap(cause["statement"] if cause else _no_cause(record), width, 3)]
    sections = [_proof(record, width), _confirm(cause, width), _refute(cause, width)] if cause else []
    optional = [_ruled_out(record, width), _missing(record, width), _known(record, width)]
    foot = [_label("more") + more] if more else []
    room = LINES - _height(top + foot, width) - 1 - sum(_height(section, width) for section in sections)
    for section in reversed(optional):
        if section and _height(section, width) <= room:
            room -= _height(section, width)
        else:
            section.clear()
    body = [line for section in [*sections, *optional] for line in section]
    return "\n".join([*top, "", *body, *foot])


def _verdict(record: Mapping[str, Any]) -> str:
    from click import style

    text, colour = VERDICTS[record["verdict"]]
    cause = record["root_cause"]
    shown = style(text, fg=colour, bold=True) if colours() else text
    if not cause:
        return shown
    where = "/".join(printable(part) for part in (cause["entity"]["namespace"], cause["entity"]["name"]) if part)
    return (
        f"{shown} {cause['confidence']:.0%} · {cause['category'].replace('_', ' ')} · {cause['entity']['kind']} {where}"
    )


def _no_cause(record: Mapping[str, Any]) -> str:
    kinds = Counter(str(source.get("kind", "")).replace("_", " ") for source in record["coverage"])
    looked = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items(), key=lambda one: (-one[1], one[0])))
    if record["verdict"] == "healthy":
        return f"Nothing abnormal was found. Looked at: {looked}."
    seen = [finding["statement"].rstrip(".") for finding in record["findings"][:2]]
    if not seen and not record["hypotheses"]:
        return f"Nothing here shows whether all is well: no symptom could be read. Looked at: {looked}."
    told = "; ".join(seen) or "no symptom could be read"
    return f"Something is wrong, but no known cause fits: {told}. Looked at: {looked}."


def _proof(record: Mapping[str, Any], width: int) -> list[str]:
    claims = {claim["id"]: claim for claim in record["claims"]}
    leading = next((h for h in record["hypotheses"] if h["status"] == "leading"), None)
    lines: list[str] = []
    for name in leading["claims"][:2] if leading else []:
        cited = claims[name]["citations"][0]
        place = f"{cited['file']}:{cited['lines'][0]}"
        lines.append(_label("" if lines else "proof") + printable(place))
        lines += _labelled("", claims[name]["text"], width, 1)
    return lines


def _confirm(cause: Mapping[str, Any], width: int) -> list[str]:
    command, expect = cause["confirm"]["command"], cause["confirm"]["expect"]
    lines = [_label("confirm") + printable(command)] if command else []
    return lines + _labelled("" if command else "confirm", f"shows {expect}" if command else expect, width, 1)


def _refute(cause: Mapping[str, Any], width: int) -> list[str]:
    command, expect = cause["refute"]["command"], cause["refute"]["expect"]
    return _labelled("refute", f"{command}  shows {expect}" if command else expect, width, 2)


def _ruled_out(record: Mapping[str, Any], width: int) -> list[str]:
    out = record["ruled_out"]
    if not out:
        return []
    lines = _labelled("ruled out", f"{out[0]['statement']} ({out[0]['because']})", width, 1)
    return lines if len(out) == 1 else [*lines, *_labelled("", f"and {len(out) - 1} more", width, 1)]


def _missing(record: Mapping[str, Any], width: int) -> list[str]:
    needs = record["evidence_needs"]
    if not needs:
        return []
    lines: list[str] = []
    for need in needs[: 1 if record["root_cause"] else 2]:
        lines += _labelled("" if lines else "missing", need["what"], width, 1)
        lines += [_label("") + printable(command) for command in need["commands"][:1]]
        if not need["commands"] and need["places"]:
            lines += _labelled("", f"look at {need['places'][0]}", width, 1)
    return lines


def _known(record: Mapping[str, Any], width: int) -> list[str]:
    guidance = record.get("guidance", {})
    lines: list[str] = []
    for cited in guidance.get("runbooks", ())[:1]:
        place = ", ".join([cited["title"], *cited["headings"][-1:]])
        lines += _labelled("runbook", f"{cited['document_id']} {place} ({cited['because']})", width, 1)
    for past in guidance.get("similar", ())[:1]:
        lines += _labelled("similar", f"{past['case_id']} {past['cause']}", width, 1)
    return lines


def _label(name: str) -> str:
    from click import style

    padded = name.ljust(LABEL)
    return style(padded, dim=True) if colours() else padded


def _labelled(name: str, text: str, width: int, most: int) -> list[str]:
    lines = _wrap(text, width - LABEL, most)
    return [_label(name if index == 0 else "") + line for index, line in enumerate(lines)]


def _wrap(text: str, width: int, most: int) -> list[str]:
    """Words in at most this many lines; what does not fit is cut with an ellipsis."""
    return textwrap.wrap(
        " ".join(printable(text).split()), width, max_lines=most, placeholder=" …", break_on_hyphens=False
    )


def _height(lines: Sequence[str], width: int) -> int:
    from click import unstyle

    return sum(max(1, math.ceil(len(unstyle(line)) / width)) for line in lines)

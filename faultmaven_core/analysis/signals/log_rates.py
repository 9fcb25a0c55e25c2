"""How the lines of a log are spread over time: bursts, templates that come or go, silence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from statistics import median

from faultmaven_core.analysis.extract.log_summary import Histogram
from faultmaven_core.analysis.model import Entity, Fact, LogSample, LogTemplate, Mode, Span

BURST = 5.0
"""Times the usual (median) count of a bucket that make a burst: a rate that ordinary scatter does not reach."""
MIN_BURST = 20
"""Lines in a bucket below which nothing is called a burst."""
MIN_LINES = 200
"""Lines of a source below which rates say nothing."""
RARE = 2
"""A template with at most so many lines in a source of at least `MIN_LINES` is rare."""
MIN_ERRORS = 10
BAD = frozenset({"error", "critical"})


def flagged(templates: Sequence[LogTemplate], total: Histogram) -> tuple[LogTemplate, ...]:
    """The templates with their flags."""
    lines = sum(template.count for template in templates)
    edges = total.buckets()
    return tuple(replace(template, flags=_flags(template, lines, edges)) for template in templates)


def _flags(template: LogTemplate, lines: int, total: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    flags = []
    if lines < MIN_LINES:
        return ()
    if template.count <= RARE:
        flags.append("rare")
    if _burst(template.histogram, total):
        flags.append("burst")
    if template.first_seen is not None and len(total) > 1:
        begin, end = total[0][0], total[-1][0]
        if template.first_seen > begin + (end - begin) / 2:
            flags.append("new")
        before, after = _halves(template.histogram, (begin + end) / 2)
        if max(before, after) >= MIN_BURST and min(before, after) > 0:
            if after >= BURST * before:
                flags.append("rate_up")
            elif before >= BURST * after:
                flags.append("rate_down")
    return tuple(sorted(flags))


def _burst(counts: Sequence[tuple[int, int]], total: Sequence[tuple[int, int]]) -> bool:
    if len(total) < 5 or not counts:
        return False
    # Buckets in which it was silent count as zero, up to the number of buckets in which the source spoke.
    usual = median([count for _, count in counts] + [0] * max(0, len(total) - len(counts)))
    return max(count for _, count in counts) >= max(MIN_BURST, BURST * usual) and usual > 0


def _halves(counts: Iterable[tuple[int, int]], middle: float) -> tuple[int, int]:
    before = after = 0
    for begin, count in counts:
        if begin < middle:
            before += count
        else:
            after += count
    return before, after


def unlike(templates: Sequence[LogTemplate], baseline: Sequence[LogTemplate]) -> tuple[LogTemplate, ...]:
    """The templates that the logs of a healthy time do not have, flagged `new`, or have far less of, flagged `rate_up`.

    Less is judged by the share of all lines, since a baseline may cover another span of time.
    """
    usual: dict[str, int] = defaultdict(int)
    for template in baseline:
        usual[template.id] += template.count
    scale = sum(template.count for template in templates) / max(1, sum(usual.values()))
    found = []
    for template in templates:
        if template.id not in usual:
            found.append(_with_flag(template, "new"))
        elif template.count >= max(MIN_ERRORS, BURST * scale * usual[template.id]):
            found.append(_with_flag(template, "rate_up"))
    return tuple(found)


def _with_flag(template: LogTemplate, flag: str) -> LogTemplate:
    return replace(template, flags=tuple(sorted({*template.flags, flag})))


def rate_facts(
    templates: Sequence[LogTemplate], total: Histogram, origin: Entity, place: Callable[[LogSample], Span]
) -> list[Fact]:
    """`anomaly.log_errors`: lines that tell of errors begin late, or come at many times their usual rate.

    One fact at most: the template that stands out most, cited by its first line. Params: onset, template, flags.
    """
    if sum(template.count for template in templates) < MIN_LINES or len(total.counts) < 2:
        return []
    loud = [
        template
        for template in templates
        if template.severity in BAD
        and template.count >= MIN_ERRORS
        and {"new", "burst", "rate_up"} & set(template.flags)
        and template.first_seen is not None
    ]
    if not loud:
        return []
    most = min(loud, key=lambda template: (-template.count, template.text))
    sample = most.samples[0]
    return [
        Fact(
            origin,
            "anomaly.log_errors",
            "up",
            Mode.LOG,
            (place(sample),),
            sample.when,
            count=most.count,
            params=(
                ("flags", " ".join(most.flags)),
                ("onset", f"{most.first_seen:.3f}"),
                ("template", most.text),
                ("template_id", most.id),
            ),
        )
    ]

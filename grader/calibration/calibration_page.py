"""What calibration found, as Markdown with two pictures beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from grader.calibration.margins import FACTOR, Margins
from grader.calibration.proposals import RubricChange
from grader.calibration.thresholds import MISSED, Distribution, Threshold
from grader.reports.files import write_text

PAGE, MARGINS, THRESHOLDS = "calibration.md", "margins.svg", "thresholds.svg"
ROW_INCHES = 0.24
WIDTH_INCHES = 8.0
RIGHT, WRONG, LIMIT = "#2563a8", "#c2571a", "#374151"
BEST = 3  # wrong programs that are drawn


def write(
    folder: Path,
    margins: Sequence[Margins],
    thresholds: Sequence[Threshold],
    changes: Sequence[RubricChange],
) -> Path:
    """Write the page and its pictures; return the page's path."""
    if margins:
        _draw_margins(folder / MARGINS, margins)
    if thresholds:
        _draw_thresholds(folder / THRESHOLDS, thresholds)
    page = folder / PAGE
    write_text(page, "\n".join(_lines(margins, thresholds, changes)) + "\n")
    return page


def _lines(
    margins: Sequence[Margins], thresholds: Sequence[Threshold], changes: Sequence[RubricChange]
) -> Iterator[str]:
    if margins:
        yield from _tolerances(margins)
    if thresholds:
        yield from _thresholds(thresholds)
    yield "## Changes to the rubric"
    yield ""
    yield from [f"- `{change}`" for change in changes] or ["None."]


def _tolerances(margins: Sequence[Margins]) -> Iterator[str]:
    yield "## Tolerances"
    yield ""
    yield "Differences as shares of what the tolerance allows. Right programs must stay below"
    yield f"{1 / FACTOR:g}, wrong ones above {FACTOR:g}."
    yield ""
    yield f"![The margins of each check]({MARGINS})"
    yield ""
    yield "| check | runs of right programs | largest | runs of wrong programs | smallest | |"
    yield "|---|---|---|---|---|---|"
    for one in margins:
        yield (
            f"| {one.check} | {one.right} | {one.largest:.2g} | {one.wrong} | "
            f"{_number(one.smallest)} | {one.verdict} |"
        )
    yield ""


def _thresholds(thresholds: Sequence[Threshold]) -> Iterator[str]:
    yield "## Thresholds"
    yield ""
    yield "The metric over seeds: least, median, most. *Missed* is the share of gradings in which a"
    yield "right program misses full points: with 95 % confidence at most that. The goal is"
    yield f"{MISSED:g}. Of a wrong program: the share in which its metric *reaches* full points,"
    yield "whatever else of it is wrong."
    yield ""
    yield f"![The metric of each program, seed by seed]({THRESHOLDS})"
    yield ""
    yield "| check | full from | program | seeds | least / median / most | missed | normal? |"
    yield "|---|---|---|---|---|---|---|"
    for found in thresholds:
        for one in found.measured:
            normal = "all equal" if one.is_constant else "yes" if one.looks_normal else "no"
            yield (
                f"| {found.check} | {found.full_at:g} | {one.program} | {len(one.values)} | "
                f"{spread(one)} | {found.missed(one):.2g} | {normal} |"
            )
        for one in found.wrong[:1]:
            yield (
                f"| {found.check} | nothing at {found.zero_at:g} | {one.program} (wrong) | "
                f"{len(one.values)} | {spread(one)} | {_gained(found, one)} | |"
            )
    yield ""
    for found in thresholds:
        if found.verdict:
            yield f"- {found.check}: {found.verdict}"
    yield ""


def _gained(found: Threshold, one: Distribution) -> str:
    gained = found.gained(one)
    return "" if math.isnan(gained) else f"reached: {gained:.2g}"


def spread(one: Distribution) -> str:
    """Return the least, the median and the most."""
    return f"{min(one.values):.4g} / {one.median:.4g} / {max(one.values):.4g}"


def _number(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else "none differs"


def _draw_margins(path: Path, margins: Sequence[Margins]) -> None:
    axes = _axes(len(margins))
    for row, one in enumerate(margins):
        axes.plot([max(one.largest, 1e-12)], [row], "o", color=RIGHT, label="" if row else "right")
        if math.isfinite(one.smallest):
            axes.plot([one.smallest], [row], "s", color=WRONG, label="" if row else "wrong")
    axes.axvline(1, color=LIMIT, lw=1)
    axes.axvspan(1 / FACTOR, FACTOR, color=LIMIT, alpha=0.12, lw=0)
    axes.set_xscale("log")
    axes.set_xlabel("largest difference of right programs, smallest of wrong ones (tolerance = 1)")
    axes.legend(loc="upper left", fontsize=7)
    _finish(axes, path, [one.check for one in margins])


def _draw_thresholds(path: Path, thresholds: Sequence[Threshold]) -> None:
    rows = [(found, one) for found in thresholds for one in (*found.right, *found.wrong[:BEST])]
    axes = _axes(len(rows))
    for row, (found, one) in enumerate(rows):
        colour, mark = (RIGHT, "o") if one in found.right else (WRONG, "s")
        axes.plot(one.values, [row] * len(one.values), mark, color=colour, ms=3, alpha=0.6)
        for limit, style in ((found.zero_at, ":"), (found.full_at, "-")):
            axes.plot([limit, limit], [row - 0.5, row + 0.5], style, color=LIMIT, lw=1)
    axes.set_xlabel("metric; full points from the solid line, none up to the dotted one")
    _finish(axes, path, [f"{found.check} {one.program}" for found, one in rows])


def _axes(rows: int) -> Any:
    from matplotlib.figure import Figure

    height = 1.2 + ROW_INCHES * rows
    return Figure(figsize=(WIDTH_INCHES, height), layout="constrained").subplots()


def _finish(axes: Any, path: Path, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), labels, fontsize=7)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(axis="x", lw=0.3)
    axes.figure.savefig(path, metadata={"Date": None})

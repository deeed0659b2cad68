"""The marking page: every pending check of a class on one page, to be marked without a network.

The page holds pictures of the grader's own making. Files that were handed in lie in a folder beside
it, under names that say nothing; a browser shows them, and the page runs nothing of them.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from grader.deliver.marking import anonymous, items
from grader.deliver.marking.apply import limits
from grader.deliver.marking.items import RubricItem
from grader.deliver.marking.marks import MAX_COMMENT, TEMPLATE, row_of
from grader.reports import figures, html
from grader.reports.report import (
    CheckReport,
    FilesFigure,
    FormulaReport,
    FormulasFigure,
    PicturesFigure,
)
from grader.reports.stored import Stored, check_ids


@dataclass(frozen=True)
class MarkingCard:
    """One pending check of one submission.

    Attributes:
        number: its place among the answers to this check, from 1.
        key: a name under which a browser keeps what is typed; another one for other files.
        name: the submission as the marks file will name it.
        link: the address of its report, seen from the page; empty without names.
        check: what is shown.
        cells: the columns of its row of marks that are known.
        limits: the least and the most points.
        items: what a marker can choose from.
        pictures: addresses of the grader's own pictures, by the names in the check.
        files: addresses of what was handed in, by the names in the check.
    """

    number: int
    key: str
    name: str
    link: str
    check: CheckReport
    cells: Mapping[str, str]
    limits: tuple[float, float]
    items: Sequence[RubricItem]
    pictures: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def anchor(self) -> str:
        """The page's own name for it."""
        return f"{self.check.id}-{self.number}"

    @property
    def least(self) -> float:
        """The least points."""
        return self.limits[0]

    @property
    def most(self) -> float:
        """The most points."""
        return self.limits[1]

    @property
    def formulas(self) -> list[tuple[str, int]]:
        """The verdicts about formulas that were read, each with the number of formulas."""
        return [*Counter(row.verdict for row in self._formulas() if row.mathml).items()]

    @property
    def unread(self) -> list[str]:
        """Where formulas are that were not read."""
        return [row.place for row in self._formulas() if not row.mathml]

    def _formulas(self) -> Iterator[FormulaReport]:
        for figure in self.check.figures:
            if isinstance(figure, FormulasFigure):
                yield from figure.rows


@dataclass(frozen=True)
class MarkingGroup:
    """All answers to one check."""

    id: str
    title: str
    max_points: float
    cards: Sequence[MarkingCard]


@dataclass(frozen=True)
class MarkingPage:
    """What the page shows; ``copies`` are the files to put beside it, by their new names."""

    title: str
    assignment: str
    seed: int
    anonymous: bool
    groups: Sequence[MarkingGroup]
    copies: Mapping[str, Path]

    @property
    def cards(self) -> list[MarkingCard]:
        """All answers in their order."""
        return [card for group in self.groups for card in group.cards]

    def html(self) -> str:
        """Return the page."""
        return html.with_script(
            "marking.html.j2",
            "marking.js",
            made=self,
            columns=TEMPLATE,
            most_letters=MAX_COMMENT,
        )


@dataclass(frozen=True)
class PageOrder:
    """How a page is wanted: its file, the seed of its order, with or without names."""

    path: Path
    seed: int
    anonymous: bool

    @property
    def beside(self) -> str:
        """The name of the folder of files beside the page."""
        return f"{self.path.stem}_files"


def made(
    stored: Mapping[str, Stored], given: Mapping[str, Sequence[RubricItem]], order: PageOrder
) -> MarkingPage:
    """Return the page of all pending checks.

    Args:
        stored: the reports by the submission's id; at least one.
        given: rubric items by check; the others get the standard ones.
        order: how the page is wanted.
    """
    reports = [one.report for one in stored.values()]
    waiting: dict[str, list[tuple[Stored, CheckReport]]] = {}
    for one in stored.values():
        for check in one.report.checks():
            if check.outcome == "pending":
                waiting.setdefault(check.id, []).append((one, check))
    copies: dict[str, Path] = {}
    groups = [
        _group(waiting[check], given.get(check), order, copies)
        for check in check_ids(reports)
        if check in waiting
    ]
    first = reports[0]
    return MarkingPage(first.title, first.assignment, order.seed, order.anonymous, groups, copies)


def _group(
    waiting: Sequence[tuple[Stored, CheckReport]],
    given: Sequence[RubricItem] | None,
    order: PageOrder,
    copies: dict[str, Path],
) -> MarkingGroup:
    check = waiting[0][1]
    drawn = sorted(waiting, key=lambda pair: _place(order.seed, check.id, pair[0]))
    cards = [
        _card(number, one, found, given, order, copies)
        for number, (one, found) in enumerate(drawn, 1)
    ]
    return MarkingGroup(check.id, check.title, check.max_points, cards)


def _place(seed: int, check: str, one: Stored) -> str:
    """Return where an answer comes: drawn anew for each check, the same for the same seed."""
    text = f"{seed}\0{check}\0{anonymous.name(one.report)}"
    return hashlib.sha256(text.encode()).hexdigest()


def _card(
    number: int,
    one: Stored,
    check: CheckReport,
    given: Sequence[RubricItem] | None,
    order: PageOrder,
    copies: dict[str, Path],
) -> MarkingCard:
    report = one.report
    hidden = anonymous.name(report)
    name = hidden if order.anonymous else None
    files: dict[str, str] = {}
    for source in _files(check):
        path = one.folder / source
        if path.is_file():
            ending = PurePosixPath(source).suffix.lower()
            ending = ending if ending in figures.PASSIVE else ".bin"
            at = f"{check.id}-{number}-{len(files) + 1}{ending}"
            copies[at] = path
            files[source] = f"{quote(order.beside)}/{quote(at)}"
    page = one.folder / "report.html"
    link = "" if order.anonymous else quote(os.path.relpath(page, order.path.parent))
    return MarkingCard(
        number=number,
        key=f"{hidden} {check.id}",
        name=name or report.id,
        link=f"{link}#{quote(check.id)}" if link else "",
        check=anonymous.without_names(check, report) if order.anonymous else check,
        cells=row_of(report, check, name),
        limits=limits(check),
        # What is decided differs from answer to answer, and so do all points that are left.
        items=items.standard(*limits(check)) if given is None else given,
        pictures=_pictures(one, check),
        files=files,
    )


def _files(check: CheckReport) -> Iterator[str]:
    for figure in check.figures:
        if isinstance(figure, FilesFigure):
            yield from (item.file for item in figure.items if item.file)


def _pictures(one: Stored, check: CheckReport) -> dict[str, str]:
    """Return the pictures of a check, of those that lie in the report's own folder."""
    found = {}
    for figure in check.figures:
        if not isinstance(figure, PicturesFigure):
            continue
        for item in figure.items:
            name = PurePosixPath(item.file)
            path = one.folder / name
            if not name.is_absolute() and ".." not in name.parts and path.is_file():
                found[item.file] = figures.picture_uri(path.read_bytes())
    return found

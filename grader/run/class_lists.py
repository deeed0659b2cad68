"""Tables about a class that an instructor gives beside the hand-ins: times, and groups.

Columns are found by the names that people and platforms give them: Gradescope's table of grades and
Canvas's list of groups are read as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from grader.errors import UsageError
from grader.readers import tables
from grader.readers.moments import moment
from grader.readers.tables import Row, Sheet, number, unquoted
from grader.readers.texts import quoted
from grader.reports.frame import GroupReport, MemberReport

Value = TypeVar("Value")
IDENTIFIERS = (
    "submission", "student", "id", "sid", "submission id", "email", "email address", "login",
    "login_id", "user_id", "canvas_user_id", "sis user id", "sis login id", "username",
    "id number", "identifier",
)  # fmt: skip
NAMES = ("student", "name", "full name", "student name")
VALUES: Mapping[str, tuple[str, ...]] = {
    "handed_in": ("handed_in", "submission time", "submitted_at"),
    "due": ("due", "due date"),
    "extension": ("extension_days",),
    "days_late": ("days_late", "days late"),
    "lateness": ("lateness", "lateness (h:m:s)"),
}
GROUP = ("group", "group_name")
MEMBER: Mapping[str, tuple[str, ...]] = {
    "name": NAMES[1:],
    "id": ("id", "sid", "user_id", "sis user id"),
    "login": ("login", "login_id", "sis login id", "username", "student"),
    "email": ("email", "email address"),
    "canvas_id": ("canvas_user_id",),
}
HOURS = re.compile(r"(\d{1,6}):([0-5]\d):([0-5]\d)", re.ASCII)
MAX_DAYS = 10_000


@dataclass(frozen=True)
class TimesRow:
    """What a table of times says about a student; None where it says nothing.

    ``days_late`` and ``lateness`` already count what was due when.
    """

    line: int
    identifiers: tuple[str, ...]
    names: tuple[str, ...]
    handed_in: datetime | None
    due: datetime | None
    extension: timedelta
    days_late: int | None
    lateness: timedelta | None

    @property
    def shown(self) -> str:
        """How a message names the row."""
        text = next((one for one in (*self.identifiers, *self.names)), "")
        return f"{quoted(text)} (line {self.line})"

    @property
    def is_of_a_hand_in(self) -> bool:
        """Whether it says that there is a hand-in."""
        told = (self.handed_in, self.days_late, self.lateness)
        return any(value is not None for value in told)


@dataclass(frozen=True)
class Times:
    """A table of times, by the name of its file."""

    name: str
    rows: tuple[TimesRow, ...]


def read_times(path: Path) -> Times:
    """Read a table of times.

    Raises:
        UsageError: it cannot be read, or a cell is not what its column holds.
    """
    table = tables.read(path)
    columns = {key: table.column(*names) for key, names in VALUES.items()}
    own = [column for name in IDENTIFIERS if (column := table.column(name)) is not None]
    names = [column for name in NAMES if (column := table.column(name)) is not None]
    if table.columns and (not (own or names) or not any(columns.values())):
        table.problems.add(
            table.line,
            "needs a column that says whose (submission, student, email, ...) and one of "
            "handed_in, due, extension_days, days_late",
        )
    rows = []
    for row in table.rows:
        reading = _Reading(table, row, columns)
        rows.append(
            TimesRow(
                row.line,
                _cells(row, own),
                _cells(row, names),
                reading.value("handed_in", moment, "a date such as 2027-03-01 23:59"),
                reading.value("due", moment, "a date such as 2027-03-01 23:59"),
                timedelta(days=reading.value("extension", _days, "a number of days") or 0),
                reading.value("days_late", _whole_days, "a number of whole days"),
                reading.value("lateness", _hours, "a time such as 26:30:00"),
            )
        )
    _refuse(table)
    return Times(table.name, tuple(rows))


def read_groups(path: Path) -> list[GroupReport]:
    """Read a list of groups: a row for each member.

    Raises:
        UsageError: it cannot be read, or lacks a column.
    """
    table = tables.read(path)
    group = table.column(*GROUP)
    columns = {key: table.column(*names) for key, names in MEMBER.items()}
    if table.columns and (group is None or not any(columns.values())):
        table.problems.add(
            table.line,
            "needs a column group and one that says who is in it (canvas_user_id, login, email, "
            "id or name)",
        )
    _refuse(table)
    found: dict[str, list[MemberReport]] = {}
    for row in table.rows:
        name = unquoted(row.cells[group or ""].strip())
        cells = {key: row.cells[column].strip() for key, column in columns.items() if column}
        told = {key: unquoted(text) for key, text in cells.items() if text}
        if name and told:
            found.setdefault(name, []).append(MemberReport(**told))
    return [GroupReport(name=name, members=tuple(members)) for name, members in found.items()]


class _Reading:
    def __init__(self, table: Sheet, row: Row, columns: Mapping[str, str | None]) -> None:
        self._table, self._row, self._columns = table, row, columns

    def value(self, key: str, read: Callable[[str], Value], what: str) -> Value | None:
        """Return a cell's value; what cannot be read is a problem of the table."""
        column = self._columns[key]
        text = self._row.cells[column].strip() if column else ""
        if not text:
            return None
        try:
            return read(text)
        except ValueError:
            self._table.problems.add(self._row.line, f"{column}: {quoted(text)} is not {what}")
            return None


def _days(text: str) -> float:
    found = number(text)
    if found is None or not 0 <= found <= MAX_DAYS:
        raise ValueError(text)
    return found


def _whole_days(text: str) -> int:
    found = _days(text)
    if found != int(found):
        raise ValueError(text)
    return int(found)


def _hours(text: str) -> timedelta:
    match = HOURS.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hours, minutes, seconds = map(int, match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _cells(row: Row, columns: list[str]) -> tuple[str, ...]:
    texts = (unquoted(row.cells[column].strip()) for column in dict.fromkeys(columns))
    return tuple(text for text in texts if text)


def _refuse(table: Sheet) -> None:
    if table.problems:
        raise UsageError("\n".join(table.problems.printed))

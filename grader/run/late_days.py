"""How late each submission of a class is, whose group it is, and which late days it takes.

What an instructor gives beside the hand-ins decides: a table of times, the date when they were due;
and Canvas's word LATE in a name. It stays in the reports of a run until something else is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from grader import lateness
from grader.deliver.exports.roster import folded, name_forms
from grader.errors import UsageError
from grader.intake.downloads import Collected, Student
from grader.intake.submission import Origin
from grader.lateness import Lateness
from grader.model import LateSpec, Rubric
from grader.readers.texts import counted, quoted
from grader.reports.frame import Frame, GroupReport, LateReport
from grader.reports.report import Report
from grader.reports.submitters import GRADESCOPE
from grader.run.class_lists import Times, TimesRow, read_groups, read_times
from grader.run.late_bank import LateBank, Person

MAX_NAMED = 6  # submissions or rows in one note


@dataclass(frozen=True)
class Told:
    """What is given beside the hand-ins: files and folders, and when the homework was due."""

    times: Path | None = None
    due: datetime | None = None
    groups: Path | None = None
    earlier: tuple[Path, ...] = ()


@dataclass
class Frames:
    """What the reports say of each hand-in beside its files.

    Attributes:
        frames: by the submission's id.
        notes: what a person must know, a line each.
        digest: differs between two runs with different tables, dates or rules.
    """

    frames: dict[str, Frame] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    digest: str = ""


def frames(
    rubric: Rubric,
    told: Told,
    found: Sequence[tuple[str, Origin]],
    earlier: Mapping[str, Report],
    replaced: Sequence[str] = (),
) -> Frames:
    """Return what reports say of the hand-ins of a class beside their files.

    Args:
        rubric: has the rule for late days.
        told: what is given.
        found: all hand-ins of the class, by id.
        earlier: reports of the same hand-ins from earlier runs, by id.
        replaced: late submissions of earlier runs of which another hand-in is there now.

    Raises:
        UsageError: a file cannot be read, fits two submissions, or needs a date.
    """
    policy = rubric.policies.late
    wanted = {"--times": told.times, "--due": told.due, "--bank": told.earlier or None}
    for option, value in wanted.items():
        if value is not None and policy is None:
            raise UsageError(
                f"{option}: the rubric has no rule for late days; add one, such as "
                "`late: {per_day: 0.1}`"
            )
    made = _Framing(rubric, told, found, earlier).all()
    if replaced and told.times is None:
        made.notes.append(
            "handed in again, and no time is known any more (--times FILE tells): "
            f"{_named(replaced)}"
        )
    return made


class _Framing:
    def __init__(
        self,
        rubric: Rubric,
        told: Told,
        found: Sequence[tuple[str, Origin]],
        earlier: Mapping[str, Report],
    ) -> None:
        self._policy = rubric.policies.late
        self._told = told
        self._students = {name: _student(origin) for name, origin in found}
        self._earlier = earlier
        self._made = Frames()
        self._groups = self._grouped()
        self._bank = LateBank(rubric.assignment, told.earlier)
        self._times = None if told.times is None else read_times(told.times)
        self._rows = {} if self._times is None else self._matched(self._times)

    def all(self) -> Frames:
        """Return all frames."""
        made = self._made
        unknown: list[str] = []
        for name in self._students:
            group = self._groups.get(name)
            late = None if self._policy is None else self._late(self._policy, name, unknown)
            made.frames[name] = Frame(late=late, group=group)
        if self._times is not None and (
            without := [n for n in self._students if not self._is_timed(n)]
        ):
            made.notes.append(
                f"{self._times.name}: no time for {counted(len(without), 'submission')}, taken to "
                f"be in time unless their names say otherwise: {_named(without)}"
            )
        if unknown:
            made.notes.append(
                f"late by their names, nobody knows by how much, and the rubric or an extension "
                f"may allow it; nothing is taken off: {_named(unknown)} (--times FILE tells)"
            )
        made.notes += self._bank.notes
        made.digest = self._digest()
        return made

    def _is_timed(self, name: str) -> bool:
        return any(row.is_of_a_hand_in for row in self._rows.get(name, ()))

    def _late(self, policy: LateSpec, name: str, unknown: list[str]) -> LateReport | None:
        rows = self._rows.get(name, [])
        handed_in = _latest(row.handed_in for row in rows)
        due = self._due(rows)
        found: Lateness | None = None
        days = [row.days_late for row in rows if row.days_late is not None]
        delays = [row.lateness for row in rows if row.lateness is not None]
        if days:
            found = lateness.by_days(policy, min(days))
        elif delays:
            found = lateness.by_delay(policy, min(delays))
        elif handed_in is not None:
            found = self._by_times(policy, name, handed_in, due)
        elif self._told.times is None and self._told.due is None and name in self._earlier:
            return self._as_before(policy, name)
        elif self._is_named_late(name):
            told_more = any(row.due is not None or row.extension for row in rows)
            if policy.grace_minutes or told_more:
                unknown.append(name)
            else:
                found = Lateness(1, over=lateness.by_days(policy, 1).over, at_least=True)
        if found is None or found.days == 0:
            return None
        known = due if handed_in is not None and not (days or delays) else None
        return LateReport.of_lateness(
            policy, self._paid(policy, name, found), _text(handed_in), _text(known)
        )

    def _as_before(self, policy: LateSpec, name: str) -> LateReport | None:
        """Return what an earlier report says, by today's rule."""
        before = self._earlier[name].late
        if before is None:
            return None
        found = lateness.by_days(policy, before.days)
        found = Lateness(found.days, over=found.over, at_least=before.at_least)
        left = None
        if before.bank_left is not None and not self._told.earlier:
            left = before.bank_left + before.bank_days
        paid = self._paid(policy, name, found, left)
        return LateReport.of_lateness(policy, paid, before.handed_in, before.due)

    def _paid(
        self, policy: LateSpec, name: str, found: Lateness, left: int | None = None
    ) -> Lateness:
        """Return how late it is with the days that the course's late days pay for."""
        if policy.bank_days is None:
            return found
        if left is None:
            people = self._people(name)
            left = min(max(0, policy.bank_days - self._bank.used(one)) for one in people)
        open_days = 0 if found.over else max(0, found.days - policy.free_days)
        bank = min(left, open_days)
        return Lateness(found.days, found.over, bank, left - bank, found.at_least)

    def _people(self, name: str) -> list[Person]:
        group = self._groups.get(name)
        if group is not None:
            return [Person.of_member(member) for member in group.members]
        return Person.of_student(name, self._students[name])

    def _is_named_late(self, name: str) -> bool:
        return bool(self._students[name].late)

    def _due(self, rows: Sequence[TimesRow]) -> datetime | None:
        found = []
        for row in rows:
            due = row.due or self._told.due
            if due is None and row.extension:
                raise UsageError(
                    f"{self._name}:{row.line}: extension_days: nothing says when the homework was "
                    "due; add --due DATE"
                )
            found += [] if due is None else [due + row.extension]
        return _latest(found)

    @property
    def _name(self) -> str:
        return self._times.name if self._times is not None else ""

    def _by_times(
        self, policy: LateSpec, name: str, handed_in: datetime, due: datetime | None
    ) -> Lateness:
        place = f"{self._name}:{self._rows[name][0].line}"
        if due is None:
            raise UsageError(
                f"{place}: nothing says when the homework was due; add --due DATE, or a column due"
            )
        if (handed_in.tzinfo is None) != (due.tzinfo is None):
            raise UsageError(
                f"{place}: {handed_in} and {due}, when it was due, cannot be compared: give both "
                "a time zone, such as 2027-03-01 23:59 +0100, or neither"
            )
        return lateness.by_times(policy, handed_in, due)

    def _matched(self, times: Times) -> dict[str, list[TimesRow]]:
        """Return the rows of each submission."""
        index = _Index(self._students, self._groups)
        found: dict[str, list[TimesRow]] = {}
        nobody = []
        for row in times.rows:
            names = index.find(row.identifiers, row.names)
            if len(names) > 1:
                raise UsageError(
                    f"{times.name}:{row.line}: {row.shown} fits several submissions: "
                    f"{_named(sorted(names))}; write the submission's id"
                )
            for name in names:
                found.setdefault(name, []).append(row)
            nobody += [row.shown] if not names and row.is_of_a_hand_in else []
        for name, rows in found.items():
            if len(rows) > 1 and len(self._people(name)) < len(rows):
                lines = ", ".join(str(row.line) for row in rows)
                raise UsageError(f"{times.name}: lines {lines} are all about {name}; keep one")
        if nobody:
            self._made.notes.append(
                f"{times.name}: {counted(len(nobody), 'row')} of no submission: {_named(nobody)}"
            )
        return found

    def _grouped(self) -> dict[str, GroupReport]:
        """Return the group of each submission that is one's."""
        told = self._told.groups
        if told is None:
            before = {name: made.submission.group for name, made in self._earlier.items()}
            return {name: group for name, group in before.items() if group is not None}
        index = _Index(self._students, {})
        found: dict[str, list[str]] = {}
        every = read_groups(told)
        for group in every:
            own = [text for one in group.members for text in one.model_dump().values()]
            names = {name for text in own for name in index.find([text], [])}
            names |= set(index.find([], [group.name]))
            found[group.name] = sorted(names)
        made: dict[str, GroupReport] = {}
        for group in every:
            fitting = found[group.name]
            if len(fitting) > 1:
                self._made.notes.append(
                    f"{told}: group {quoted(group.name)} handed in {len(fitting)} times "
                    f"({_named(fitting)}): each is graded as its own student's"
                )
            elif fitting and fitting[0] in made:
                raise UsageError(
                    f"{told}: {fitting[0]} fits two groups, {quoted(made[fitting[0]].name)} and "
                    f"{quoted(group.name)}"
                )
            elif fitting:
                made[fitting[0]] = group
        if absent := [quoted(group.name) for group in every if not found[group.name]]:
            self._made.notes.append(
                f"{told.name}: no hand-in of {counted(len(absent), 'group')}: {_named(absent)}"
            )
        return made

    def _digest(self) -> str:
        """Return what differs between runs with different tables; empty if there are none."""
        told = self._told
        if self._policy is None and told.groups is None:
            return ""
        files = [
            path.read_bytes() if path is not None else b"" for path in (told.times, told.groups)
        ]
        texts = [repr(self._policy), str(told.due), self._bank.digest]
        whole = b"\0".join([*files, *(text.encode() for text in texts)])
        return hashlib.sha256(whole).hexdigest()


class _Index:
    """Finds submissions by what tables call them: by an identifier, or else by a name."""

    def __init__(self, students: Mapping[str, Student], groups: Mapping[str, GroupReport]) -> None:
        self._exact: dict[str, set[str]] = {}
        self._names: dict[str, set[str]] = {}
        for name, student in students.items():
            number = GRADESCOPE.match(name)
            texts = [name, *student.id.split(", "), *student.email.split(", ")]
            texts += [number["id"]] if number is not None else []
            called = [name, student.name, *student.name.split(", ")]
            if (group := groups.get(name)) is not None:
                texts += [text for one in group.members for text in one.model_dump().values()]
                called += [group.name, *(one.name or "" for one in group.members)]
            for text in filter(None, texts):
                self._exact.setdefault(folded(text), set()).add(name)
            for text in (form for one in called for form in name_forms(one)):
                self._names.setdefault(text, set()).add(name)

    def find(self, identifiers: Iterable[str], names: Iterable[str]) -> set[str]:
        """Return the submissions that any of the identifiers fits, or else any of the names."""
        identifiers = list(identifiers)
        exact = {one for text in identifiers for one in self._exact.get(folded(text), ())}
        if exact:
            return exact
        forms = [form for text in (*names, *identifiers) for form in name_forms(text)]
        return {one for form in forms for one in self._names.get(form, ())}


def _student(origin: Origin) -> Student:
    student = origin.student if isinstance(origin, Collected) else None
    return student or Student()


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    found = [moment for moment in moments if moment is not None]
    if len({moment.tzinfo is None for moment in found}) > 1:
        raise UsageError("some dates have a time zone and some have none: give all, or none, one")
    return max(found, default=None)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(sep=" ", timespec="minutes")


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"{', '.join(names[:MAX_NAMED])}{more}"

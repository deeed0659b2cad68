"""Every right solution handed in for every question of its family.

Questions of one family differ in *what* must be written: a vanilla RNN or an LSTM, a network that
is fine-tuned or frozen. A good solution of one that earns the points of another shows a check that
does not look at what it is named after. ``reference/submissions/families.yaml`` lists them::

    - title: recurrent networks
      base: full_marks/plain
      module: text_classification.py
      members: {q6.4: train_rnn, q6.5: train_lstm}
      same: {q6.4: [q6.5]}        # optional: what is rightly the same where q6.4 is asked
      code: |                     # appended to the module, with the members' names put in
        ASKED = HANDED
"""

from __future__ import annotations

import contextlib
import fnmatch
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field
from rich import box
from rich.table import Table
from rich.text import Text

from grader.assignment.listed import read_list
from grader.errors import RubricError, UsageError
from grader.job import Submitted
from grader.model import CheckSpec, Rubric, Strict
from grader.readers.texts import did_you_mean, plain
from grader.reports.report import CheckReport, Report

FAMILIES = "families.yaml"
LEAST_LOST = 0.5  # of the points for the structure, where a sibling's solution is handed in
CLOSE = 1.0e-3  # points
ASKED, HANDED = "ASKED", "HANDED"  # in the code of a family


class SiblingFamily(Strict):
    """Questions whose solutions are handed in for each other."""

    title: str
    base: str
    module: str
    members: Annotated[dict[str, str], Field(min_length=2)]
    same: dict[str, list[str]] = {}
    code: str


@dataclass(frozen=True)
class Cell:
    """The solution of the check ``handed``, handed in where ``asked`` is asked."""

    family: SiblingFamily
    asked: str
    handed: str

    @property
    def name(self) -> str:
        """The name of its report folder."""
        return f"{self.asked}-by-{self.handed}"

    @property
    def is_right(self) -> bool:
        """Whether it must keep its points."""
        return self.handed in (self.asked, *self.family.same.get(self.asked, []))


@dataclass(frozen=True)
class Crossed:
    """What a cell scored; ``problem`` says what should not be so."""

    cell: Cell
    check: CheckReport
    problem: str = ""


def load_families(rubric: Rubric) -> list[SiblingFamily]:
    """Return the families of an assignment.

    Raises:
        RubricError: the file is wrong, with all problems.
        UsageError: there is no such file.
    """
    path = rubric.reference / "submissions" / FAMILIES
    source, families = read_list(path, SiblingFamily, "families")
    if source.data == []:
        source.problems.add(1, "must list at least one family")
    known = {check.id for question in rubric.questions for check in question.checks}
    for number, family in families.items():
        for key, text in _family_problems(family, known, path.parent):
            source.problems.add(source.line((number, key)), text, key)
    if source.problems:
        raise RubricError(source.problems.printed)
    return list(families.values())


def _family_problems(
    family: SiblingFamily, known: set[str], folder: Path
) -> Iterator[tuple[str, str]]:
    """Yield what does not fit the rubric or the examples: the key, and what is wrong."""
    others = {name for names in family.same.values() for name in names}
    for key, checks in (("members", set(family.members)), ("same", set(family.same) | others)):
        wanted = known if key == "members" else set(family.members)
        for check in sorted(checks - wanted):
            yield key, f"there is no check {check!r}{did_you_mean(check, sorted(wanted))}"
    if not (folder / family.base / family.module).is_file():
        yield "base", f"there is no file {family.base}/{family.module} among the examples"
    if ASKED not in family.code or HANDED not in family.code:
        yield "code", f"must name {ASKED} and {HANDED}"


def matching_families(
    families: list[SiblingFamily], patterns: Sequence[str]
) -> list[SiblingFamily]:
    """Return the families with a check that matches any of the patterns; all if there are none.

    Raises:
        UsageError: a pattern matches no check.
    """
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(check, pattern) for f in families for check in f.members):
            raise UsageError(f"{pattern}: no family has such a check")
    return [
        family
        for family in families
        if not patterns
        or any(fnmatch.fnmatchcase(check, p) for check in family.members for p in patterns)
    ]


def cells(families: Sequence[SiblingFamily]) -> list[Cell]:
    """Return all pairs of a question and a solution, row by row."""
    return [
        Cell(family, asked, handed)
        for family in families
        for asked in family.members
        for handed in family.members
    ]


@contextlib.contextmanager
def handed_in(rubric: Rubric, wanted: Sequence[Cell]) -> Iterator[list[Submitted]]:
    """Write each pair as a submission into a temporary folder; yield what to grade."""
    examples = rubric.reference / "submissions"
    with tempfile.TemporaryDirectory(prefix="siblings-") as name:
        submitted = []
        for cell in wanted:
            folder = Path(name) / cell.name
            shutil.copytree(examples / cell.family.base, folder)
            if cell.asked != cell.handed:
                module = folder / cell.family.module
                text = module.read_text(encoding="utf-8")
                module.write_text(f"{text}\n\n{_code(cell)}", encoding="utf-8")
            submitted.append(Submitted(cell.name, folder, frozenset([cell.asked])))
        yield submitted


def _code(cell: Cell) -> str:
    members = cell.family.members
    code = cell.family.code.replace(ASKED, members[cell.asked])
    return code.replace(HANDED, members[cell.handed])


def crossed(rubric: Rubric, wanted: Sequence[Cell], reports: Sequence[Report]) -> list[Crossed]:
    """Return what each pair scored, and what should not be so."""
    specs = {check.id: check for question in rubric.questions for check in question.checks}
    by_id = {made.id: made for made in reports}
    found = []
    for cell in wanted:
        check = by_id[cell.name].by_id()[cell.asked]
        found.append(Crossed(cell, check, _problem(cell, check, specs[cell.asked])))
    return found


def _problem(cell: Cell, check: CheckReport, spec: CheckSpec) -> str:
    lost, said = check.max_points - check.points, ""
    least = LEAST_LOST * spec.structure_share * spec.points
    if cell.is_right:
        if check.outcome != "passed":
            said = f"loses {plain(lost)} points of its own"
    elif lost < least - CLOSE:
        said = f"loses {plain(lost)} of at least {plain(least)} points"
    elif check.outcome == "pending":
        said = "is left to a person"
    return f"{cell.handed} handed in for {cell.asked} {said} ({check.message})" if said else ""


def tables(found: Sequence[Crossed]) -> Iterator[Table]:
    """Yield a matrix per family: a row for what is asked, a column for what is handed in."""
    by_cell: Mapping[str, Crossed] = {one.cell.name: one for one in found}
    for family in {one.cell.family.title: one.cell.family for one in found}.values():
        made = Table(title=family.title, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        made.add_column("asked \\ handed in", no_wrap=True)
        for check in family.members:
            made.add_column(check, justify="right")
        for asked, member in family.members.items():
            row = [by_cell[Cell(family, asked, handed).name] for handed in family.members]
            made.add_row(f"{asked} {member}", *map(_shown, row))
        yield made


def _shown(one: Crossed) -> Text:
    check = one.check
    text = f"{plain(check.points)} / {plain(check.max_points)}"
    text += f" {check.outcome}" if check.outcome in ("pending", "broken") else ""
    network = check.measurements.get("network")
    if network and not one.cell.is_right:
        text += f"\n{network}"
    return Text(text, "bold red" if one.problem else "")

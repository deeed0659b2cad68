"""``report.json``: everything an appeal needs, as one type that is built, written and read back.

The keys and their order are a contract (docs/reports.md). Its JSON Schema, ``report.schema.json``
beside this file, is generated from these types by ``grader.reports.schema``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue, Strict, ValidationError, model_validator

from grader import scoring
from grader.errors import Reason
from grader.model import Outcome, Status, Tier, Visibility
from grader.reports.frame import Frame, GroupReport, LateReport
from grader.reports.reported import Items, Points, Reported, is_absent

SCHEMA_VERSION: Literal[1] = 1
Step = Annotated[tuple[int, float | None], Strict(strict=False)]


class CauseReport(Reported):
    """Why something is wrong, where that is known; the same identifier for the same cause."""

    id: Annotated[str, Field(pattern=r"^\S+$")]
    text: str


Digest = Annotated[
    Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None, Field(exclude_if=is_absent)
]


def _is_false(value: object) -> bool:
    return value is False


class PartReport(Reported):
    """One separately scored share of a check, such as one gradient.

    Of an ``undecided`` one, ``points`` are what is decided; a person decides about the rest.
    """

    name: str
    points: Points
    max_points: Points
    reason: Reason | None
    message: str
    cause: CauseReport | None = None
    undecided: Annotated[bool, Field(exclude_if=_is_false)] = False


class CurvesFigure(Reported):
    """Learning curves: points [step, value] by name; null for what is not finite."""

    kind: Literal["curves"] = "curves"
    title: str
    series: dict[str, Items[Step]]
    xlabel: str
    ylabel: str
    log: bool


class PictureReport(Reported):
    """A picture with its caption; the file's name is relative to the report."""

    caption: str
    file: str


class PicturesFigure(Reported):
    """Pictures with captions."""

    kind: Literal["pictures"] = "pictures"
    title: str
    items: Items[PictureReport]


class TableFigure(Reported):
    """Rows of text below a header."""

    kind: Literal["table"] = "table"
    title: str
    header: Items[str]
    rows: Items[Items[str]]


class TextFigure(Reported):
    """A text for a person to read."""

    kind: Literal["text"] = "text"
    title: str
    text: str


class FormulaReport(Reported):
    """One formula, as it was written and as it was read; what was not read has no MathML."""

    place: str
    mathml: str
    source: str
    verdict: str


class FormulasFigure(Reported):
    """Formulas of a derivation as they were read, with their verdicts."""

    kind: Literal["formulas"] = "formulas"
    title: str
    rows: Items[FormulaReport]


class HandedInFileReport(Reported):
    """A file of the submission: ``file`` is where it lies beside the report, empty if nowhere."""

    name: str
    bytes: int
    file: Annotated[str, Field(pattern=r"^(figures/[A-Za-z0-9.-]+)?$")]


class FilesFigure(Reported):
    """Files that only a person can read."""

    kind: Literal["files"] = "files"
    title: str
    items: Items[HandedInFileReport]


FigureReport = Annotated[
    CurvesFigure | PicturesFigure | TableFigure | TextFigure | FormulasFigure | FilesFigure,
    Field(discriminator="kind"),
]


class MachineReport(Reported):
    """What a check had before any person marked it."""

    points: Points
    outcome: Literal["passed", "partial", "failed", "blocked", "pending"]
    reason: Reason | None
    message: str
    cause: CauseReport | None = None


class Marked(Reported):
    """A person's mark; file is the name of the file of marks."""

    points: Points
    comment: str
    by: str
    file: str
    machine: MachineReport


class CheckReport(Reported):
    """One check; marked is there only if a person marked it.

    ``basis`` is the digest of all that the result depends on beside the files that were handed in;
    it is not there if another run may come to another result.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "additionalProperties": False,
            "if": {
                "properties": {"outcome": {"enum": ["failed", "partial", "blocked"]}},
                "not": {"required": ["marked"]},
            },
            "then": {"properties": {"reason": {"type": "string"}}},
            "else": {"properties": {"reason": {"type": "null"}}},
        }
    )

    id: str
    title: str
    kind: str
    outcome: Outcome
    reason: Reason | None
    points: Points
    max_points: Annotated[float, Field(gt=0)]
    extra_credit: Annotated[bool, Field(description="its points are not part of max_score")]
    visibility: Visibility
    message: str
    cause: CauseReport | None = None
    hint: str
    notes: Items[str]
    seed: Annotated[Annotated[int, Field(ge=0)] | None, Field(description="null if secret")]
    duration_s: Annotated[float, Field(ge=0)]
    parts: Items[PartReport]
    measurements: dict[str, JsonValue]
    figures: Items[FigureReport]
    output: str
    basis: Digest = None
    marked: Annotated[Marked | None, Field(exclude_if=is_absent)] = None

    @property
    def machine(self) -> MachineReport:
        """What the grader said, whether or not a person has marked the check since.

        Raises:
            ValueError: our side failed; it said nothing.
        """
        if self.marked is not None:
            return self.marked.machine
        if self.outcome == "broken":
            raise ValueError(f"{self.id} is broken")
        return MachineReport(
            points=self.points,
            outcome=self.outcome,
            reason=self.reason,
            message=self.message,
            cause=self.cause,
        )


class QuestionReport(Reported):
    """One question with those of its checks that were run."""

    id: str
    title: str
    score: Points
    max_score: Points
    checks: Annotated[Items[CheckReport], Field(min_length=1)]


class StudentReport(Reported):
    """Who handed it in, as far as the names in a platform's download tell."""

    name: Annotated[str | None, Field(exclude_if=is_absent)] = None
    id: Annotated[str | None, Field(exclude_if=is_absent)] = None
    email: Annotated[str | None, Field(exclude_if=is_absent)] = None
    late: Annotated[bool | None, Field(exclude_if=is_absent)] = None


class SubmissionReport(Reported):
    """What was handed in; the notes say what was left out, and why.

    ``basis`` is the digest of the files before they were staged, and of what staging depends on;
    ``contents`` that of the files alone, which tells whether the student handed in again.
    """

    id: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    files: Items[str]
    notes: Items[str]
    basis: Digest = None
    contents: Digest = None
    contested: Annotated[str | None, Field(exclude_if=is_absent)] = None
    student: Annotated[StudentReport | None, Field(exclude_if=is_absent)] = None
    group: Annotated[GroupReport | None, Field(exclude_if=is_absent)] = None


class Report(Reported):
    """The result of grading one submission; seed says what the data were drawn from."""

    model_config = ConfigDict(
        json_schema_extra={
            "additionalProperties": False,
            "if": {"properties": {"status": {"const": "broken"}}},
            "then": {"properties": {"score": {"type": "null"}}},
            "else": {"properties": {"score": {"type": "number"}}},
        }
    )

    schema_version: Literal[1] = SCHEMA_VERSION
    assignment: str
    title: str
    status: Status
    score: Annotated[
        Points | None,
        Field(description="null exactly if status is broken: no grade is issued"),
    ]
    max_score: Annotated[float, Field(ge=0, description="of the checks that were run")]
    late: Annotated[LateReport | None, Field(exclude_if=is_absent)] = None
    submission: SubmissionReport
    isolation: Items[str]
    tier: Tier
    seed: Annotated[str | None, Field(exclude_if=is_absent)] = None
    graded_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    grader_version: str
    questions: Items[QuestionReport]

    @model_validator(mode="after")
    def _withheld_if_broken(self) -> Report:
        if (self.score is None) != (self.status == "broken"):
            raise ValueError("score must be null if status is broken, and a number if it is not")
        return self

    @classmethod
    def read(cls, raw: bytes) -> Report:
        """Return the report that ``raw`` holds as JSON.

        Raises:
            ValueError: it holds none; the text says what is wrong.
        """
        try:
            made = json.loads(raw)
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            raise ValueError("is not JSON; grade this submission again") from None
        version = made.get("schema_version") if isinstance(made, dict) else None
        if version != SCHEMA_VERSION:
            raise ValueError(f"schema_version is {version!r}; this program reads {SCHEMA_VERSION}")
        try:
            return cls.model_validate(made)
        except ValidationError as error:
            raise ValueError(f"is not a report: {first_problem(error)}") from None

    @property
    def id(self) -> str:
        """The submission's id."""
        return self.submission.id

    @property
    def student(self) -> str:
        """The student's name, if it is known."""
        student = self.submission.student
        return (student.name or "") if student is not None else ""

    @property
    def students(self) -> str:
        """The student's name, or that of a group with its members."""
        group = self.submission.group
        if group is None:
            return self.student
        return f"{group.name}: {', '.join(one.shown for one in group.members)}"

    def checks(self) -> Iterator[CheckReport]:
        """Yield all checks, question by question."""
        for question in self.questions:
            yield from question.checks

    def by_id(self) -> dict[str, CheckReport]:
        """Return the checks by id."""
        return {check.id: check for check in self.checks()}

    def with_check(self, check: CheckReport) -> Report:
        """Return the report with this check in place of the one with its id, added up anew."""
        questions = []
        for question in self.questions:
            checks = tuple(check if old.id == check.id else old for old in question.checks)
            score = scoring.points_total(one.points for one in checks)
            questions.append(question.model_copy(update={"checks": checks, "score": score}))
        return self.with_questions(questions)

    def with_questions(
        self, questions: Iterable[QuestionReport], max_score: float | None = None
    ) -> Report:
        """Return the report with these questions, and its score and status as they give them.

        Broken stays broken: no mark of a person makes a grade of what our side failed in.

        Args:
            questions: the questions.
            max_score: what they are worth together; by default the same as before.
        """
        questions = tuple(questions)
        status = scoring.status_from(check.outcome for one in questions for check in one.checks)
        changes: dict[str, Any] = {
            "questions": questions,
            "status": "broken" if self.status == "broken" else status,
            "max_score": self.max_score if max_score is None else max_score,
        }
        return _added_up(self.model_copy(update=changes))

    def framed(self, frame: Frame) -> Report:
        """Return the report with what is known of the hand-in beside its files, added up anew."""
        about = self.submission.model_copy(update={"group": frame.group})
        return _added_up(self.model_copy(update={"submission": about, "late": frame.late}))

    @property
    def frame(self) -> Frame:
        """What is known of the hand-in beside its files."""
        late = None if self.late is None else self.late.unsettled
        return Frame(late=late, group=self.submission.group)


def _added_up(made: Report) -> Report:
    """Return a report with its score as checks and lateness give it."""
    score = None
    if made.status != "broken":
        score = scoring.points_total(check.points for check in made.checks())
    late = None if made.late is None else made.late.settled(score, made.max_score)
    if late is not None and score is not None:
        score = round(score - (late.points or 0.0), scoring.POINT_DIGITS)
    return made.model_copy(update={"score": score, "late": late})


def first_problem(error: ValidationError) -> str:
    """Return the first of the things that keep values from being a report, with its place."""
    first = error.errors(include_url=False)[0]
    place = "".join(f"{part}." for part in first["loc"])[:-1]
    words = first["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")
    return f"{place}: {words}" if place else words

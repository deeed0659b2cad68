"""Known-good and known-wrong submissions, and what each must score.

``reference/submissions/<group>/<name>/`` holds what a student hands in, and ``expected.yaml``::

    mistake: temporal_softmax_loss does not subtract the maximum
    base: full_marks/plain          # an example that supplies the files this one lacks
    loses:                          # points by check; every other check must earn all of its own
      q5.3: {points: 0.4, reason: not_finite, message: stability}

``loses: all`` claims a score of zero. ``reason`` and ``message`` (a part of the message's text) are
optional; so is ``outcome``. ``{points: 0, outcome: pending}`` claims that a person decides: a check
that waits for one without that claim is a problem, unless its kind always does. ``notes`` claims
what a report notes of a check, whatever it earns: ``notes: {q3.2: differences}``.

The checks that are run are those of the questions whose modules the example itself holds, or those
named by ``only``, where running all would take too long. ``long: true`` says that an example takes
long all the same: this repository's own tests grade a third of these, ``grader verify`` all.
"""

from __future__ import annotations

import contextlib
import fnmatch
import shutil
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationError
from rich import box
from rich.table import Table
from rich.text import Text

from grader.assignment.wording import worded
from grader.errors import REASONS, RubricError, UsageError
from grader.job import Submitted
from grader.model import CheckSpec, NonNegative, Outcome, Question, Rubric, Strict
from grader.readers import yaml_source
from grader.readers.problems import Problem, Problems
from grader.readers.texts import did_you_mean, plain
from grader.reports.report import CheckReport, Report

CLAIMS = "expected.yaml"
MAX_QUOTED = 300  # characters of a message
CLOSE = 1.0e-3  # points
BY_A_PERSON = "written"  # the kind whose checks always wait for one
OUTCOMES: tuple[str, ...] = get_args(Outcome)
POINTS_LOST = "a number of at least 0, or the least and the most: [0.5, 1]"


class Loss(Strict):
    """What one check must show. ``points`` are those lost: a number, or the least and the most."""

    points: NonNegative | Annotated[list[NonNegative], Field(min_length=2, max_length=2)]
    reason: str | None = None
    outcome: str | None = None
    message: str | None = None

    @property
    def between(self) -> tuple[float, float]:
        """The least and the most points that may be lost."""
        least, most = self.points if isinstance(self.points, list) else (self.points, self.points)
        return least, most


class Claims(Strict):
    """The keys of ``expected.yaml``."""

    mistake: str = ""
    function: str = ""
    base: str | None = None
    only: list[str] = []
    loses: dict[str, Loss] | Literal["all"] = {}
    notes: dict[str, str] = {}
    note: str = ""
    long: bool = False


@dataclass(frozen=True)
class Example:
    """An example submission with its claims."""

    name: str
    folder: Path
    claims: Claims
    base: Path | None
    wanted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ClaimCheck:
    """Whether an example scored what it claims."""

    example: Example
    score: float | None
    max_score: float
    problems: tuple[str, ...] = field(default=())


def load_examples(rubric: Rubric) -> list[Example]:
    """Return all examples of an assignment.

    Raises:
        RubricError: a claims file is wrong, with all problems.
        UsageError: there are no examples.
    """
    root = rubric.reference / "submissions"
    checks = {check.id for question in rubric.questions for check in question.checks}
    examples: list[Example] = []
    problems = Problems()
    paths = sorted(root.glob(f"*/*/{CLAIMS}"))
    names = [path.parent.relative_to(root).as_posix() for path in paths]
    for path in paths:
        try:
            source = yaml_source.read(path)
        except OSError as error:
            problems.extend([Problem(str(path), 0, "", f"cannot be read: {error.strerror}")])
            continue
        claims = _claims(source)
        if claims is None:
            problems.extend(source.problems)
            continue
        base = root / claims.base if claims.base else None
        wanted = _wanted(rubric, path.parent, claims)
        for where, key, text in _claim_problems(claims, checks, base, wanted, names):
            source.problems.add(source.line(where), text, key)
        problems.extend(source.problems)
        name = path.parent.relative_to(root).as_posix()
        examples.append(Example(name, path.parent, claims, base, wanted))
    if problems:
        raise RubricError(problems.printed)
    if not examples:
        raise UsageError(f"{root}: no example submission with a file {CLAIMS}")
    return examples


def _claims(source: yaml_source.Source) -> Claims | None:
    """Return the claims of a file; None if something is wrong, which ``source`` then tells."""
    if not isinstance(source.data, dict):
        known = ", ".join(Claims.model_fields)
        if not source.problems:
            source.problems.add(1, f"must be a mapping with the keys {known}")
        return None
    data = dict(source.data)
    raw = data.pop("loses", {})
    found: list[tuple[yaml_source.YamlPath, str, str]] = []
    losses: dict[str, Loss] = {}
    if isinstance(raw, dict):
        for check, values in raw.items():
            try:
                losses[check] = Loss.model_validate(values)
            except ValidationError as error:
                wrong = _worded(error, check, Loss)
                found += [(("loses", check, *loc), key, text) for loc, key, text in wrong]
    elif raw != "all":
        text = f"{yaml_source.literal(raw)}: must be 'all', or a mapping by check"
        found.append((("loses",), "loses", text))
    claims: Claims | None = None
    try:
        claims = Claims.model_validate(data)
    except ValidationError as error:
        found += _worded(error, "", Claims)
    if claims is not None and not found:
        claims = claims.model_copy(update={"loses": "all" if raw == "all" else losses})
    for where, key, text in found:
        source.problems.add(source.line(where), text, key)
    return None if found else claims


def _worded(
    error: ValidationError, label: str, model: type[Strict]
) -> list[tuple[yaml_source.YamlPath, str, str]]:
    """Return one problem for each wrong key, also where several forms of its value are allowed."""
    found: dict[yaml_source.YamlPath, tuple[str, str]] = {}
    for detail in error.errors(include_url=False):
        where = tuple(detail["loc"])[:1]
        points = model is Loss and where == ("points",) and detail["type"] != "missing"
        if points:
            value = detail["input"]
            text = f"{yaml_source.literal(value)}: must be {POINTS_LOST}"
            found.setdefault(where, (f"{label}: points", text))
        elif not where:
            text = f"must be a mapping with the keys {', '.join(model.model_fields)}"
            found.setdefault(where, (label, text))
        else:
            found.setdefault(where, worded(detail, label, model))
    return [(where, *words) for where, words in found.items()]


def matching(examples: list[Example], patterns: Sequence[str]) -> list[Example]:
    """Return the examples whose names match any of the patterns; all if there are none.

    Raises:
        UsageError: a pattern matches no example.
    """
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(example.name, pattern) for example in examples):
            raise UsageError(f"{pattern}: no such example")
    return [
        example
        for example in examples
        if not patterns or any(fnmatch.fnmatchcase(example.name, p) for p in patterns)
    ]


def _wanted(rubric: Rubric, folder: Path, claims: Claims) -> frozenset[str]:
    """Return the ids of the checks to run for an example."""
    return frozenset(claims.only) or frozenset(
        check.id
        for question in rubric.questions
        for check in question.checks
        if any((folder / name).is_file() for name in _files(question, check))
    )


def _files(question: Question, check: CheckSpec) -> Sequence[str]:
    """Return the files of which an example must hold one itself for a check to be run."""
    return check.other_files or (question.of(check).module,)


def _claim_problems(
    claims: Claims,
    checks: set[str],
    base: Path | None,
    wanted: frozenset[str],
    names: Sequence[str],
) -> Iterator[tuple[yaml_source.YamlPath, str, str]]:
    """Yield what in valid claims does not fit the rubric or the other examples."""
    losses = claims.loses if isinstance(claims.loses, dict) else {}
    if not wanted:
        yield (), "", "no question of the rubric uses any of its files: nothing would be checked"
    for key, named in (("only", claims.only), ("notes", claims.notes)):
        for check in named:
            if check not in checks:
                near = did_you_mean(check, sorted(checks))
                yield (key,), key, f"the rubric has no check {check!r}{near}"
    for check, loss in losses.items():
        if check not in checks:
            near = did_you_mean(check, sorted(checks))
            yield ("loses", check), "loses", f"the rubric has no check {check!r}{near}"
        if loss.reason is not None and loss.reason not in REASONS:
            near = did_you_mean(loss.reason, sorted(REASONS))
            text = f"there is no reason {loss.reason!r}{near}"
            yield ("loses", check, "reason"), f"{check}: reason", text
        if loss.outcome is not None and loss.outcome not in OUTCOMES:
            near = did_you_mean(loss.outcome, OUTCOMES)
            text = f"there is no outcome {loss.outcome!r}{near}"
            yield ("loses", check, "outcome"), f"{check}: outcome", text
    if base is not None and not base.is_dir():
        near = did_you_mean(claims.base or "", names)
        yield ("base",), "base", f"there is no example {claims.base!r}{near}"


@contextlib.contextmanager
def assembled(examples: Sequence[Example]) -> Iterator[list[Submitted]]:
    """Copy each example, completed by its base, to a temporary folder; yield what to grade."""
    with tempfile.TemporaryDirectory(prefix="examples-") as name:
        submitted = []
        for example in examples:
            folder = Path(name) / example.name
            if example.base is not None:
                shutil.copytree(example.base, folder)
                _make_way(folder, example.folder)
            shutil.copytree(example.folder, folder, symlinks=True, dirs_exist_ok=True)
            (folder / CLAIMS).unlink()
            submitted.append(Submitted(identifier(example), folder, example.wanted))
        yield submitted


def _make_way(folder: Path, example: Path) -> None:
    """Remove what is not of the kind that the example has under the same name: a link, a folder."""
    for new in example.iterdir():
        old = folder / new.name
        if old.is_dir() and (new.is_symlink() or not new.is_dir()):
            shutil.rmtree(old)
        elif old.is_file() and (new.is_symlink() or new.is_dir()):
            old.unlink()


def identifier(example: Example) -> str:
    """Return the name of an example's report folder."""
    return example.name.replace("/", ".")


def claim_checks(examples: Sequence[Example], reports: Sequence[Report]) -> list[ClaimCheck]:
    """Compare the reports with the claims."""
    by_id = {made.id: made for made in reports}
    return [_verdict(example, by_id[identifier(example)]) for example in examples]


def _verdict(example: Example, made: Report) -> ClaimCheck:
    claims = example.claims.loses
    problems = []
    for check in made.checks():
        text = example.claims.notes.get(check.id, "")
        if not any(text in note for note in check.notes) and text:
            problems.append(f"{check.id}: no note has {text!r}")
    if made.status == "broken":
        problems.append("our side broke while it was graded")
    for check in made.checks():
        if check.outcome == "pending" and (claims == "all" or check.kind == BY_A_PERSON):
            continue
        if claims == "all":
            expected = Loss(points=check.max_points)
        else:
            expected = claims.get(check.id, Loss(points=0.0))
        problems += _unlike_claimed(check, expected)
    return ClaimCheck(example, made.score, made.max_score, tuple(problems))


def _unlike_claimed(check: CheckReport, expected: Loss) -> Iterator[str]:
    """Yield the first thing that a check does not show as claimed, if any."""
    waits = check.outcome == "pending"
    lost = 0.0 if waits else check.max_points - check.points  # a person decides
    shown = textwrap.shorten(check.message, MAX_QUOTED)
    found = f"{check.outcome}, {check.reason}: {shown}"
    least, most = expected.between
    if waits and expected.outcome is None:
        yield f"{check.id} waits for a person, which is not claimed ({found})"
    elif not least - CLOSE <= lost <= most + CLOSE:
        wanted = f"{least:g}" if least == most else f"{least:g} to {most:g}"
        yield f"{check.id} loses {lost:g} points, expected {wanted} ({found})"
    elif expected.reason is not None and check.reason != expected.reason:
        yield f"{check.id}: the reason is not {expected.reason} ({found})"
    elif expected.outcome is not None and check.outcome != expected.outcome:
        yield f"{check.id}: the outcome is not {expected.outcome} ({found})"
    elif expected.message is not None and expected.message not in check.message:
        yield f"{check.id}: its message lacks {expected.message!r} ({found})"


def table(found: Sequence[ClaimCheck]) -> Table:
    """Return one line per example."""
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    result.add_column("example")
    result.add_column("score", justify="right", no_wrap=True)
    result.add_column("as claimed", no_wrap=True)
    result.add_column("what it is", overflow="fold")
    for verdict in found:
        most = plain(verdict.max_score)
        score = "-" if verdict.score is None else f"{plain(verdict.score)} / {most}"
        good = Text("no", "bold red") if verdict.problems else Text("yes", "green")
        about = verdict.example.claims.mistake or verdict.example.claims.note
        result.add_row(verdict.example.name, score, good, Text(about))
    return result

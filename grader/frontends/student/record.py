"""Recording what the visible checks expect, for a bundle that holds no reference.

The cases are drawn with a seed of their own: what is recorded is not what is graded with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.assignment.reference import Assignment, SolvedCase
from grader.checks import KINDS
from grader.checks.mistakes import mistaken
from grader.errors import BrokenError, UsageError
from grader.intake.places import CODE
from grader.intake.wanted import asked_by
from grader.model import CheckSpec, Question, Rubric
from grader.seeds import seed_for

from .arrays import Writer
from .replay import CHECKS, DRIVERS, FOLDER, FORMAT, SUPPLIED, supplied_digests

Files = dict[str, bytes]
PUBLIC_SEED_RANGE = 2**31


def public_seed(assignment: str) -> int:
    """Return the seed that a bundle's cases are drawn with by default."""
    return seed_for(assignment, "public", 0) % PUBLIC_SEED_RANGE


def record(rubric: Rubric, seed: int) -> Files:
    """Return the files of the folder ``recorded`` of a bundle, by their paths in it.

    Args:
        rubric: the whole rubric.
        seed: what to draw the recorded cases with.

    Raises:
        UsageError: the seed is the rubric's, or no check can be recorded.
        BrokenError: the reference fails, or a case holds what cannot be recorded.
    """
    if seed == rubric.seed:
        raise UsageError(f"--seed {seed}: this is the rubric's seed; use another one")
    recorder = _Recorder(rubric, seed)
    questions = [recorder.question(question) for question in rubric.questions]
    questions = [question for question in questions if question.checks]
    if not questions:
        raise UsageError("every check of this rubric needs the reference, so none can be recorded")
    modules, others = asked_by(replace(rubric, questions=tuple(questions)))
    told = {
        "format": FORMAT,
        "assignment": rubric.assignment,
        "title": rubric.title,
        "seed": seed,
        "questions": [_told(question) for question in questions],
        "modules": {module: sorted(functions) for module, functions in modules.items()},
        "files": others,
        "elsewhere": recorder.elsewhere,
        "supplied": supplied_digests(rubric),
        "items": recorder.items,
    }
    text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
    originals = {
        f"{FOLDER}/{SUPPLIED}/{file.name}": file.read_bytes()
        for question in rubric.questions
        for file in question.supplied
        if file.suffix in CODE
    }
    return {**recorder.files, **originals, f"{FOLDER}/{CHECKS}": f"{text}\n".encode()}


class _Recorder:
    def __init__(self, rubric: Rubric, seed: int) -> None:
        self._rubric = rubric
        self._seed = seed
        self._assignment = Assignment(rubric.reference)
        self.files: Files = {}
        self.elsewhere: list[dict[str, Any]] = []
        self.items: dict[str, dict[str, int]] = {}

    def question(self, question: Question) -> Question:
        """Record the checks of a question; return it with those that run without the reference."""
        here = []
        for check in question.checks:
            if check.visibility != "visible":
                continue  # not even its title
            if self._check(question.of(check), check):
                here.append(check)
            else:
                self.elsewhere.append(
                    {"id": check.id, "question": question.id, "title": check.title}
                )
        return replace(question, checks=tuple(here))

    def _check(self, question: Question, check: CheckSpec) -> bool:
        """Record a check; say whether it can be run without the reference."""
        if check.withhold_text:
            return False
        seed = seed_for(self._rubric.assignment, check.id, self._seed)
        record = _Record(self._assignment, question, seed, check.id, self)
        return KINDS[check.kind].record(check, record)


@dataclass(frozen=True)
class _Record:
    """What one check is recorded with; see ``grader.checks.base.Recorder``."""

    assignment: Assignment
    question: Question
    seed: int
    check: str
    recorder: _Recorder

    def driver(self, file: str, source: str) -> None:
        """Keep the source of a driver's file."""
        self.recorder.files[f"{FOLDER}/{DRIVERS}/{file}.py"] = source.encode()

    def items(self, dataset: str, items: str, count: int) -> None:
        """Keep how many items a data set has."""
        self.recorder.items.setdefault(dataset, {})[items] = count

    def cases(self, function: str, cases: Sequence[SolvedCase]) -> None:
        """Write the cases of a check, with what each known mistake makes of them."""
        writer = Writer()
        mistakes = self.assignment.mistakes(self.question.module, function)
        told = [
            self._case(writer, f"{number} {case.name}", case, function, mistakes)
            for number, case in enumerate(cases)
        ]
        about = {
            "module": self.question.module,
            "function": function,
            "seed": self.seed,
            "cases": told,
        }
        text = json.dumps(about, ensure_ascii=False, allow_nan=False)
        self.recorder.files[f"{FOLDER}/{self.check}.json"] = f"{text}\n".encode()
        self.recorder.files[f"{FOLDER}/{self.check}.npz"] = writer.npz()

    def _case(
        self,
        writer: Writer,
        label: str,
        case: SolvedCase,
        function: str,
        mistakes: Mapping[str, Callable[..., Any]],
    ) -> dict[str, Any]:
        label = label.replace("/", "|")  # of these names an .npz file makes paths
        found = {text: mistaken(wrong, case, function) for text, wrong in mistakes.items()}
        values = {
            "arguments": dict(case.arguments),
            "expected": case.expected,
            "cotangents": case.cotangents,
            "forward": case.forward,
        }
        try:
            one = {key: writer.encode(v, f"{label}/{key}") for key, v in values.items()}
            one["mistakes"] = [
                [text, writer.encode(outputs, f"{label}/mistake {i}")]
                for i, (text, outputs) in enumerate(found.items())
            ]
        except TypeError as error:
            raise BrokenError(f"{self.check} cannot be recorded: {error}") from None
        return {"name": case.name, "group": case.group, **one}


def _told(question: Question) -> dict[str, Any]:
    """Return what a bundle says about a question, with the public keys of its checks."""
    return {
        "id": question.id,
        "title": question.title,
        "module": question.module,
        "preload": list(question.preload),
        "forbidden": list(question.forbidden),
        "checks": [check.for_students() for check in question.checks],
    }

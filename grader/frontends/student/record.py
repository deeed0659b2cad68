"""Recording what the visible checks expect, for a bundle that holds no reference.

The cases are drawn with a seed of their own: what is recorded is not what is graded with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from grader.assignment.reference import Assignment, SolvedCase
from grader.checks.mistakes import mistaken
from grader.errors import BrokenError, UsageError
from grader.model import CheckSpec, Question, Rubric
from grader.seeds import seed_for

from .arrays import Writer
from .replay import CHECKS, DRIVERS, FOLDER, FORMAT, supplied_digests

Files = dict[str, bytes]
PUBLIC_SEED_RANGE = 2**31
# The points of a derivation are drawn with the seed of the run, so that this key is not needed;
# of predictions it is the seed of the labels that students are not given.
WITHOUT = {"seed": 0}


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
        raise UsageError(f"--seed {seed}: is the rubric's; recorded cases need another one")
    recorder = _Recorder(rubric, seed)
    questions = [recorder.question(question) for question in rubric.questions]
    questions = [question for question in questions if question["checks"]]
    if not questions:
        raise UsageError("no check of this rubric can be run without its reference")
    told = {
        "format": FORMAT,
        "assignment": rubric.assignment,
        "title": rubric.title,
        "seed": seed,
        "questions": questions,
        "elsewhere": recorder.elsewhere,
        "supplied": supplied_digests(rubric),
        "items": recorder.items,
    }
    text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
    return {**recorder.files, f"{FOLDER}/{CHECKS}": f"{text}\n".encode()}


class _Recorder:
    def __init__(self, rubric: Rubric, seed: int) -> None:
        self._rubric = rubric
        self._seed = seed
        self._assignment = Assignment(rubric.reference)
        self.files: Files = {}
        self.elsewhere: list[dict[str, Any]] = []
        self.items: dict[str, dict[str, int]] = {}

    def question(self, question: Question) -> dict[str, Any]:
        """Record the checks of a question; return what a bundle says about it."""
        told = []
        for check in question.checks:
            if check.visibility != "visible":
                continue  # not even its title
            if self._check(question.of(check), check):
                told.append(_public(check))
            else:
                self.elsewhere.append(
                    {"id": check.id, "question": question.id, "title": check.title}
                )
        return {
            "id": question.id,
            "title": question.title,
            "module": question.module,
            "preload": list(question.preload),
            "forbidden": list(question.forbidden),
            "checks": told,
        }

    def _check(self, question: Question, check: CheckSpec) -> bool:
        """Record a check; say whether it can be run without the reference."""
        recorders: dict[str, Callable[[Any, Question, int], bool]] = {
            "forward": self._forward,
            "gradient": self._gradient,
            "values": self._values,
            "predictions": self._predictions,
            # These need nothing but what is handed in.
            "written": lambda *_: True,
            "derivation": lambda *_: True,
        }
        recorder = recorders.get(check.kind)
        seed = seed_for(self._rubric.assignment, check.id, self._seed)
        return recorder is not None and not check.withhold_text and recorder(check, question, seed)

    def _forward(self, spec: Any, question: Question, seed: int) -> bool:
        cases = self._assignment.solved(
            question.module, spec.function, spec.returns, spec.opaque, seed
        )
        return self._cases(spec, question, spec.function, cases, seed)

    def _gradient(self, spec: Any, question: Question, seed: int) -> bool:
        cases = self._assignment.solved_gradients(
            question.module, spec.forward, spec.returns, spec.opaque,
            spec.function, list(spec.gradients), seed,
        )  # fmt: skip
        return self._cases(spec, question, spec.function, cases, seed)

    def _values(self, spec: Any, question: Question, seed: int) -> bool:
        if self._assignment.comparison(question.module, spec.generator) is not None:
            return False  # the assignment's own code says what is right
        if (own := spec.runs.source(self._assignment)) is not None:
            file, source = own
            self.files[f"{FOLDER}/{DRIVERS}/{file}.py"] = source.encode()
        cases = self._assignment.driven(question.module, spec.runs, spec.generator, seed)
        return self._cases(spec, question, spec.generator, cases, seed)

    def _predictions(self, spec: Any, _question: Question, _seed: int) -> bool:
        data = self._assignment.dataset(spec.dataset, "mini", None, spec.seed)
        self.items.setdefault(spec.dataset, {})[spec.items] = len(data.inputs[spec.items])
        return True

    def _cases(
        self,
        spec: CheckSpec,
        question: Question,
        function: str,
        cases: Sequence[SolvedCase],
        seed: int,
    ) -> bool:
        """Write the cases of a check, with what each known mistake makes of them."""
        writer = Writer()
        mistakes = self._assignment.mistakes(question.module, function)
        told = []
        for number, case in enumerate(cases):
            # Of these names an .npz file makes paths.
            label = f"{number} {case.name}".replace("/", "|")
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
                raise BrokenError(f"{spec.id} cannot be recorded: {error}") from None
            told.append({"name": case.name, "group": case.group, **one})
        about = {"module": question.module, "function": function, "seed": seed, "cases": told}
        text = json.dumps(about, ensure_ascii=False, allow_nan=False)
        self.files[f"{FOLDER}/{spec.id}.json"] = f"{text}\n".encode()
        self.files[f"{FOLDER}/{spec.id}.npz"] = writer.npz()
        return True


def _public(check: CheckSpec) -> dict[str, Any]:
    """Return the keys of a check without what its default says anyway, and without seeds."""
    keys: dict[str, Any] = check.model_dump(mode="json", exclude_defaults=True)
    keys |= {"kind": check.kind, "id": check.id}
    return {key: WITHOUT.get(key, value) for key, value in keys.items()}

"""Reading ``rubric.yaml``: strictly, whole, every problem with its line.

``load_rubric`` returns a frozen ``Rubric`` or raises one ``RubricError`` that lists everything that
is wrong, each as ``file:line: check: what, and what was meant``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from grader.assignment import case_tables, signatures, sound
from grader.assignment.kinds import RubricKind
from grader.assignment.reference import Assignment
from grader.assignment.sized import RaisedOnSizesError
from grader.assignment.template import Template
from grader.assignment.wording import worded
from grader.errors import RubricError, UsageError
from grader.model import CheckSpec, Policies, Question, QuestionSpec, Rubric, RubricSpec
from grader.readers import yaml_source
from grader.readers.texts import did_you_mean
from grader.readers.yaml_source import Source, YamlPath, literal

POINTS_ROUNDING = 1.0e-6


def load_rubric(
    path: Path, kinds: Mapping[str, RubricKind], *, run_reference: bool = True
) -> Rubric:
    """Read and validate a rubric and everything in the reference folder that it names.

    Args:
        path: the rubric.
        kinds: the kinds of checks that a rubric may name.
        run_reference: whether to find out, too, if the reference does what the rubric and the case
            files say of it. A reference that does not come to an end keeps this from ending.

    Raises:
        RubricError: with all problems.
        UsageError: the file cannot be read.
        BrokenError: the assignment's own code cannot be imported.
    """
    try:
        source = yaml_source.read(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    reader = _Reader(path, source, kinds, run_reference=run_reference)
    rubric = reader.rubric()
    if reader.problems or rubric is None:
        raise RubricError(reader.problems.printed)
    return rubric


class _Reader:
    def __init__(
        self,
        path: Path,
        source: Source,
        kinds: Mapping[str, RubricKind],
        *,
        run_reference: bool,
    ) -> None:
        self._path = path
        self._kinds = kinds
        self._run_reference = run_reference
        self._source = source
        self._defaults: dict[str, Any] = {}
        self._template = "submissions_template"
        # The questions with those of their checks, by position, that are valid in themselves.
        self._read: list[tuple[YamlPath, Question, dict[int, CheckSpec]]] = []
        self.problems = source.problems

    def rubric(self) -> Rubric | None:
        data = self._source.data
        if not isinstance(data, dict):
            if not self.problems:
                self.problems.add(1, "must be a mapping with the key 'assignment'")
            return None
        # Questions are validated one by one below, so that one bad key hides no other problem.
        top = self._validate(RubricSpec, {**data, "questions": _PLACEHOLDER}, (), "")
        if top is not None:
            self._template = top.template
        if top is not None and "defaults" in data:
            # Wrong defaults are reported once, and not again for each check that they apply to.
            self._defaults = data["defaults"]
        reference = self._reference(data)
        questions = self._questions(data)
        self._unique_ids(data.get("questions"))
        if reference is not None:
            self._once_against_reference(reference)
        self._against_template(named="template" in data)
        for path, key, text in signatures.problems(self._read):
            self._add(path, key, text)
        found = tuple(question for question in questions if question is not None)
        if top is not None:
            self._leaderboard(top, data.get("questions"))
        if top is None or reference is None or not found or len(found) != len(questions):
            return None
        policies = Policies(top.late, top.rate_limit, tuple(top.leaderboard or ()))
        rubric = Rubric(
            *(self._path, top.assignment, top.title, top.seed, reference, found),
            policies,
            top.budget_s,
        )
        if abs(rubric.max_score - top.points) > POINTS_ROUNDING:
            self._add(
                *(("points",), "points"),
                f"{top.points:g}, but the questions add up to {rubric.max_score:g}",
            )
        return rubric

    def _reference(self, data: dict[str, Any]) -> Path | None:
        name = data.get("reference", "reference")
        if not isinstance(name, str):
            return None  # reported as a wrong type already
        folder = self._path.resolve().parent / name
        if not _is_folder(folder):
            missing = f"there is no folder {literal(name)} next to the rubric"
            self._add(("reference",), "reference", missing)
            return None
        return folder

    def _leaderboard(self, top: RubricSpec, raw_questions: Any) -> None:
        """Refuse a column of the leaderboard about a check that is not there."""
        checks = [name for path, name in _ids(raw_questions) if "checks" in path]
        for index, column in enumerate(top.leaderboard or ()):
            if column.check not in checks:
                text = f"there is no check {literal(column.check)}"
                meant = did_you_mean(column.check, checks)
                self._add(("leaderboard", index, "check"), "leaderboard: check", text + meant)

    def _questions(self, data: dict[str, Any]) -> list[Question | None]:
        if "questions" not in data:
            self._add((), "", "key 'questions' is missing")
            return []
        raw_questions = data["questions"]
        if not isinstance(raw_questions, list) or not raw_questions:
            self._add(("questions",), "questions", "must be a list of questions")
            return []
        return [self._question(raw, ("questions", q)) for q, raw in enumerate(raw_questions)]

    def _question(self, raw: Any, path: YamlPath) -> Question | None:
        if not isinstance(raw, dict):
            self._add(path, "", "a question must be a mapping with the key 'id'")
            return None
        label = raw["id"] if isinstance(raw.get("id"), str) else f"question {int(path[-1]) + 1}"
        spec = self._validate(QuestionSpec, {**raw, "checks": _PLACEHOLDER}, path, label)
        if "checks" not in raw:
            self._add(path, label, "key 'checks' is missing")
        raw_checks = raw.get("checks")
        if not isinstance(raw_checks, list) or not raw_checks:
            if "checks" in raw:
                self._add((*path, "checks"), f"{label}: checks", "must be a list of checks")
            return None
        checks = [
            self._check(raw_check, (*path, "checks", index), f"{label}, check {index + 1}")
            for index, raw_check in enumerate(raw_checks)
        ]
        if spec is None:
            return None
        found = {index: check for index, check in enumerate(checks) if check is not None}
        supplied = self._supplied(spec, path, label)
        question = Question(
            *(spec.id, spec.title, spec.module, tuple(spec.preload)),
            *(tuple(found.values()), supplied, tuple(spec.forbidden)),
        )
        self._forbidden(spec, path, label)
        self._read.append((path, question, found))
        if len(found) != len(checks):
            return None
        if abs(question.max_score - spec.points) > POINTS_ROUNDING:
            self._add(
                *((*path, "points"), f"{label}: points"),
                f"{spec.points:g}, but its checks add up to {question.max_score:g}",
            )
        return question

    def _supplied(self, spec: QuestionSpec, path: YamlPath, label: str) -> tuple[Path, ...]:
        """Return the assignment's own copies of the files that a question supplies."""
        folder = self._path.resolve().parent / self._template
        files = []
        for index, name in enumerate(spec.supplied):
            file = folder / name
            found = _is_file(file)
            if found and name != spec.module:
                files.append(file)
            else:
                why = "students write this file" if found else "no such file"
                text = f"{self._template}/{name}: {why}"
                self._add((*path, "supplied", index), f"{label}: supplied", text)
        return tuple(files)

    def _forbidden(self, spec: QuestionSpec, path: YamlPath, label: str) -> None:
        """Refuse to forbid what the question's workers are given, or cannot do without."""
        for index, name in enumerate(spec.forbidden):
            if name == "numpy" or name in sys.stdlib_module_names:
                why = "is needed to run any code"
            elif name in spec.preload:
                why = "is in preload"
            else:
                continue
            self._add((*path, "forbidden", index), f"{label}: forbidden", f"{literal(name)} {why}")

    def _check(self, raw: Any, path: YamlPath, label: str) -> CheckSpec | None:
        if not isinstance(raw, dict):
            self._add(path, label, "a check must be a mapping with the key 'id'")
            return None
        label = raw["id"] if isinstance(raw.get("id"), str) else label
        kind = self._kinds.get(raw["kind"]) if isinstance(raw.get("kind"), str) else None
        if kind is None:
            if "kind" not in raw:
                self._add(path, label, f"key 'kind' is missing (one of {', '.join(self._kinds)})")
            else:
                meant = did_you_mean(str(raw["kind"]), list(self._kinds))
                known = meant or f" (known: {', '.join(self._kinds)})"
                self._add((*path, "kind"), label, f"unknown kind {literal(raw['kind'])}{known}")
            return None
        fields = kind.options.model_fields
        inherited = {k: v for k, v in self._defaults.items() if k in fields and k not in raw}
        checked: CheckSpec | None = self._validate(
            kind.options, {**inherited, **raw}, path, label, self._other_kinds
        )
        return checked

    def _other_kinds(self, key: str) -> str:
        """Return a remark about a key that only other kinds of checks have."""
        kinds = [name for name, kind in self._kinds.items() if key in kind.options.model_fields]
        return f" (a key of kind {', '.join(kinds)})" if kinds else ""

    def _validate(
        self,
        model: type[Any],
        data: dict[Any, Any],
        path: YamlPath,
        label: str,
        remark: Callable[[str], str] = lambda _key: "",
    ) -> Any | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                about, text = worded(detail, label, model)
                if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
                    key = str(detail["loc"][0])
                    if found := remark(key):
                        text = f"unknown key {key!r}{found}"
                self._add((*path, *detail["loc"]), about, text)
            return None

    def _add(self, path: YamlPath, key: str, text: str) -> None:
        self.problems.add(self._source.line(path), text, key)

    def _unique_ids(self, raw_questions: Any) -> None:
        seen: dict[str, int] = {}
        for path, name in _ids(raw_questions):
            line = self._source.line(path)
            if name in seen:
                self.problems.add(line, f"id {name!r} is used twice (first in line {seen[name]})")
            seen.setdefault(name, line)

    def _once_against_reference(self, reference: Path) -> None:
        both = sound.Fitting(self._path, reference, self._kinds, whole=self._run_reference)
        if not both.is_known:
            self._against_reference(reference)
            both.remember(self.problems)

    def _against_reference(self, reference: Path) -> None:
        assignment = Assignment(reference)
        for path, question, checks in self._read:
            if not _has_module(assignment, question.module):
                missing = _missing(assignment, question.module)
                self._add((*path, "module"), f"{question.id}: module", missing)
                continue
            for index, check in checks.items():
                where = (*path, "checks", index)
                if not _has_module(assignment, check.module or question.module):
                    missing = _missing(assignment, str(check.module))
                    self._add((*where, "module"), f"{check.id}: module", missing)
                    continue
                fitting = question.of(check)
                kind = self._kinds[check.kind]
                found = _reference_problems(kind, assignment, fitting, check)
                if self._run_reference and not found:
                    found = _disagreements(kind, assignment, fitting, check)
                for problem in found:
                    self._add((*where, *_keys(problem)), check.id, problem)
        self._case_tables(assignment)

    def _against_template(self, *, named: bool) -> None:
        """Refuse what the rubric names and the template lacks."""
        folder = self._path.resolve().parent / self._template
        if not _is_folder(folder):
            if named:
                missing = f"there is no folder {literal(self._template)} next to the rubric"
                self._add(("template",), "template", missing)
            return
        template = Template(folder)
        # What the reference lacks, too, is reported already: the name itself is wrong.
        known = {problem.line for problem in self.problems}
        for path, question, checks in self._read:
            for place, key, text in template.problems(question, checks):
                if self._source.line((*path, *place)) not in known:
                    self._add((*path, *place), key, text)

    def _case_tables(self, assignment: Assignment) -> None:
        """Refuse entries of a case file's dictionaries that no check could ever use."""
        named: dict[str, tuple[YamlPath, set[str]]] = {}
        for path, question, checks in self._read:
            for check in checks.values():
                _path, known = named.setdefault(check.module or question.module, (path, set()))
                known |= set(check.case_names)
        for module, (path, names) in named.items():
            if not _has_module(assignment, module):
                continue
            try:
                problems = list(case_tables.key_problems(assignment, module, names))
            except UsageError as error:
                problems = [str(error).removeprefix("function: ")]
            for problem in problems:
                self._add((*path, "module"), "", problem)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file system
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long for any file system
        return False


def _has_module(assignment: Assignment, module: str) -> bool:
    try:
        return assignment.has(module.removesuffix(".py"))
    except OSError:  # a name that is too long for any file system
        return False


def _missing(assignment: Assignment, module: str) -> str:
    near = assignment.near(module)
    return f"there is no {assignment.folder.name}/{module}{near}"


def _keys(problem: str) -> YamlPath:
    """Return the keys that a problem begins with: ``sizes.values.0: ...`` is about one of a list.

    Of those that the rubric does not have, its reader leaves out the last.
    """
    keys = problem.partition(":")[0].split(".")
    return tuple(int(key) if key.isdecimal() else key for key in keys)


def _reference_problems(
    kind: RubricKind, assignment: Assignment, question: Question, check: CheckSpec
) -> list[str]:
    try:
        return list(kind.problems(check, question, assignment))
    except RaisedOnSizesError as error:
        return error.problems
    except UsageError as error:
        return [str(error)]
    except OSError as error:
        return [f"names a file that cannot be read: {error.strerror}"]


def _disagreements(
    kind: RubricKind, assignment: Assignment, question: Question, check: CheckSpec
) -> list[str]:
    try:
        return list(kind.disagreements(check, question, assignment))
    except UsageError as error:
        return [str(error)]


_PLACEHOLDER = [{"id": "x", "title": "x", "points": 1.0, "module": "x.py", "checks": [{}]}]


def _ids(raw_questions: Any) -> Iterator[tuple[YamlPath, str]]:
    for q, question in enumerate(raw_questions if isinstance(raw_questions, list) else []):
        if not isinstance(question, dict):
            continue
        path: YamlPath = ("questions", q, "id")
        if isinstance(question.get("id"), str):
            yield path, question["id"]
        checks = question.get("checks")
        for c, check in enumerate(checks if isinstance(checks, list) else []):
            if isinstance(check, dict) and isinstance(check.get("id"), str):
                yield ("questions", q, "checks", c, "id"), check["id"]

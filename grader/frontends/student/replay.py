"""A recorded assignment: what checks see of an assignment whose code is not there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from pydantic import Field, ValidationError

from grader.assignment.reference import Assignment, Dataset, RunsHere, SolvedCase
from grader.checks import KINDS
from grader.errors import BrokenError, UsageError
from grader.model import CheckSpec, Id, ModuleName, Question, Rubric, Sizes, Strict, Tier
from grader.seeds import seed_for

from .arrays import REMEDY, Reader, damaged, digest

FOLDER, CHECKS, DRIVERS, SUPPLIED = "recorded", "checks.json", "drivers", "supplied"
FORMAT = 2
MAX_BYTES = 64 * 1024 * 1024  # of one JSON file; those of a homework hold 100 KiB


class _Question(Strict):
    id: Id
    title: str
    module: ModuleName
    preload: list[str]
    forbidden: list[str]
    checks: list[dict[str, Any]]


class Elsewhere(Strict):
    """A visible check that only the instructor's grader can run."""

    id: Id
    question: Id
    title: str


class _Checks(Strict):
    format: Literal[2]
    assignment: Id
    title: str
    seed: int = Field(ge=0)
    questions: list[_Question]
    modules: dict[ModuleName, list[str]]
    files: list[str]
    elsewhere: list[Elsewhere]
    supplied: dict[str, str]
    items: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Bundle:
    """What a student was given.

    Attributes:
        home: the folder with the student's files and the folder ``recorded``.
        elsewhere: the visible checks that need the instructor's grader.
    """

    home: Path
    elsewhere: tuple[Elsewhere, ...]
    _read: _Checks

    @property
    def supplied(self) -> tuple[Path, ...]:
        """The supplied files: the originals of code, other files as they are here now."""
        kept = self.home / FOLDER / SUPPLIED
        found = [(kept / name, self.home / name) for name in self._read.supplied]
        return tuple(original if original.is_file() else here for original, here in found)

    @property
    def asked(self) -> tuple[dict[str, set[str]], list[str]]:
        """The modules of all recorded checks with their functions, and all other files.

        As ``asked_by`` of a rubric, but without the kinds of checks, which take time to import.
        """
        modules = {module: set(functions) for module, functions in self._read.modules.items()}
        return modules, self._read.files

    @property
    def ids(self) -> dict[str, list[str]]:
        """The ids of all visible checks by question, of those elsewhere, too."""
        found = {
            question.id: [str(c.get("id")) for c in question.checks] for question in self._here
        }
        for one in self.elsewhere:
            found.setdefault(one.question, []).append(one.id)
        return found

    @property
    def _here(self) -> list[_Question]:
        return self._read.questions

    def rubric(self, wanted: Collection[str]) -> Rubric:
        """Return the rubric of those of the wanted checks that were recorded."""
        path, read = self.home / FOLDER / CHECKS, self._read
        try:
            questions = [_question(question, wanted, self.supplied) for question in self._here]
        except ValidationError as error:
            raise damaged(path, error) from None
        found = tuple(question for question in questions if question.checks)
        return Rubric(path, read.assignment, read.title, read.seed, path.parent, found)

    def assignment(self, rubric: Rubric) -> RecordedAssignment:
        """Return the recorded cases of a rubric's checks."""
        return RecordedAssignment(rubric, self._read.items)

    def notes(self, folder: Path) -> list[str]:
        """Say which supplied files in a student's ``folder`` are not what they were."""
        return supplied_notes(self._read.supplied, folder)


def supplied_notes(supplied: Mapping[str, str], folder: Path) -> list[str]:
    """Say which supplied files in a student's ``folder`` are not what they were.

    Args:
        supplied: SHA-256 by name, of the file with Unix line ends.
        folder: the student's.
    """
    notes = []
    for name, expected in supplied.items():
        path = folder / name
        if not path.is_file():
            notes.append(f"{name} is supplied with the homework but missing here: {REMEDY}")
        elif file_digest(path) != expected:
            notes.append(f"{name} is supplied with the homework: your changes do not count")
    return notes


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file as it is with Unix line ends.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def supplied_digests(rubric: Rubric) -> dict[str, str]:
    """Return the digests of a rubric's supplied files by name."""
    files = {file.name: file for question in rubric.questions for file in question.supplied}
    return {name: file_digest(file) for name, file in files.items()}


def is_bundle(home: Path) -> bool:
    """Say whether a folder is an unpacked bundle."""
    return (home / FOLDER / CHECKS).is_file()


def load(home: Path) -> Bundle:
    """Read an unpacked bundle.

    Raises:
        UsageError: it is damaged, or made for another version of the engine.
    """
    path = home / FOLDER / CHECKS
    data = _json(path)
    if type(data) is dict and data.get("format") not in (None, FORMAT):
        made = "install the wheel that came with the homework"
        raise UsageError(f"{FOLDER}/{CHECKS} has format {data['format']!r}: {made}")
    try:
        read = _Checks.model_validate(data)
    except ValidationError as error:
        raise damaged(path, error) from None
    return Bundle(home, tuple(read.elsewhere), read)


def _question(read: _Question, wanted: Collection[str], supplied: tuple[Path, ...]) -> Question:
    checks = tuple(_check(keys) for keys in read.checks if keys.get("id") in wanted)
    forbidden = tuple(read.forbidden)
    return Question(
        *(read.id, read.title, read.module, tuple(read.preload), checks, supplied, forbidden)
    )


def _check(keys: dict[str, Any]) -> CheckSpec:
    try:
        kind = KINDS[str(keys.get("kind"))]
    except ModuleNotFoundError as error:
        remedy = f"python -m pip install {error.name}"
        raise UsageError(f"{keys.get('id')} needs {error.name!r}: {remedy}") from None
    except KeyError:
        raise UsageError(f"{FOLDER}/{CHECKS} is damaged: {REMEDY}") from None
    return kind.options.model_validate(keys)


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise damaged(path, ValueError())
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, error) from None


class RecordedAssignment(Assignment):
    """Replays what was recorded of an assignment, check by check, for the seed of the recording.

    Follow-through needs the assignment's own code: there is none, so a result that is right
    for another, wrong function of the student's fails as any other.
    """

    can_answer = False

    def __init__(self, rubric: Rubric, items: Mapping[str, Mapping[str, int]]) -> None:
        super().__init__(rubric.reference)
        self._items = items
        self._checks = {
            seed_for(rubric.assignment, check.id, rubric.seed): check.id
            for question in rubric.questions
            for check in question.checks
        }
        self._read: dict[int, tuple[SolvedCase, ...]] = {}
        # By module and function: description -> digest of a case's values -> outputs.
        self._mistaken: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}

    def _import(self, name: str) -> ModuleType:
        raise BrokenError(f"{name} is not part of what was recorded")

    def _cases(self, seed: int) -> tuple[SolvedCase, ...]:
        """Return the recorded cases of the check that has this seed."""
        if seed not in self._read:
            if seed not in self._checks:
                raise BrokenError(f"nothing was recorded for the seed {seed}")
            self._read[seed] = self._load(self.folder / self._checks[seed])
        return self._read[seed]

    def _load(self, stem: Path) -> tuple[SolvedCase, ...]:
        path = stem.parent / f"{stem.name}.json"
        about = _json(path)
        reader = Reader(stem.parent / f"{stem.name}.npz")
        solved = []
        try:
            mistakes = self._mistaken.setdefault((about["module"], about["function"]), {})
            for told in about["cases"]:
                parts = ("arguments", "expected", "cotangents", "forward")
                values = [reader.decode(told[part]) for part in parts]
                solved.append(SolvedCase(told["name"], told["group"], *values))
                key = digest(values[0], values[2])
                for description, outputs in told["mistakes"]:
                    mistakes.setdefault(description, {})[key] = reader.decode(outputs)
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(path, error) from None
        return tuple(solved)

    def mistakes(self, module: str, function: str) -> Mapping[str, Callable[..., Any]]:
        """Return what typical wrong programs gave for the recorded cases, by description."""
        found = self._mistaken.get((module, function), {})
        return {description: _replayed(by_case) for description, by_case in found.items()}

    def caches(self, module: str, function: str) -> None:
        """Return nothing: how caches are made is the assignment's own code."""

    def intermediates(self, module: str, function: str) -> None:
        """Return nothing: what a cache may hold is the assignment's own code."""

    def comparison(self, module: str, cases: str) -> None:
        """Return nothing: cases that need their own comparison are not recorded."""

    def solved(
        self,
        module: str,
        function: str,
        returns: Sequence[str],
        opaque: Sequence[str],
        seed: int,
        sizes: Sizes = (),
    ) -> tuple[SolvedCase, ...]:
        """Return the recorded cases of a forward function."""
        del module, function, returns, opaque, sizes
        return self._cases(seed)

    def solved_gradients(
        self,
        module: str,
        forward: str,
        returns: Sequence[str],
        opaque: Sequence[str],
        backward: str,
        gradients: Sequence[str],
        seed: int,
        sizes: Sizes = (),
    ) -> tuple[SolvedCase, ...]:
        """Return the recorded cases of a gradient function."""
        del module, forward, returns, opaque, backward, gradients, sizes
        return self._cases(seed)

    def driven(
        self, module: str, driver: RunsHere, cases: str, seed: int, sizes: Sizes = ()
    ) -> tuple[SolvedCase, ...]:
        """Return the recorded cases of a driver."""
        del module, driver, cases, sizes
        return self._cases(seed)

    def dataset(self, name: str, tier: Tier, data: Path | None, seed: int) -> Dataset:
        """Return as many items as there are to predict; nothing else was recorded of them."""
        del tier, data, seed
        items = self._items.get(name)
        if items is None:
            raise BrokenError(f"nothing was recorded of the data set {name!r}")
        return Dataset({item: range(count) for item, count in items.items()}, {})


def _replayed(by_case: Mapping[str, Any]) -> Callable[..., Any]:
    """Return a function of a case's values that looks up what was recorded for them."""

    def wrong(*values: Any, **arguments: Any) -> Any:
        given, cotangents = values or (arguments, {})
        return by_case.get(digest(given, cotangents), {})

    return wrong

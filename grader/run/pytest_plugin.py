"""The pytest path: ``pytest rubric.yaml --submission DIR`` collects one item per check.

Without ``--submission`` the plugin does nothing at all, so that it is inert in every other pytest
run of the environment. ``grader grade`` runs the same checks without pytest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.errors import GraderError, IsolationError, RubricError
from grader.model import TIERS, CheckResult, CheckSpec, Question
from grader.readers.texts import clean
from grader.reports import building
from grader.run import pytest_record

if TYPE_CHECKING:
    from grader.run.locations import StudentFiles, StudentTrace
    from grader.run.session import Session

NAME = "rubric.yaml"
EXIT_BROKEN = 3


class CheckFailedError(Exception):
    """A check did not pass; carries its result, and where in the student's files it failed."""

    def __init__(self, result: CheckResult, traces: Sequence[StudentTrace]) -> None:
        super().__init__(clean(result.message))
        self.result = result
        self.traces = traces


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a grading run."""
    group = parser.getgroup("grader", "grading a homework submission")
    group.addoption(
        "--submission", metavar="DIR", help="the submission to grade: folder or archive"
    )
    group.addoption("--tier", choices=TIERS, default="mini", help="the data sets to use")
    group.addoption(
        "--data",
        metavar="DIR",
        default=os.environ.get("GRADER_DATA"),
        help="folder with the homework's own data (default: GRADER_DATA)",
    )
    group.addoption(
        "--isolation",
        choices=("full", "partial"),
        default="full",
        help="the lowest isolation to grade with",
    )
    group.addoption(
        "--grader-seed", type=int, metavar="N", help="a seed to use instead of the rubric's"
    )
    group.addoption(
        "--grader-seed-file",
        metavar="FILE",
        help="draw the data that grader grade draws, from the secret seed in this file",
    )


@dataclass(frozen=True)
class Grading:
    """A session, and the files of the submission that it grades."""

    session: Session
    files: StudentFiles


def begin(path: Path, config: pytest.Config) -> Grading:
    """Stage the submission that is named, to grade it by a rubric. Its workers end with pytest.

    Raises:
        GraderError: the rubric has problems, or there is not one submission.
    """
    # pytest loads this file in every run of its environment: nothing else is imported before.
    from grader.assignment import secret
    from grader.assignment.reference import Assignment
    from grader.assignment.rubric import load_rubric
    from grader.checks import KINDS
    from grader.intake.submission import find
    from grader.intake.wanted import asked_by
    from grader.job import Settings
    from grader.run.locations import StudentFiles
    from grader.run.session import Session
    from grader.run.workers import ForkServers

    rubric = load_rubric(path, KINDS)
    argument = Path(config.getoption("--submission"))
    modules, texts = asked_by(rubric)
    found = find([argument], list(modules), texts=texts)
    if len(found) != 1:
        raise GraderError(f"{argument}: holds {len(found)} submissions; pytest grades one")
    data = config.getoption("--data")
    settings = Settings(
        config.getoption("--tier"),
        Path(data) if data else None,
        config.getoption("--grader-seed"),
        isolation=config.getoption("--isolation"),
    )
    if kept := config.getoption("--grader-seed-file"):
        settings = replace(settings, secret=secret.read(Path(kept)), hidden=(Path(kept),))
    fork_servers = ForkServers(policy=settings.policy(rubric))
    config.add_cleanup(fork_servers.close)
    identifier, origin = found[0]
    submission = fork_servers.stage(identifier, origin, rubric)
    session = Session(rubric, Assignment(rubric.reference), submission, fork_servers, settings)
    return Grading(
        session, StudentFiles(submission, origin if isinstance(origin, Path) else argument)
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a rubric if a submission to grade by it is named."""
    config = parent.config
    named = file_path.name == NAME or str(file_path) in map(os.path.abspath, config.args)
    if file_path.suffix not in (".yaml", ".yml") or not named:
        return None
    if config.getoption("--submission") is None:
        return None
    return RubricFile.from_parent(parent, path=file_path)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run pytest out of a submission: its conftest.py would be executed here."""
    argument = config.getoption("--submission", None)
    if argument is None:
        return
    submission = Path(argument).resolve()
    places = [config.rootpath.resolve(), *([config.inipath.resolve()] if config.inipath else [])]
    if submission.is_dir() and any(p.is_relative_to(submission) for p in places):
        raise pytest.UsageError(
            f"pytest's root folder {config.rootpath} is inside the submission; start it elsewhere"
        )


class RubricFile(pytest.File):
    """A rubric; its children are the questions."""

    def collect(self) -> Iterator[pytest.Collector]:
        """Yield one collector per question."""
        grading = begin(self.path, self.config)
        for question in grading.session.rubric.questions:
            yield QuestionNode.from_parent(
                self, name=question.id, question=question, grading=grading
            )

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Show a rubric's problems as they are, without a traceback."""
        if isinstance(excinfo.value, RubricError):
            return "\n".join(excinfo.value.problems)
        if isinstance(excinfo.value, GraderError):
            return str(excinfo.value)
        del style  # items have it, collectors do not, and pytest passes it to neither here
        return super().repr_failure(excinfo)


class QuestionNode(pytest.Collector):
    """A question; its children are the checks."""

    def __init__(self, *, question: Question, grading: Grading, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.question = question
        self.grading = grading

    def collect(self) -> Iterator[pytest.Item]:
        """Yield one item per check."""
        for check in self.question.checks:
            yield CheckItem.from_parent(
                self, name=check.id, question=self.question, check=check, grading=self.grading
            )


class CheckItem(pytest.Item):
    """One check of the rubric, run against the submission."""

    def __init__(
        self, *, question: Question, check: CheckSpec, grading: Grading, **keywords: Any
    ) -> None:
        super().__init__(**keywords)
        self.question = question
        self.check = check
        self.grading = grading

    def runtest(self) -> None:
        """Run the check; anything but full points fails the item, a pending one is skipped."""
        try:
            result = self.grading.session.run(self.question, self.check)
        except IsolationError as error:
            pytest.exit(str(error), EXIT_BROKEN)
        recorded = pytest_record.properties(building.of_result(result))
        self.user_properties.extend(recorded.items())
        if result.outcome == "pending":
            pytest.skip(result.message)
        if result.outcome != "passed":
            raise self._failed(result)

    def _failed(self, result: CheckResult) -> CheckFailedError:
        """Return the error of a result; its traceback leads into the student's file."""
        from grader.run import locations

        raised = self.grading.session.raised.get(self.check.id, ())
        module = self.question.of(self.check).module
        traces = locations.traces(self.grading.files, module, result, raised)
        error = CheckFailedError(result, traces)
        return error.with_traceback(locations.as_traceback(traces[0], result) if traces else None)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Show a result's message instead of the grader's own traceback."""
        if not isinstance(excinfo.value, CheckFailedError):
            return super().repr_failure(excinfo, style)
        failed = excinfo.value
        text = pytest_record.text(building.of_result(failed.result))
        return "\n\n".join([text, *map(str, failed.traces)])

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the rubric's path and the check's id and title."""
        return self.path, None, f"{self.check.id} {self.check.title}"

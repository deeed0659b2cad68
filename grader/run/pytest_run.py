"""Grading one submission through pytest, and writing its reports."""

from __future__ import annotations

import contextlib
import io
import os
import traceback
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from grader.assignment.reference import Assignment
from grader.errors import BrokenError, GraderError, IsolationError
from grader.isolation.sandbox import Limits
from grader.job import CheckDone, Job, Steering, Submitted
from grader.model import CheckResult, CheckSpec, Question, Rubric
from grader.reports import figures, report
from grader.reports.files import UnwritableError
from grader.reports.written import write_reports
from grader.run import pytest_plugin
from grader.run.session import Session, Workshop

# Everything of pytest that has no part in grading, and could only read or write files around it.
UNUSED_PLUGINS = (
    "cacheprovider", "faulthandler", "doctest", "unittest", "logging", "junitxml",
    "pastebin", "stepwise", "nose", "setuponly", "setupplan", "debugging", "tmpdir", "monkeypatch",
    "recwarn", "pytester", "warnings", "unraisableexception", "threadexception", "metadata",
)  # fmt: skip
PYTEST_VARIABLES = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DEBUG")


class _Reporting(Session):
    """A session that tells about every finished check, and that can be steered."""

    on_check: CheckDone | None = None
    steering: Steering | None = None

    def run(self, question: Question, check: CheckSpec) -> CheckResult:
        if self.steering is None:
            result = super().run(question, check)
        else:
            result = self.steering.run(question, check, partial(super().run, question, check))
            self.results[check.id] = result
            self.steering.progress(self.report())
        if self.on_check is not None:
            self.on_check(result)
        return result

    def limits(self, question: Question, check: CheckSpec) -> Limits:
        limits = super().limits(question, check)
        return limits if self.steering is None else self.steering.limits(question, check, limits)

    def report(self) -> dict[str, Any]:
        """Return the report of all checks done so far."""
        return report.build(
            self.rubric, self.submission, self.settings, self.isolation, self.results
        )


def grade(
    job: Job,
    assignment: Assignment,
    workshop: Workshop,
    work: Submitted,
    on_check: CheckDone | None = None,
) -> dict[str, Any]:
    """Grade a submission, write its reports below ``job.out``, and return its report.

    A fault of ours, a report that cannot be written too, gives a report of status ``broken``.

    Raises:
        IsolationError: this machine does not isolate as well as was asked for.
    """
    recorded = None
    pictures: dict[str, bytes] = {}
    try:
        submission = workshop.stage(work.identifier, work.path, job.rubric)
        session = _Reporting(job.rubric, assignment, submission, workshop, job.settings)
        session.on_check, session.steering = on_check, job.steering
        recorded = _run_pytest(job.rubric, session, work.wanted)
        made = session.report()
        pictures = figures.pictures(session.results)
    except IsolationError:
        raise
    except GraderError as error:
        made = report.broken(job.rubric, work.identifier, job.settings, str(error))
    except Exception as error:  # noqa: BLE001 - an error of ours must not end the whole run
        made = report.broken(job.rubric, work.identifier, job.settings, _itself(error))
    finally:
        workshop.unstage()
    return kept(job, made, recorded, pictures)


def kept(
    job: Job,
    made: dict[str, Any],
    recorded: Any = None,
    pictures: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """Write the reports of a submission below ``job.out``, if there is one; return its report.

    Where they cannot be written, that is the report of status ``broken`` that says why: a grade
    that is in no report is none, and the other submissions of a class have nothing to do with it.
    """
    if job.out is None:
        return made
    identifier = str(made["submission"]["id"])
    folder = job.out / identifier
    try:
        write_reports(folder, made, recorded, pictures)
    except Exception as error:  # noqa: BLE001 - this report cannot be made, others can
        message = _unwritten(folder, error)
        made = report.broken(job.rubric, identifier, job.settings, message)
        with contextlib.suppress(GraderError):
            write_reports(folder, made)
    return made


def _unwritten(folder: Path, error: Exception) -> str:
    """Return the message for reports that cannot be written."""
    if not isinstance(error, UnwritableError):
        return str(error) if isinstance(error, GraderError) else _itself(error)
    # Without the name of the file, the same fault of all submissions is told once.
    message = f"its report cannot be written: {error.why}"
    if (folder / "report.json").is_file():
        message += "; the report that is there is an earlier run's"
    return message


def _itself(error: Exception) -> str:
    """Return the message for a fault in our own code."""
    trace = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(trace.filename).name}, line {trace.lineno}"
    return f"the grader itself failed: {type(error).__name__}: {error} ({place})"


def _run_pytest(rubric: Rubric, session: Session, wanted: frozenset[str]) -> dict[str, Any] | None:
    """Run the wanted checks as pytest items; return what pytest-json-report recorded."""
    supply = _InProcess(session, wanted)
    arguments = [
        str(rubric.path.resolve()),
        f"--rootdir={rubric.path.resolve().parent}",
        f"-c{os.devnull}",
        "--noconftest",
        "--capture=no",
        "--quiet",
        "--import-mode=importlib",
        *(f"-pno:{name}" for name in UNUSED_PLUGINS),
        "-ppytest_jsonreport.plugin",
        "--json-report",
        "--json-report-file=none",
        "--json-report-omit=collectors,keywords,streams,log,traceback",
    ]
    printed = io.StringIO()
    with (
        _clean_environment(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        status = pytest.main(arguments, plugins=[pytest_plugin, supply])
    if session.refusal is not None:
        raise session.refusal
    missing = wanted - set(session.results)
    if missing:
        words = printed.getvalue().strip().splitlines()[-1:] or [f"pytest ended with {status!r}"]
        raise BrokenError(f"checks that did not run: {', '.join(sorted(missing))}: {words[0]}")
    return supply.recorded


class _InProcess(pytest_plugin.Supply):
    """Hands the session to the plugin, puts the checks in order, and takes what is recorded."""

    recorded: dict[str, Any] | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[pytest_plugin.SUPPLY] = self

    def pytest_collection_modifyitems(self, items: list[pytest_plugin.CheckItem]) -> None:
        steering = self.session.steering
        if steering is not None:
            items.sort(key=lambda item: steering.rank(item.question, item.check))

    @pytest.hookimpl(optionalhook=True)
    def pytest_json_modifyreport(self, json_report: dict[str, Any]) -> None:
        json_report.pop("environment", None)
        json_report["root"] = ""  # a path of this machine has no place in a student's record
        self.recorded = dict(json_report)


@contextlib.contextmanager
def _clean_environment() -> Any:
    """Run pytest with the plugins named here only, whatever the caller's environment says."""
    saved = {name: os.environ.pop(name, None) for name in PYTEST_VARIABLES}
    saved["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in saved.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

"""Whose fault a failure beside student code is, for every driven check of the homework."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.assignment.reference import Assignment, Dataset
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.job import Settings
from grader.model import CheckResult, Question, Tier
from grader.run.session import Session
from grader.run.workers import ForkServers
from tests.conftest import ROOT

pytestmark = pytest.mark.slow  # most need torch, and data that takes seconds to draw
RAISES = "raise ZeroDivisionError('ours')"
# Each check of the homework whose driver runs in a worker only, and the function that serves it.
DRIVEN = {
    "q1.1": ("transfer_learning", "train_model"),
    "q1.2": ("prediction_figure", "visualize_model"),
    "q1.3": ("transfer_learning", "finetune"),
    "q1.4": ("transfer_learning", "freeze"),
    "q2.5": ("style_transfer", "style_transfer"),
    "q5.7": ("captioning", "overfit_rnn"),
    "q5.8": ("captioning", "overfit_lstm"),
    "q5.10": ("captioning", "larger_run"),
    "q6.1": ("text_classification", "bag_of_words"),
    "q6.4": ("text_classification", "rnn"),
}


class Kept(ForkServers):
    """Servers that stay: here it is known that a failure of ours is none of theirs."""

    def replace(self, question: Question) -> None:
        """Go on with the server that is there; another one with torch takes seconds to start."""


@pytest.fixture(scope="module")
def fork_servers() -> Iterator[ForkServers]:
    with Kept() as kept:
        yield kept


@pytest.fixture
def assignment() -> Iterator[Path]:
    """A copy of the homework without its examples, which workers may read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        ignored = shutil.ignore_patterns("submissions", "__pycache__")
        shutil.copytree(ROOT / "reference", folder / "reference", ignore=ignored)
        shutil.copytree(ROOT / "submissions_template", folder / "submissions_template")
        shutil.copy(ROOT / "rubric.yaml", folder)
        yield folder


def edit(path: Path, pattern: str, new: str) -> None:
    text, count = re.subn(pattern, new, path.read_text(), count=1, flags=re.DOTALL)
    assert count == 1, pattern
    path.write_text(text)


def at_the_start_of(function: str, statement: str) -> tuple[str, str]:
    """Return a pattern and what to put for it, so that a function begins with a statement."""
    return rf'(\ndef {function}\(.*?\) -> [^\n]*:\n)(    """)', rf"\g<1>    {statement}\n\g<2>"


class SharedData(Assignment):
    """An edited copy of the homework, with the data that the original draws: that takes seconds."""

    def dataset(self, name: str, tier: Tier, data: Path | None, seed: int) -> Dataset:
        return ORIGINAL.dataset(name, tier, data, seed)


ORIGINAL = Assignment(ROOT / "reference")


def run(folder: Path, check_id: str, fork_servers: ForkServers) -> CheckResult:
    """Judge the reference's own files, handed in as they are, by one check."""
    rubric = load_rubric(folder / "rubric.yaml", KINDS)
    handed_in = folder / "handed_in"
    if not handed_in.exists():
        handed_in.mkdir()
        for path in (ROOT / "reference").glob("*.py"):
            shutil.copy(path, handed_in)
    staged = fork_servers.stage("handed_in", handed_in, rubric)
    session = Session(rubric, SharedData(rubric.reference), staged, fork_servers, Settings())
    for question in rubric.questions:
        for check in question.checks:
            if check.id == check_id:
                session.run(question, check)
    fork_servers.unstage()
    return session.results[check_id]


@pytest.mark.parametrize("check", DRIVEN)
def test_a_driver_that_raises_is_our_fault(check, assignment, fork_servers):
    file, function = DRIVEN[check]
    edit(assignment / "reference" / "drivers" / f"{file}.py", *at_the_start_of(function, RAISES))
    result = run(assignment, check, fork_servers)
    assert result.outcome == "broken"
    driver = f"the driver {file}.{function} fails on the reference: ZeroDivisionError: ours"
    assert result.message == driver


@pytest.mark.parametrize("check", ["q1.3", "q2.5"])
def test_code_of_the_driver_that_the_student_calls_is_the_drivers_all_the_same(
    check, assignment, fork_servers
):
    file, function = {
        "q1.3": ("transfer_learning", "train_well"), "q2.5": ("style_transfer", "tv_loss"),
    }[check]  # fmt: skip
    edit(assignment / "reference" / "drivers" / f"{file}.py", *at_the_start_of(function, RAISES))
    result = run(assignment, check, fork_servers)
    assert result.outcome == "broken"
    assert "fails on the reference: ZeroDivisionError: ours" in result.message


def test_a_package_that_only_the_driver_needs_is_our_fault(assignment, fork_servers):
    driver = assignment / "reference" / "drivers" / "captioning.py"
    edit(driver, "from captioning_solver import", "from captioning_solvers import")
    result = run(assignment, "q5.7", fork_servers)
    assert result.outcome == "broken"
    assert "'captioning_solvers'" in result.message


def test_a_driver_that_returns_nothing_is_our_fault(assignment, fork_servers):
    driver = assignment / "reference" / "drivers" / "text_classification.py"
    edit(driver, r'return (_train_and_try\(student, "train_bag_of_words")', r"\g<1>")
    result = run(assignment, "q6.1", fork_servers)
    assert result.outcome == "broken"
    assert "returns NoneType, not a dictionary" in result.message


def test_a_driver_without_predictions_is_our_fault(assignment, fork_servers):
    driver = assignment / "reference" / "drivers" / "text_classification.py"
    edit(driver, '"predictions":', '"prediction":')
    result = run(assignment, "q6.1", fork_servers)
    assert result.outcome == "broken"
    assert result.message.endswith("fails on the reference: KeyError: 'predictions'")


@pytest.mark.parametrize("error", ["ValueError('ours')", "ZeroDivisionError('ours')"])
def test_a_judge_that_raises_is_our_fault(error, assignment, fork_servers):
    judges = assignment / "reference" / "judges" / "text_classification.py"
    edit(judges, *at_the_start_of("bag_of_words", f"raise {error}"))
    result = run(assignment, "q6.1", fork_servers)
    assert result.outcome == "broken"
    assert "the judge text_classification.bag_of_words" in result.message
    assert "ours" in result.message


def test_a_claim_that_the_driver_has_raised_gains_nothing(assignment, fork_servers):
    """Student code can make any exception look like the driver's: the reference works, though."""
    (assignment / "handed_in").mkdir()
    text = """
def train_bag_of_words(**_):
    code = compile("raise RuntimeError('not mine')", "drivers/text_classification.py", "exec")
    exec(code, {})
"""
    (assignment / "handed_in" / "text_classification.py").write_text(text)
    result = run(assignment, "q6.1", fork_servers)
    assert (result.outcome, result.reason, result.points) == ("failed", "exception", 0)


def test_a_reference_is_tried_once_for_all_submissions(assignment, fork_servers, monkeypatch):
    opened = []
    original = ForkServers.reference

    def counted(self, rubric):
        opened.append(rubric)
        return original(self, rubric)

    monkeypatch.setattr(ForkServers, "reference", counted)
    rubric = load_rubric(assignment / "rubric.yaml", KINDS)
    shared = SharedData(rubric.reference)
    edit(
        assignment / "reference" / "drivers" / "text_classification.py",
        *at_the_start_of("bag_of_words", RAISES),
    )
    for _student in range(2):
        staged = fork_servers.stage("handed_in", ROOT / "submissions_template", rubric)
        session = Session(rubric, shared, staged, fork_servers, Settings())
        (question,) = [question for question in rubric.questions if question.id == "q6"]
        assert session.run(question, question.checks[0]).outcome == "broken"
        fork_servers.unstage()
    assert len(opened) == 1

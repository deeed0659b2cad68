"""Workers with a submission's module, or with the reference's: opened, lost, and remembered."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.checks.base import Unloadable
from grader.errors import Failure, WorkerLost
from grader.isolation.sandbox import Limits
from grader.isolation.sandbox.reply import Reply
from grader.isolation.sandbox.student_error import StudentError
from grader.run.loading import Loader, _line_counts
from tests.run.conftest import WRONG

QUESTION = SimpleNamespace(module="toy.py", preload=(), forbidden=("jax",))
CHECK = SimpleNamespace(withhold_text=False)
TRIES = StudentError(
    "KeyError", ("KeyError",), "'top'", (("toy.py", 2, ""),), None, undefined=False
)


class FakeWorker:
    """A worker that answers so when it is asked to import the module."""

    def __init__(self, answer):
        self._answer = answer
        self.output = b"printed"
        self.closed = False
        self.loaded = []

    def load(self, module):
        self.loaded.append(module)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def close(self):
        self.closed = True


class Source:
    """Gives these workers one after the other."""

    def __init__(self, *answers, reference=None):
        self.workers = [FakeWorker(answer) for answer in answers]
        self.given = []
        self._reference = reference

    def spawn(self, _question, folder, _limits, seed, _module="", _expected=1, **_options):
        worker = self.workers[len(self.given)]
        self.given.append((folder, seed))
        return worker

    @contextmanager
    def reference(self, _rubric):
        yield self._reference


@pytest.fixture
def loader(toy, fork_servers):
    """Return a loader of a staged submission that takes its workers from a source."""

    def make(source, module=WRONG, limits=lambda *_: Limits(1.0, 64, 8)):
        rubric, folder = toy(module)
        staged = fork_servers.stage("alice", folder, load_rubric(rubric, KINDS))
        return Loader(staged, source, limits)

    yield make
    fork_servers.unstage()


def opened(loader, question=QUESTION, check=CHECK):
    """Open a student's worker and close it again; return the module."""
    with loader.student(question, check, 3) as module:
        return module


def failed(loader, **options):
    with pytest.raises(Failure) as caught:
        opened(loader, **options)
    return caught.value


def test_every_opening_starts_a_fresh_worker_with_the_seed_and_ends_it(loader):
    source = Source(Reply(missing_packages=("scipy", "jax")), Reply())
    made = loader(source)
    assert "scipy" in opened(made).notes[0]
    assert opened(made).notes == []
    assert [seed for _folder, seed in source.given] == [3, 3]
    assert all(worker.closed for worker in source.workers)
    assert source.workers[0].loaded == ["toy"]
    assert made.printed == b"printedprinted"
    made.forget()
    assert made.printed == b""


def test_a_worker_ends_also_if_the_check_raises(loader):
    source = Source(Reply())
    with pytest.raises(ZeroDivisionError), loader(source).student(QUESTION, CHECK, 3):
        1 / 0  # noqa: B018
    assert source.workers[0].closed


def test_a_module_that_raises_costs_one_worker_for_all_its_checks(loader):
    source = Source(Reply(error=TRIES))
    made = loader(source)
    assert not made.cannot_load(QUESTION)
    first = failed(made)
    assert (first.reason, first.message) == (
        "import_error",
        "toy.py cannot be imported: KeyError: 'top' (toy.py, line 2)",
    )
    assert made.cannot_load(QUESTION)
    made.forget()
    assert failed(made) is first
    assert made.raised == [TRIES]
    assert len(source.given) == 1


def test_beside_other_libraries_the_module_is_tried_again(loader):
    with_torch = SimpleNamespace(module="toy.py", preload=("numpy", "torch"), forbidden=())
    made = loader(Source(Reply(error=TRIES), Reply()))
    failed(made)
    assert not made.cannot_load(with_torch)
    assert opened(made, with_torch).file == "toy.py"


def test_a_module_that_imports_what_is_forbidden_says_so(loader):
    error = StudentError("ImportError", ("ImportError",), "", (), "jax", undefined=False)
    found = failed(loader(Source(Reply(error=error))))
    assert found.reason == "forbidden"
    assert "'jax'" in found.message


def test_a_worker_lost_while_importing_gets_one_more_chance(loader):
    lost = WorkerLost("crashed", "the process was killed by signal 9", retry=True)
    source = Source(lost, lost)
    made = loader(source)
    found = failed(made)
    assert found.message == "toy.py while it was imported: the process was killed by signal 9"
    assert found.retry
    assert not made.cannot_load(QUESTION)
    failed(made)
    assert made.cannot_load(QUESTION)
    failed(made)
    assert len(source.given) == 2


def test_an_endless_loop_at_the_top_of_a_module_gets_none(loader):
    made = loader(Source(WorkerLost("timeout", "did not finish within 1 s", retry=False)))
    assert failed(made).reason == "timeout"
    assert made.cannot_load(QUESTION)


@pytest.mark.parametrize(
    ("module", "reason", "words"),
    [
        ("", "missing", "toy.py is empty"),
        ("%PDF-1.7\n", "import_error", "toy.py"),
    ],
)
def test_what_cannot_be_python_needs_no_worker(module, reason, words, loader):
    source = Source()
    found = failed(loader(source, module))
    assert found.reason == reason
    assert words in found.message
    assert source.given == []


def test_a_module_that_was_not_handed_in_is_missing(loader):
    other = SimpleNamespace(module="layers.py", preload=(), forbidden=())
    found = failed(loader(Source()), question=other)
    assert found.reason == "missing"
    assert found.message.startswith("layers.py is not in the submission")


def test_withheld_words_are_kept_for_the_instructor(loader):
    made = loader(Source(Reply()))
    with made.student(QUESTION, SimpleNamespace(withhold_text=True), 3) as module:
        module.withheld.append("Leak: label 7")
    assert made.printed == b"printed\nraised: Leak: label 7\n"


def test_the_reference_takes_the_students_place(loader, tmp_path):
    source = Source(Reply(), reference=tmp_path)
    with loader(source).reference(None, QUESTION, CHECK, 5) as module:
        assert module.file == "toy.py"
        assert not source.workers[0].closed
    assert source.given == [(tmp_path, 5)]
    assert source.workers[0].closed


@pytest.mark.parametrize("here", [True, False])
def test_a_reference_that_cannot_be_imported_on_its_own_is_not_tried(here, loader, tmp_path):
    source = Source(Reply(error=TRIES), reference=tmp_path if here else None)
    made = loader(source)
    with pytest.raises(Unloadable), made.reference(None, QUESTION, CHECK, 5):
        pytest.fail("it was opened")
    assert [worker.closed for worker in source.workers[: len(source.given)]] == [True] * here
    # It says nothing about the student's own module.
    assert not made.cannot_load(QUESTION)
    assert made.raised == []


def test_a_folder_with_the_name_of_a_module_has_no_lines(tmp_path):
    (tmp_path / "x.py").mkdir()
    (tmp_path / "x.py" / "y.py").write_text("a = 1\nb = 2\n")
    assert _line_counts(tmp_path) == {"x.py/y.py": 3}

"""Fork servers: one for each set of libraries, admitted before use, and nothing stays behind."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.assignment import state
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import BrokenError, IsolationError
from grader.isolation.sandbox import Limits, Policy
from grader.run import workers
from grader.run.workers import ForkServers, needs
from tests.run.conftest import WRONG


def question(*preload, forbidden=()):
    return SimpleNamespace(preload=preload, forbidden=forbidden)


class FakeServer:
    """A fork server that starts nothing; remembers how it was made."""

    made: list[FakeServer] = []
    layers: dict[tuple[str, ...], list[str]] = {}

    def __init__(self, preload, _staging, *, hidden, without, accelerator):
        self.preload, self.hidden, self.without, self.accelerator = (
            *(preload, hidden, without, accelerator),
        )
        self.isolation = self.layers.get(preload, ["process"])
        self.closed = False
        self.spawned = []
        FakeServer.made.append(self)

    def spawn(self, *asked, **_options):
        self.spawned.append(asked)
        return f"worker {len(self.spawned)} of {', '.join(self.preload) or 'numpy'}"

    def close(self):
        self.closed = True


@pytest.fixture
def servers(monkeypatch, tmp_path):
    """Return what makes ``ForkServers`` whose servers are fakes, admitted at these levels."""
    monkeypatch.setattr(workers, "ForkServer", FakeServer)
    monkeypatch.setattr(FakeServer, "made", [])
    monkeypatch.setattr(FakeServer, "layers", {})

    def make(*levels, **options):
        answers = iter(levels or ["full"] * 9)

        def admit(_self, _server):
            level = next(answers)
            if isinstance(level, Exception):
                raise level
            return SimpleNamespace(level=level, described=lambda: [level, "30 of 30"])

        monkeypatch.setattr(Policy, "admit", admit)
        return ForkServers(tmp_path, **options)

    return make


def spawn(servers, *preload, **options):
    return servers.spawn(question(*preload, **options), Path("x"), Limits(1.0, 64, 8), 3)


def test_numpy_is_in_every_server_and_needs_none_of_its_own():
    assert needs(question("numpy")) == needs(question()) == ((), ())
    assert needs(question("torch", "numpy", forbidden=("jax",))) == (("torch",), ("jax",))


def test_a_server_serves_all_questions_with_the_same_needs(servers):
    with servers() as made:
        assert spawn(made, "numpy") == "worker 1 of numpy"
        assert spawn(made) == "worker 2 of numpy"
        assert spawn(made, "torch") == "worker 1 of torch"
        assert spawn(made, forbidden=("torch",)) == "worker 1 of numpy"
    assert [(one.preload, one.hidden) for one in FakeServer.made] == [
        ((), ()), (("torch",), ()), ((), ("torch",)),
    ]  # fmt: skip
    assert all(server.closed for server in FakeServer.made)


def test_a_server_that_isolates_too_little_is_ended_and_serves_nobody(servers):
    made = servers(IsolationError("Landlock is missing"), "full")
    with pytest.raises(IsolationError, match="Landlock is missing"):
        spawn(made)
    (first,) = FakeServer.made
    assert first.closed
    assert not first.spawned
    assert made.isolation == []
    assert spawn(made) == "worker 1 of numpy"  # from another server
    made.close()


def test_frugal_keeps_one_server_at_a_time(servers):
    with servers(frugal=True) as made:
        spawn(made)
        spawn(made, "torch")
        spawn(made)
        assert [server.closed for server in FakeServer.made] == [True, True, False]


def test_a_replaced_server_is_ended_and_started_again_at_its_next_use(servers):
    with servers() as made:
        spawn(made)
        made.replace(question("torch"))  # not started yet: nothing to do
        made.replace(question())
        assert [server.closed for server in FakeServer.made] == [True]
        assert spawn(made) == "worker 1 of numpy"
        assert len(FakeServer.made) == 2


def test_a_report_names_the_weakest_level_and_the_layers_of_every_server(servers):
    with servers("full", "partial") as made:
        assert made.isolation == []
        FakeServer.layers |= {(): ["process", "landlock"], ("torch",): ["process", "seccomp"]}
        spawn(made)
        assert made.isolation[0] == "full"
        assert made.isolation[-2:] == ["process", "landlock"]
        spawn(made, "torch")
        assert made.isolation[0] == "partial"
        assert made.isolation[-1] == "process"
        assert "landlock" not in made.isolation


def test_a_submission_is_staged_where_only_its_workers_can_find_it(servers, toy):
    rubric_path, folder = toy(WRONG)
    rubric = load_rubric(rubric_path, KINDS)
    with servers() as made:
        staged = made.stage("alice", folder, rubric)
        top = staged.folder.parent.parent
        assert top.stat().st_mode & 0o777 == 0o711  # its names cannot be listed
        assert sorted(staged.files) == ["toy.py", "why.md"]
        made.unstage()
        assert not staged.folder.exists()
        made.unstage()  # once more does no harm
        second = made.stage("bob", folder, rubric)
        assert second.folder.parent != staged.folder.parent
    assert not top.exists()


def test_the_reference_is_staged_without_cases_drivers_and_data(servers, toy):
    rubric_path, _folder = toy(WRONG)
    rubric = load_rubric(rubric_path, KINDS)
    with servers() as made:
        with made.reference(rubric) as folder:
            assert [path.name for path in folder.iterdir()] == ["toy.py"]
            assert folder.stat().st_mode & 0o777 == 0o755
            assert folder.parent.stat().st_mode & 0o777 == 0o711  # its name cannot be listed
            assert (folder / "toy.py").stat().st_mode & 0o777 == 0o444
        assert not folder.exists()
        with pytest.raises(ZeroDivisionError), made.reference(rubric) as folder:
            1 / 0  # noqa: B018
        assert not folder.exists()


def test_files_that_the_assignment_supplies_are_staged_with_the_reference(servers, rubric):
    with servers() as made, made.reference(rubric) as folder:
        names = {path.name for path in folder.iterdir()}
    assert {"rnn_layers.py", "captioning_solver.py"} <= names
    assert not names & {"cases", "drivers", "datasets"}


def test_a_file_that_two_questions_supply_is_staged_once(servers, rubric, monkeypatch):
    # Its copy cannot be written to, and only root writes to it all the same.
    supplied = [file.name for question in rubric.questions for file in question.supplied]
    assert len(set(supplied)) < len(supplied)
    copied = []
    monkeypatch.setattr(
        workers.shutil, "copyfile", lambda _from, to: copied.append(to.touch() or to)
    )
    with servers() as made, made.reference(rubric):
        assert set(supplied) <= {path.name for path in copied}
        assert len(set(copied)) == len(copied)


def test_a_full_disk_while_the_reference_is_staged_is_our_fault(servers, toy, monkeypatch):
    rubric_path, _folder = toy(WRONG)
    rubric = load_rubric(rubric_path, KINDS)

    def full(_source, _target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workers.shutil, "copyfile", full)
    with servers() as made:
        match = "the reference cannot be staged: No space left on device"
        with pytest.raises(BrokenError, match=match), made.reference(rubric):
            pytest.fail("it was staged")


def test_a_staging_folder_that_cannot_be_made_is_our_fault(tmp_path):
    with pytest.raises(BrokenError, match="cannot be made: No such file"):
        ForkServers(tmp_path / "gone")


def test_what_is_kept_from_run_to_run_is_hidden_from_workers(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    rubric = Policy(hidden=(tmp_path / "rubric.yaml",))
    assert workers._hiding_what_is_kept(rubric) == rubric  # there is nothing yet
    state.room("data-sets", 3)
    hidden = workers._hiding_what_is_kept(rubric).hidden
    assert hidden == (tmp_path / "rubric.yaml", tmp_path / "dl-grader")
    assert workers._hiding_what_is_kept(Policy()) == Policy()  # a test's, of no assignment


def test_a_folder_that_nobody_may_look_into_keeps_nobody_from_grading(tmp_path, monkeypatch):
    def refused(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refused)
    policy = Policy(hidden=(tmp_path / "rubric.yaml",))
    assert workers._hiding_what_is_kept(policy) == policy

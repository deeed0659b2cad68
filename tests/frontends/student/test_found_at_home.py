"""``grader check`` at home finds and reads what grading finds and reads, and copies only code."""

from __future__ import annotations

import json
import os
import resource
import shutil

import pytest

from grader.errors import UsageError
from grader.frontends.student import staged
from grader.frontends.student.look import HomeJob, chosen
from grader.frontends.student.record import public_seed
from grader.frontends.student.replay import load
from grader.frontends.student.staged import StudentFolder, listed
from grader.job import Settings
from grader.run.session import Session
from tests.frontends.student.conftest import WITHOUT_POSIX
from tests.intake.test_notebooks import HEAD, RIGHT, book, whole

CPU_S = 2.0  # as in test_at_home
BROKEN = RIGHT.replace("np.tanh", "np.no_such_function", 1)


def handed(home, files):
    """Put files in place of the student's ``rnn_layers.py``."""
    (home / "rnn_layers.py").unlink()
    for name, data in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(data)


WITH_HELPER = RIGHT.replace("np.tanh", "own_tanh.tanh") + "\nimport own_tanh\n"
FOUND = {
    "a notebook": {"rnn_layers.ipynb": book(*whole())},
    "a notebook of another name, in a folder": {"work/hw2 final.ipynb": book(*whole())},
    "the name of a second download": {"rnn_layers (1).py": RIGHT.encode()},
    "another folder": {"src/rnn_layers.py": RIGHT.encode()},
    "a notebook under the name of the module": {"rnn_layers.py": book(*whole())},
    "a text file": {"rnn_layers.py.txt": RIGHT.encode()},
    "UTF-16": {"rnn_layers.py": RIGHT.encode("utf-16")},
    "Latin-1": {"rnn_layers.py": b"# gr\xf6\xdfer\n" + RIGHT.encode()},
    "an own helper in another folder": {
        "rnn_layers.py": WITH_HELPER.encode(),
        "tools/own_tanh.py": b"from numpy import tanh\n",
    },
    "an own helper in UTF-16": {
        "rnn_layers.py": WITH_HELPER.encode(),
        "own_tanh.py": "from numpy import tanh\n".encode("utf-16"),
    },
}


@pytest.mark.parametrize("files", FOUND.values(), ids=FOUND)
def test_what_grading_finds_is_found_at_home_without_posix(files, unpacked):
    handed(unpacked.home, files)
    ran = unpacked.check("q3.1", site=WITHOUT_POSIX)
    assert "passed  q3.1" in ran.out, ran.out + ran.err
    assert (ran.status, ran.err) == (0, "")
    assert not list(unpacked.home.rglob("__pycache__"))


def test_other_capitals_are_found(unpacked):
    (unpacked.home / "rnn_layers.py").rename(unpacked.home / "RNN_Layers.PY")
    assert unpacked.check("q3.1", site=WITHOUT_POSIX).status == 0


WRONG = {
    "a notebook": {"hw2.ipynb": book(HEAD, BROKEN)},
    "a second download": {"rnn_layers (1).py": BROKEN.encode()},
    "another folder": {"mine/rnn_layers.py": BROKEN.encode()},
    "two of one name": {"a/rnn_layers.py": BROKEN.encode(), "b/rnn_layers.py": RIGHT.encode()},
    "not Python": {"rnn_layers.ipynb": book("def f(:\n", "def g(): pass\n")},
    "a web page": {"rnn_layers.py": b"<!DOCTYPE html>\n<html></html>"},
    "empty": {"rnn_layers.py": b""},
}


@pytest.mark.parametrize("files", WRONG.values(), ids=WRONG)
def test_messages_at_home_are_those_of_grading(files, rubric, fork_servers, unpacked, tmp_path):
    handed(unpacked.home, files)
    bundle = load(unpacked.home)
    ids = frozenset(["q3.1"])
    at = bundle.rubric(ids)
    settings = Settings(isolation="none", locked=False)
    assignment = bundle.assignment(at)
    job = HomeJob(at, assignment, unpacked.home, chosen(at, ids), settings, bundle.asked)
    (found,) = job.run(job.checks)
    shutil.rmtree(unpacked.home / "recorded")
    staged = fork_servers.stage("handed_in", unpacked.home, rubric)
    full = Settings(seed=public_seed(rubric.assignment))
    from grader.assignment.reference import Assignment

    session = Session(rubric, Assignment(rubric.reference), staged, fork_servers, full)
    (expected,) = (session.run(*one) for one in chosen(rubric, ids))
    fork_servers.unstage()
    assert found.outcome == expected.outcome == "failed"
    assert found.reason == expected.reason
    assert found.message == expected.message


def test_a_notebook_is_named_with_its_cell_at_home(unpacked):
    handed(unpacked.home, {"my work.ipynb": book(HEAD, "# a plot", BROKEN)})
    told = " ".join(unpacked.check("q3.1", site=WITHOUT_POSIX).out.split())
    assert "(my work.ipynb, cell 3, line " in told
    assert "note: my work.ipynb was read as rnn_layers.py" in told


DATA = """
import os
import pathlib
import own_data
from tools import far
beside = pathlib.Path(__file__).parent / "data" / "scale.npz"
assert beside.samefile(pathlib.Path("data") / "scale.npz")
assert own_data.text == far.text == "1"
SCALE = np.load("data/scale.npz")["scale"] * np.load(beside)["scale"]
"""
OWN = "import os\ntext = open(os.path.join(os.path.dirname(__file__), 'one.txt')).read()\n"


@pytest.mark.parametrize("name", ["rnn_layers.py", "rnn_layers (2).py", "mine/rnn_layers.py"])
def test_data_beside_the_code_is_read_where_it_lies(name, unpacked):
    import numpy as np

    source = f"{RIGHT.replace('np.tanh(', 'SCALE * np.tanh(')}\n{DATA}"
    handed(unpacked.home, {name: source.encode()})
    home = (unpacked.home / name).parent
    for folder in ("data", "tools"):
        (home / folder).mkdir(exist_ok=True)
    np.savez(home / "data" / "scale.npz", scale=1.0)
    (home / "own_data.py").write_text(OWN)
    (home / "one.txt").write_text("1")
    (home / "tools" / "far.py").write_text(OWN)
    (home / "tools" / "one.txt").write_text("1")
    # Work in a folder of its own is named: beside other modules its folder is not the current one.
    folder = [name.rpartition("/")[0]] if "/" in name else []
    ran = unpacked.check(*folder, "q3.1", site=WITHOUT_POSIX)
    assert ran.status == 0, ran.out + ran.err


def test_helpers_of_the_homework_are_beside_work_in_another_folder(unpacked):
    mine = unpacked.home / "mine"
    mine.mkdir()
    for name in ("rnn.py", "rnn_layers.py"):
        (unpacked.home / name).rename(mine / name)
    (mine / "layers.py").write_text("raise RuntimeError('an old copy')\n")
    for arguments in (("q5.5",), ("mine", "q5.5")):
        ran = unpacked.check(*arguments)
        assert ran.status == 0, ran.out + ran.err
        told = " ".join(ran.out.split())
        assert "layers.py is supplied with the homework: your changes do not count" in told
        assert "missing here" not in told


def test_a_folder_with_an_environment_and_a_data_set_is_as_quick(unpacked):
    packages = unpacked.home / "env" / "lib" / "python3.11" / "site-packages" / "pkg"
    packages.mkdir(parents=True)
    (unpacked.home / "env" / "pyvenv.cfg").write_text("")
    images = unpacked.home / "images"
    images.mkdir()
    for number in range(6000):
        (packages / f"m{number}.py").touch()
        (images / f"{number}.png").touch()
    with (unpacked.home / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte that takes no room
    (packages / "rnn_layers.py").write_text("raise RuntimeError")
    (unpacked.home / "rnn_layers.py").rename(unpacked.home / "rnn_layers (1).py")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = unpacked.check("q3.1")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.status == 0, ran.out + ran.err
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < CPU_S
    told = " ".join(ran.out.split())
    assert "this folder holds thousands of files: not all folders in it were looked at" in told


def test_only_code_and_what_is_asked_for_is_copied(tmp_path):
    files = {
        "a.py", "q/helper.py", "book.ipynb", "answer (1).txt", "data/big.npz", "notes.txt", "x.bin",
        "venv/lib/site-packages/p.py", "node_modules/n.py", ".hidden/h.py", "recorded/r.py",
        "recorded/checks.json", "old env/pyvenv.cfg", "old env/bin/e.py", "__pycache__/a.py",
    }  # fmt: skip
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link.py").symlink_to("a.py")
    (tmp_path / "loop").symlink_to(tmp_path)
    with StudentFolder(tmp_path, {"a.py": []}, ["answer.txt"]) as here:
        staged = here.submission.folder
        copied = {p.relative_to(staged).as_posix() for p in staged.rglob("*") if p.is_file()}
        assert copied == {"a.py", "q/helper.py", "book.ipynb", "answer (1).txt"}
        others = {"notes.txt", "x.bin", "data/big.npz", "old env/pyvenv.cfg"}
        assert set(here.submission.files) == (copied | others) - {"answer.txt"}
        assert here.works_in == tmp_path
    assert not staged.exists()


def test_what_is_near_the_top_is_listed_when_there_is_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(staged, "MAX_LISTED", 50)
    monkeypatch.setattr(staged, "MAX_IN_FOLDER", 30)
    for folder in ("", "a/images", "a/more", "b/b/b"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for number in range(60):
            (tmp_path / folder / f"{number}.png").touch()
        (tmp_path / folder / "z.py").touch()
    found = listed(tmp_path)
    assert not found.complete
    # All of the top, and code before anything else.
    assert {"0.png", "59.png", "z.py", "a/images/z.py"} <= set(found.files)
    assert len(found.files) < 61 + 50
    assert "b/b/b/z.py" not in found.files


def test_a_folder_that_vanishes_is_told_in_one_line(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        StudentFolder(tmp_path / "gone", {"a.py": []}, [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_noted(tmp_path):
    (tmp_path / "a.py").touch(0o000)
    with StudentFolder(tmp_path, {"a.py": []}, []) as here:
        assert here.submission.notes == ("a.py was left out: it cannot be read: Permission denied",)


def test_a_read_only_folder_can_be_checked(unpacked):
    for folder in (unpacked.home, unpacked.home / "recorded"):
        folder.chmod(0o555)
    try:
        assert unpacked.check("q3.1").status == 0
    finally:
        for folder in (unpacked.home, unpacked.home / "recorded"):
            folder.chmod(0o755)


def test_staged_code_is_removed_after_a_crash_of_the_students_code(unpacked, tmp_path):
    handed(unpacked.home, {"rnn_layers.ipynb": book(HEAD, "import os\nos._exit(3)")})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    site = f"import tempfile\ntempfile.tempdir = {json.dumps(str(temporary))}\n"
    ran = unpacked.check("q3.1", site=site)
    assert ran.status == 1
    assert not list(temporary.iterdir())


def test_a_helper_file_is_not_suggested_as_what_is_missing(unpacked):
    (unpacked.home / "rnn_layers.py").unlink()
    bundle = load(unpacked.home)
    assert "layers.py" in {file.name for file in bundle.supplied}
    with StudentFolder(unpacked.home, *bundle.asked, bundle.supplied) as here:
        message = here.submission.missing("rnn_layers.py")
    assert message.startswith("rnn_layers.py is not in this folder (it holds ")
    assert "did you mean" not in message

"""``grader check --watch``: what runs again after which change, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from grader.errors import UsageError
from grader.frontends.student import watch
from grader.frontends.student.look import HomeJob
from grader.frontends.student.replay import load
from grader.frontends.student.staged import StudentFolder
from grader.job import Settings


@pytest.fixture
def here(tmp_path):
    """Stage a folder of files, by name and text; ``rnn_layers.py`` is asked for."""

    @contextlib.contextmanager
    def stage(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        with StudentFolder(tmp_path, {"a.py": {"f"}}, []) as made:
            yield made

    return stage


def test_a_module_and_all_it_imports_decide_about_a_check(here):
    files = {
        "a.py": "import numpy\nfrom b import f\ndef g():\n    import d.e\n",
        "b.py": "import a, c\n",
        "c.py": "this is no Python\nimport lost\n",
        "d/__init__.py": "from . import x\n",
        "d/e.py": "from far import y\n",
        "old/far.py": "",
        "lost.py": "",
        "other.py": "",
    }
    with here(files) as made:
        assert watch.imported(made, "a.py") == {
            "a.py", "b.py", "c.py", "d/__init__.py", "d/e.py", "old/far.py", "lost.py",
        }  # fmt: skip
        assert watch.imported(made, "missing.py") == set()


def test_the_notebook_and_what_its_cells_import_decide_about_a_check(here):
    def cell(source):
        return {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}

    book = {"cells": [cell("%matplotlib inline\nimport own"), cell("def f(:"), cell("def f(): 1")]}
    with here({"hw/work.ipynb": json.dumps(book), "hw/own.py": "", "other.py": ""}) as made:
        assert made.submission.places.found["a.py"].source == "hw/work.ipynb"
        assert watch.meant(made, "a.py") == {"a.py", "hw/work.ipynb"}
        assert watch.imported(made, "a.py") == {"hw/own.py"}


def test_any_file_that_may_be_meant_decides_about_a_check_that_found_none(here):
    with here({"x/a.py": "1", "y/a.py": "2", "notes.ipynb": "{}", "other.py": ""}) as made:
        assert watch.meant(made, "a.py") == {"a.py", "x/a.py", "y/a.py", "notes.ipynb"}


def test_checks_are_concerned_by_the_files_they_read(pristine):
    bundle = load(pristine.home)
    rubric = bundle.rubric(frozenset(one for ids in bundle.ids.values() for one in ids))
    every = [(question, check) for question in rubric.questions for check in question.checks]
    settings = Settings(isolation="none", locked=False)
    job = HomeJob(rubric, bundle.assignment(rubric), pristine.home, every, settings)
    files = watch.deciding(job)
    assert files["q3.1"] == {"rnn_layers.py"}
    assert files["q5.1"] == {"rnn_layers.py"}  # of question 5, but about another module
    assert files["q5.5"] == {"rnn.py", "rnn_layers.py", "layers.py"}
    assert files["q6.6"] == {"predictions_q1.txt"}
    assert files["q3.5"] == {"derivations.tex", "derivations.md"}


def test_changes_are_told_when_they_are_at_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "POLL_S", 0.0)
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("1")
    known = watch.stamps(tmp_path)
    (tmp_path / "a.py").write_text("12")  # while the checks before were still running
    found = watch.changes(tmp_path, known)
    assert next(found) == {"a.py"}
    (tmp_path / "b.py").unlink()
    (tmp_path / "c.txt").write_text("1")
    (tmp_path / "ignored.pyc").write_text("1")
    assert next(found) == {"b.py", "c.txt"}


def test_a_folder_that_is_gone_ends_it_in_one_line(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        watch.stamps(tmp_path / "gone")


@pytest.fixture
def watching(unpacked):
    """``grader check q3.1 q6.6 --watch`` in a process; its output comes line by line."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "grader", "check", "q3.1", "q6.6", "--watch"],
        cwd=unpacked.home, env=unpacked.environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    timer = threading.Timer(120, process.kill)
    timer.start()
    yield process
    timer.cancel()
    process.kill()
    process.wait()
    process.stdout.close()


def until(process, words):
    """Return the lines up to the one with ``words``."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"{words!r} never came: {''.join(lines)}")


def test_it_runs_again_what_a_saved_file_concerns_and_ends_with_ctrl_c(unpacked, watching):
    told = until(watching, "waiting for you to save a file")
    assert "passed  q3.1" in told
    assert "failed (missing)  q6.6" in told
    module = unpacked.home / "rnn_layers.py"
    module.write_text(module.read_text().replace("np.tanh", "np.sin"))
    told = until(watching, "checks passed so far")
    assert "rnn_layers.py changed" in told
    assert "failed (mismatch)  q3.1" in told
    assert "q6.6" not in told
    (unpacked.home / "data.txt").write_text("concerns nothing")
    (unpacked.home / "predictions_q1.txt").write_text("0\n" * 400)
    told = until(watching, "checks passed so far")
    assert "passed  q6.6" in told
    assert "q3.1" not in told
    assert "1 of 2 checks passed so far" in told
    watching.send_signal(signal.SIGINT)
    rest = watching.stdout.read()
    assert watching.wait(timeout=30) == 0
    assert "Traceback" not in rest


def test_ctrl_c_in_the_middle_of_a_check_ends_it_with_its_worker(unpacked, watching):
    until(watching, "waiting for you to save a file")
    module = unpacked.home / "rnn_layers.py"
    module.write_text(
        f"{module.read_text()}\nimport os, pathlib\n"
        "pathlib.Path('pid').write_text(str(os.getpid()))\nwhile True: pass\n"
    )
    deadline = time.monotonic() + 60
    pid = unpacked.home / "pid"
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    watching.send_signal(signal.SIGINT)
    rest = watching.stdout.read()
    assert watching.wait(timeout=30) == 0
    assert "Traceback" not in rest
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_it_runs_again_when_a_notebook_or_a_helper_of_its_own_is_saved(unpacked, watching):
    until(watching, "waiting for you to save a file")
    module = unpacked.home / "rnn_layers.py"
    text = module.read_text()
    book = unpacked.home / "mine" / "hw2.ipynb"
    (unpacked.home / "mine" / "lib").mkdir(parents=True)
    helper = unpacked.home / "mine" / "lib" / "own_tanh.py"
    helper.write_text("from numpy import tanh\n")
    source = text.replace("np.tanh", "own_tanh.tanh") + "\nimport own_tanh\n"
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
    module.unlink()
    told = until(watching, "checks passed so far")
    assert "failed (missing)  q3.1" in told
    book.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}))
    told = until(watching, "checks passed so far")
    assert "mine/hw2.ipynb changed" in told
    assert "passed  q3.1" in told
    assert "mine/hw2.ipynb was read as rnn_layers.py" in told
    helper.write_text("from numpy import sin as tanh\n")
    told = until(watching, "checks passed so far")
    assert "mine/lib/own_tanh.py changed" in told
    assert "failed (mismatch)  q3.1" in told
    assert "q6.6" not in told

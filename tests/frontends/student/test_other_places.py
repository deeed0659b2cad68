"""Where there is no bundle, or not everything that the engine can use."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from grader.frontends.commands import check
from grader.run import batch
from tests.conftest import ROOT, SUBMISSIONS
from tests.frontends.student.conftest import WITHOUT_POSIX


def test_without_fork_servers_it_runs_in_plain_processes(run_cli, monkeypatch, unpacked):
    monkeypatch.setattr(check, "_grades_here", lambda: False)
    monkeypatch.setattr(batch, "run", lambda *_: pytest.fail("a fork server was asked for"))
    ran = run_cli("check", unpacked.home, "q3.1", "q5.6", "--rubric", ROOT / "rubric.yaml")
    assert (ran.status, ran.err) == (0, "")
    assert "passed  q3.1" in ran.out
    assert "passed  q5.6" in ran.out  # the reference is there: nothing is left out
    wrong = SUBMISSIONS / "wrong" / "fc_without_bias"
    ran = run_cli("check", wrong, "q5.1", "--rubric", ROOT / "rubric.yaml")
    assert ran.status == 1
    assert "the bias b is not added" in " ".join(ran.out.split())
    assert "missing here" not in ran.out


def test_without_fork_servers_helpers_of_the_homework_are_put_beside(run_cli, monkeypatch):
    monkeypatch.setattr(check, "_grades_here", lambda: False)
    folder = SUBMISSIONS / "full_marks" / "plain"
    assert not (folder / "layers.py").exists()
    ran = run_cli("check", folder, "q5.5", "--rubric", ROOT / "rubric.yaml")
    assert (ran.status, ran.err) == (0, "")


def test_a_rubric_that_is_nearer_than_a_bundle_counts(run_cli, unpacked, monkeypatch):
    inner = unpacked.home / "course"
    inner.mkdir()
    (inner / "rubric.yaml").write_text("assignment: [\n")
    monkeypatch.chdir(inner)
    ran = run_cli("check", "q3.1")
    assert ran.status == 2
    assert "rubric.yaml" in ran.err


def grader(unpacked, *arguments, site="", **variables):
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        cwd=unpacked.home, env={**unpacked.environment(site), **variables},
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip


def test_commands_that_need_posix_say_so_and_help_does_not_fail(pristine):
    ran = grader(pristine, "--help", site=WITHOUT_POSIX)
    assert ran.returncode == 0, ran.stderr
    assert b"check " in ran.stdout
    assert b"Not usable here ('fcntl' is missing):" in b" ".join(ran.stdout.split())
    ran = grader(pristine, "grade", "x", "--out", "y", site=WITHOUT_POSIX)
    assert ran.returncode == 2
    assert ran.stderr.startswith(b"error: grader grade needs 'fcntl'")
    assert b"Traceback" not in ran.stderr


def test_any_character_in_a_message_can_be_printed(unpacked):
    source = (unpacked.home / "rnn_layers.py").read_text()
    head = "def rnn_step_forward(x, prev_h, Wx, Wh, b):\n"
    assert head in source
    source = source.replace(head, f"{head}    raise ValueError('größer \\u2192 \\ud800')\n")
    (unpacked.home / "rnn_layers.py").write_text(source, encoding="utf-8")
    for encoding in ("ascii", "cp1252", "utf-8"):
        ran = grader(unpacked, "check", "q3.1", PYTHONIOENCODING=encoding)
        assert ran.returncode == 1, ran.stderr
        assert ran.stderr == b""
        assert b"failed (exception)" in ran.stdout


def test_a_module_with_windows_line_ends_and_a_byte_order_mark_is_read(unpacked):
    file = unpacked.home / "rnn_layers.py"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert unpacked.check("q3.1").status == 0


def test_a_path_with_spaces_and_letters_of_any_kind_is_no_obstacle(unpacked, tmp_path):
    home = tmp_path / "Übung 2, мой файл"
    shutil.copytree(unpacked.home, home)
    ran = unpacked.__class__(home, unpacked.wheel).check("q3.1", "q5.5")
    assert ran.status == 0, ran.out + ran.err


def test_where_nothing_is_installed_one_line_says_so(pristine):
    hidden = "import sys\nsys.modules['click'] = None\n"
    ran = grader(pristine, "check", site=hidden)
    assert ran.returncode == 2
    (line,) = ran.stderr.decode().splitlines()
    assert line.startswith("error: 'click' is not installed here: install the grader with pip")

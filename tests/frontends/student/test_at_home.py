"""``grader check`` in an unpacked bundle, with nothing of the repository in reach."""

from __future__ import annotations

import json
import resource
import shutil

import pytest

from tests.conftest import SUBMISSIONS
from tests.frontends.student.conftest import WITHOUT_POSIX, Unpacked

CPU_S = 4.0  # of both processes, for the first result; 0.7 s alone, 2.9 s on a crowded machine
HEAVY = ("torch", "matplotlib", "jinja2", "h5py", "pytest", "PIL", "lark", "grader.run.batch")
TELL_IMPORTS = """
import atexit, os, sys
def tell(folder=os.path.dirname(__file__), pid=os.getpid()):
    with open(os.path.join(folder, "imported"), "a") as file:
        file.write(sys.modules["grader"].__file__ + "\\n" if "grader" in sys.modules else "-\\n")
        file.writelines(f"{name}\\n" for name in sys.modules)
atexit.register(tell)
"""


def wrong(unpacked, example):
    for file in (SUBMISSIONS / "wrong" / example).glob("*.py"):
        shutil.copy(file, unpacked.home)


def test_a_right_answer_exits_0(unpacked):
    ran = unpacked.check("q3.1", "q5.2")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "passed  q3.1 rnn_step_forward  2 / 2",
        "passed  q5.2 temporal_fc_backward  2 / 2",
        "2 of 2 checks passed",
    ]


def test_a_known_mistake_is_named_and_exits_1(unpacked):
    wrong(unpacked, "fc_without_bias")
    ran = unpacked.check("Q5.1")
    assert ran.status == 1
    assert "these are exactly the values you get when the bias b is not added" in " ".join(
        ran.out.split()
    )
    assert "hint: The same w and b apply" in ran.out
    assert "0 of 1 checks passed" in ran.out


def test_it_needs_nothing_that_only_posix_has(unpacked):
    ids = ("q3.1", "q3.2", "q3.3", "q3.4", "q5.5")
    ran = unpacked.check(*ids, "q6.6", site=WITHOUT_POSIX)
    for check in ids:
        assert f"passed  {check}" in ran.out, ran.err
    assert (ran.status, ran.err) == (1, "")  # there are no predictions yet


def test_a_loop_without_end_is_ended_without_posix(unpacked):
    source = (unpacked.home / "rnn_layers.py").read_text()
    source = source.replace("    next_h = ", "    while True:\n        pass\n    next_h = ", 1)
    (unpacked.home / "rnn_layers.py").write_text(source)
    checks = json.loads((unpacked.home / "recorded" / "checks.json").read_text())
    for question in checks["questions"]:
        for check in question["checks"]:
            check["timeout_s"] = 1.0
    (unpacked.home / "recorded" / "checks.json").write_text(json.dumps(checks))
    ran = unpacked.check("q3.1", "q3.2", site=WITHOUT_POSIX)
    assert ran.status == 1
    told = " ".join(ran.out.split())
    # The backward function beside it is tested with the cache of a right one.
    assert told.count("did not finish within 1 s") == 1  # a busy machine blames the waiting


def test_a_statement_without_end_is_left_out_without_posix(unpacked):
    source = (unpacked.home / "rnn_layers.py").read_text()
    (unpacked.home / "rnn_layers.py").write_text(f"{source}\nwhile True:\n    pass\n")
    ran = unpacked.check("q3.1", site=WITHOUT_POSIX)
    assert ran.status == 0, ran.out
    assert "`while True:` took too long and was left out" in " ".join(ran.out.split())


def test_the_first_result_is_quick_and_loads_nothing_it_does_not_need(unpacked):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = unpacked.check("q3.1", site=TELL_IMPORTS)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.status == 0, ran.err
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < CPU_S
    imported = (unpacked.home.parent / "site" / "imported").read_text().splitlines()
    assert "grader.run.session" in imported
    assert not [name for name in HEAVY if name in imported]
    assert imported[0].startswith(str(unpacked.wheel))


def test_what_needs_the_instructor_is_named_and_cannot_be_run(unpacked):
    ran = unpacked.check("q5.6")
    assert ran.status == 2
    assert "q5.6: only your instructor's grader can run this check" in ran.err
    ran = unpacked.check("q5.1", "q5.6")
    assert ran.status == 0
    assert "only your instructor's grader can run q5.6" in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("q77",), "q77: no such question, check or folder"),
        (("q31",), "q31: no such question, check or folder; did you mean q3.1?"),
        (("3.2", "Q5-1"), "did you mean q3.2, q5.1?"),
        (("q3.1", "q99"), "q99: no such question, check or folder (questions: q1, q2, q3,"),
        (("--seed", "3"), "--seed: cannot be used with recorded checks"),
        (("--tier", "mini"), "--tier: cannot be used"),
    ],
)
def test_a_wrong_command_line_exits_2(arguments, words, pristine):
    ran = pristine.check(*arguments)
    assert ran.status == 2
    assert words in ran.err
    assert ran.out == ""


def test_a_module_in_place_of_a_folder_names_the_checks_of_its_functions(unpacked):
    ran = unpacked.check("rnn_layers.py")
    assert "passed  q3.1" in ran.out
    assert "passed  q5.5" not in ran.out  # of rnn.py
    ran = unpacked.check("./rnn_layers.py", "q5.5")
    assert ran.out.splitlines()[0].startswith("passed  q5.5")


def test_a_module_that_is_not_asked_for_is_refused_and_not_passed_over(unpacked):
    shutil.copy(unpacked.home / "rnn_layers.py", unpacked.home / "mine.py")
    for words in (["mine.py"], ["mine.py", "q3.1"], ["q3.1", "mine.py"]):
        ran = unpacked.check(*words)
        assert (ran.status, ran.out) == (2, "")
        assert "mine.py: the checks do not ask for this file; they ask for rnn" in ran.err
    assert unpacked.check("q3.1", "rnn_layers.py").status == 0


def test_in_an_empty_folder_of_the_homework_it_says_where_the_code_is(unpacked):
    below = unpacked.home / "plots" / "old"
    below.mkdir(parents=True)
    ran = Unpacked(below, unpacked.wheel).check("q3.1")
    assert ran.status == 1
    told = " ".join(ran.out.split())
    assert "note: the folder that was checked holds no code; for rnn_layers.py: cd ../.." in told
    assert "holds no code" not in unpacked.check("q3.1").out


def test_in_the_wrong_folder_it_names_the_homework_that_is_near(unpacked):
    beside = unpacked.home.parent / "downloads"
    beside.mkdir()
    above = Unpacked(unpacked.home.parent, unpacked.wheel).check("q3.1")
    assert (above.status, above.out) == (2, "")
    assert above.err.endswith("the homework in homework is near: cd homework\n")
    ran = Unpacked(beside, unpacked.wheel).check("q3.1")
    assert ran.err.endswith("the homework in homework is near: cd ../homework\n")
    far = beside / "new" / "folder"
    far.mkdir(parents=True)
    ran = Unpacked(far, unpacked.wheel).check()
    assert (
        "students: cd into the unpacked folder of the homework, the one with README.md" in ran.err
    )


def test_help_in_the_homework_lists_a_students_options_only(pristine):
    ran = pristine.grader("check", "--help")
    assert "--watch" in ran.out
    assert "--tier" not in ran.out


def test_the_template_has_nothing_right_and_every_check_says_so(pristine):
    ran = pristine.check("q3.1", "q3.2", "q6.6", "q5.9")
    assert ran.status == 1
    assert ran.out.count("failed (not_implemented)") == 2
    assert "blocked (not_implemented)  q3.2" in ran.out
    assert "failed (missing)  q6.6" in ran.out
    assert "0 of 4 checks passed" in ran.out


def test_the_examples_of_the_guide_are_no_answer(pristine):
    ran = pristine.check("q3.5", "q3.6")
    assert ran.status == 1
    assert "0 of 2 checks passed" in ran.out


def test_files_of_predictions_are_checked_for_their_form(unpacked):
    (unpacked.home / "predictions_q1.txt").write_text("1\n" * 400)
    (unpacked.home / "predictions_q2.txt").write_text("1\n" * 399)
    ran = unpacked.check("q6.6", "q6.7")
    assert "passed  q6.6" in ran.out
    assert "only the format counts" in ran.out
    assert "predictions_q2.txt has 399 lines, expected 400: 1 missing" in ran.out


def test_a_changed_or_missing_helper_is_noted(unpacked):
    (unpacked.home / "layers.py").write_text("# mine\n" + (unpacked.home / "layers.py").read_text())
    (unpacked.home / "optim.py").unlink()
    helper = unpacked.home / "style_utils.py"
    helper.write_bytes(helper.read_bytes().replace(b"\n", b"\r\n"))  # as Git on Windows does
    ran = unpacked.check("q5.1")
    told = " ".join(ran.out.split())
    assert "layers.py is supplied with the homework: your changes do not count" in told
    assert "optim.py is supplied with the homework but missing here" in told
    assert "style_utils.py" not in told


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"format": 1}', b"[" * 9999])
def test_a_damaged_list_of_checks_is_told_in_one_line(content, unpacked):
    file = unpacked.home / "recorded" / "checks.json"
    if content is None:
        file = unpacked.home / "recorded" / "q3.1.npz"
        content = b"PK not a zip"
    file.write_bytes(content)
    ran = unpacked.check("q3.1")
    assert ran.status in (2, 3)
    told = " ".join((ran.out + ran.err).split())
    assert "again" in told or "install the wheel that came with the homework" in told
    assert "Traceback" not in told


def test_a_missing_library_is_named_with_the_command_that_installs_it(unpacked):
    hide = """
import importlib.machinery, sys
found = importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = classmethod(
    lambda cls, name, *rest: None if name == "torch" else found(name, *rest))
"""
    ran = unpacked.check("q2.1", "q3.1", site=hide)
    assert ran.status == 3
    assert "passed  q3.1" in ran.out
    assert "torch is not installed here: python -m pip install torch" in " ".join(ran.out.split())


def test_a_missing_module_is_told_with_the_file_that_may_be_meant(unpacked):
    (unpacked.home / "rnn_layers.py").rename(unpacked.home / "rnn_layers_final.py")
    (unpacked.home / "mine.ipynb").write_text("{}")
    ran = unpacked.check("q3.1", "q3.2")
    assert ran.status == 1
    assert ran.out.count("rnn_layers.py is not in this folder (it holds ") == 1
    assert "the same as in q3.1" in ran.out
    told = " ".join(ran.out.split())
    assert "did you mean rnn_layers_final.py? Rename it to rnn_layers.py" in told
    assert "note: mine.ipynb is not a notebook: it holds no cells" in told


def test_it_works_in_a_folder_below_and_from_elsewhere(unpacked, tmp_path):
    below = unpacked.home / "mine"
    below.mkdir()
    shutil.copy(unpacked.home / "rnn_layers.py", below)
    assert unpacked.check("mine", "q3.1").status == 0
    ran = unpacked.check("no/such/folder")
    assert (ran.status, "no such folder" in ran.err) == (2, True)

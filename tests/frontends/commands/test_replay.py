"""``grader replay``: the numbers of a report once more, and the case as files."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from grader.assignment import secret
from tests.conftest import ROOT, handed_in

RUBRIC = ("--rubric", ROOT / "rubric.yaml")
NUMBERS = re.compile(r"got (\S+), expected (\S+)")
# Right in every number, but the case's inputs are not what they were afterwards.
IN_PLACE = """\
x += 1
x -= 1
prev_h *= 0
next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
return next_h, (x, prev_h, Wx, Wh, next_h)
"""


@pytest.fixture
def graded(run_cli, tmp_path, monkeypatch):
    """Grade a folder with a secret seed; return the report's folder and the options for it."""
    monkeypatch.delenv("GRADER_SEED", raising=False)
    file = tmp_path / "hw.seed"
    secret.read_or_make("dl-hw2", file)

    def run(folder, *checks):
        only = [word for check in checks for word in ("--only", check)]
        out = tmp_path / "out"
        ran = run_cli("grade", folder, "--out", out, *RUBRIC, "--seed-file", file, *only)
        assert ran.status == 0, ran.err
        return out / folder.name, (*RUBRIC, "--seed-file", file)

    return run


def message(folder, check):
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    found = [c for question in report["questions"] for c in question["checks"] if c["id"] == check]
    return found[0]["message"]


def script(folder, *arguments):
    ran = subprocess.run(
        [sys.executable, folder / "replay.py", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.stdout + ran.stderr


def test_a_program_that_works_in_place_gives_the_numbers_of_its_report(
    submission, graded, run_cli, tmp_path
):
    folder, options = graded(submission(rnn_step_forward=IN_PLACE), "q3.1")
    ran = run_cli("replay", folder, "q3.1", "--out", tmp_path / "again", *options)
    assert ran.status == 0, ran.err
    assert "The report says the same." in ran.out
    shown = NUMBERS.findall(ran.out)
    assert shown[0] == NUMBERS.search(message(folder, "q3.1")).groups()
    # The script knows nothing of the grader, and the inputs are as they were before the call.
    printed = NUMBERS.findall(script(tmp_path / "again"))
    assert printed == [shown[1]]
    assert all(len(number) > 10 for number in printed[0])


def test_what_is_judged_as_a_whole_is_printed_as_a_whole(graded, run_cli, tmp_path):
    folder, options = graded(handed_in("wrong/sample_feeds_null", tmp_path), "q5.6")
    ran = run_cli("replay", folder, "q5.6", "--out", tmp_path / "again", *options)
    assert "The report says the same." in ran.out
    with np.load(tmp_path / "again" / "values.npz") as values:
        arrays = {name: values[name] for name in values}
    assert set(arrays) == {"expected.captions", "given.captions"}
    assert (arrays["expected.captions"] != arrays["given.captions"]).any()
    printed = script(tmp_path / "again")
    for array in arrays.values():
        assert str(array) in printed


def test_the_script_says_how_many_values_are_no_numbers(submission, graded, run_cli, tmp_path):
    folder, options = graded(submission(rnn_step_forward="return x @ Wx * np.nan, 0"), "q3.1")
    run_cli("replay", folder, "q3.1", "--out", tmp_path / "again", *options)
    assert script(tmp_path / "again") == "next_h: 15 of 15 are NaN or infinite\n"


def test_the_script_runs_a_corrected_version(submission, graded, run_cli, tmp_path):
    folder, options = graded(submission(rnn_step_forward=IN_PLACE), "q3.1")
    run_cli("replay", folder, "q3.1", "--case", 2, "--out", tmp_path / "again", *options)
    right = handed_in("full_marks/plain", tmp_path)
    got, expected = map(float, NUMBERS.search(script(tmp_path / "again", right)).groups())
    assert got == pytest.approx(expected, rel=1e-12)


def test_an_exception_comes_again(submission, graded, run_cli, tmp_path):
    wrong = submission(rnn_step_forward="raise ValueError('no ' + str(x.shape))")
    folder, options = graded(wrong, "q3.1")
    ran = run_cli("replay", folder, "q3.1", "--out", tmp_path / "again", *options)
    assert ran.status == 0, ran.err
    assert "ValueError: no (3, 4)" in script(tmp_path / "again")


@pytest.mark.slow
def test_the_script_says_that_a_call_does_not_end(submission, graded, run_cli, tmp_path):
    folder, options = graded(submission(rnn_step_forward="while True: pass"), "q3.1")
    ran = run_cli("replay", folder, "q3.1", "--out", tmp_path / "again", *options)
    assert "did not finish within" in ran.out
    written = (tmp_path / "again" / "replay.py").read_text(encoding="utf-8")
    before, _call, _after = written.partition("student.rnn_step_forward(")
    assert "print('The next call did not end in time. Stop it with Ctrl-C.'" in before


def test_what_has_changed_since_is_named(submission, graded, run_cli):
    handed = submission(rnn_step_forward=IN_PLACE)
    folder, options = graded(handed, "q3.1")
    module = handed / "rnn_layers.py"
    module.write_text(module.read_text().replace("prev_h *= 0", "prev_h *= 2"))
    ran = run_cli("replay", folder, "q3.1", *options)
    assert ran.status == 1
    assert "is not what was graded" in ran.err
    assert "The report says something else: failed, 0 points: case N=3" in ran.out
    report = folder / "report.json"
    text = report.read_text(encoding="utf-8")
    report.write_text(re.sub(r'("basis": ")[0-9a-f]{32}', r"\g<1>" + "0" * 32, text))
    assert (
        "have changed: the numbers may be others" in run_cli("replay", folder, "q3.1", *options).err
    )


@pytest.mark.slow
def test_what_cannot_be_replayed_is_refused(submission, graded, run_cli, tmp_path):
    folder, options = graded(submission(), "q3.1")
    for arguments, words in (
        ((folder, "q9.9"), "q9.9: the report has no such check (it has q3.1)"),
        ((folder, "q3.1", "--case", 9), "--case 9: q3.1 has the cases 1 to 6"),
        ((folder, "q3.1", "--out", tmp_path / "a"), "nothing was written: q3.1 (forward, passed)"),
        ((tmp_path / "none", "q3.1"), "none: cannot be read"),
        ((folder, "q3.1", "--submission", tmp_path / "none"), "none: no such file or folder"),
    ):
        ran = run_cli("replay", *arguments, *options)
        assert ran.status == 2
        assert words in ran.err
    other = tmp_path / "other.seed"
    secret.read_or_make("dl-hw2", other)
    ran = run_cli("replay", folder, "q3.1", *RUBRIC, "--seed-file", other)
    assert ran.status == 2
    assert "the report was made with" in ran.err
    assert not list(tmp_path.glob("none.seed"))
    ran = run_cli("replay", folder, "q3.1", *RUBRIC, "--seed-file", tmp_path / "none.seed")
    assert ran.status == 2
    assert not list(tmp_path.glob("none.seed"))  # a new secret gives other numbers


def test_the_page_shows_the_line_to_copy(submission, graded):
    folder, _options = graded(submission(rnn_step_forward=IN_PLACE), "q3.1", "q3.3")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert re.findall("grader replay .*(?=</pre>)", page) == ["grader replay out/handed_in q3.1"]

"""``grader replay`` in an unpacked bundle: the recorded case, both numbers, and a script."""

import re
import subprocess
import sys

import pytest

from tests.frontends.student.conftest import WITHOUT_POSIX
from tests.frontends.student.test_at_home import HEAVY, wrong
from tests.frontends.student.test_contents import NOT_AT_HOME

NUMBERS = re.compile(r"got (\S+), expected (\S+)")
WITHOUT_HEAVY = NOT_AT_HOME.format(absent={name for name in HEAVY if "." not in name} - {"lark"})


@pytest.mark.parametrize("site", ["", WITHOUT_POSIX, WITHOUT_HEAVY], ids=["", "posix", "plain"])
def test_the_recorded_case_and_both_numbers_are_shown(unpacked, site):
    wrong(unpacked, "fc_without_bias")
    ran = unpacked.grader("replay", ".", "q5.1", site=site)
    assert (ran.status, ran.err) == (1, "")
    first, case, *rest = ran.out.splitlines()
    assert first == "q5.1 temporal_fc_forward: failed, 0 of 1 points"
    assert re.fullmatch(r"case 1 of \d+, N=.*", case)
    text = " ".join(" ".join(rest).split())
    assert "when the bias b is not added" in text
    (got, expected) = [float(n) for n in NUMBERS.findall(text)[-1]]
    assert got != expected
    assert "the report" not in ran.out.lower()


def test_another_case_is_written_with_a_script_that_prints_the_same_numbers(unpacked):
    wrong(unpacked, "fc_without_bias")
    ran = unpacked.grader("replay", ".", "Q5.1", "--case", "2", "--out", "case")
    assert ran.status == 1, ran.err
    assert "case 2 of" in ran.out
    folder = unpacked.home / "case"
    assert {path.name for path in folder.iterdir()} >= {"inputs.npz", "values.npz", "replay.py"}
    alone = subprocess.run(
        [sys.executable, "-I", "replay.py"], cwd=folder, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    printed = NUMBERS.search(alone.stdout)
    assert printed is not None, alone.stderr
    shown = NUMBERS.findall(" ".join(ran.out.split()))[-1]
    assert [float(n) for n in printed.groups()] == [float(n) for n in shown]
    # What was written is a copy and no work of the student's: it is not found in the place of it.
    (unpacked.home / "rnn_layers.py").unlink()
    ran = unpacked.check("q5.1")
    assert "rnn_layers.py" in ran.out
    assert "case/submission" not in ran.out
    assert ran.status == 1


def test_a_right_function_has_nothing_to_show(unpacked):
    ran = unpacked.grader("replay", ".", "q5.1")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == "q5.1 temporal_fc_forward: passed, 1 of 1 points\n"
    ran = unpacked.grader("replay", ".", "q5.1", "--case", "1")
    assert "case 1 of" in ran.out
    assert "everything is right" in ran.out
    ran = unpacked.grader("replay", ".", "q5.1", "--case", "99")
    assert ran.status == 2
    assert "--case 99: q5.1 has the cases 1 to" in ran.err


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("q9", "q9"),
        ("q5", "q5: name one check, such as q5.1"),
        ("q1.3", "only your instructor's grader can run this check"),
    ],
)
def test_what_cannot_be_replayed_is_one_message(unpacked, check, said):
    ran = unpacked.grader("replay", ".", check)
    assert ran.status == 2
    assert said in " ".join(ran.err.split())
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("option", [("--seed-file", "seed"), ("--data", "."), ("--unsafe",)])
def test_options_of_reports_are_refused(unpacked, option):
    ran = unpacked.grader("replay", ".", "q5.1", *option)
    said = f"error: {option[0]}: cannot be used with recorded checks\n"
    assert (ran.status, ran.err) == (2, said)

"""What the rubric's ``rebuild`` and ``counterfactual`` make of a check."""

from textwrap import dedent

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError
from tests.checks.test_judged import FILES, JUDGE, RIGHT
from tests.checks.toy import judged, make

REBUILD = f"{JUDGE}        rebuild: {{network: network.threshold, finding: plain}}\n"
COUNTERFACTUAL = f"{JUDGE}        counterfactual: changes.mirrored\n"
MORE = {
    "reference/judges/network.py": """
        from grader.author import Rebuilt

        def threshold(result, inputs):
            verdict = result.get("verdict", "wanted")
            names = {"wanted": "a threshold", "other": "a constant", "sibling": "a line"}
            names["doubtful"] = "a step"
            network = names.get(verdict, "")
            verdict = "unknown" if verdict == "doubtful" else verdict
            return Rebuilt(verdict, network, "" if verdict == "wanted" else "x = 1 shows it")
        """,
    "reference/datasets/changes.py": """
        def mirrored(inputs, withheld, rng):
            return {"x": -inputs["x"]}, {name: 1 - v for name, v in withheld.items()}
        """,
}


def path(folder, check, **changed):
    made = make(folder, check)
    for name, text in {**FILES, **MORE, **changed}.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(dedent(text))
    return made


def of(rubric, returned, fork_servers):
    """Judge a student's function that returns this."""
    files = {"toy.py": f"def classify(x):\n    return {returned}\n"}
    return judged(rubric, files, fork_servers)["q1.1"]


def with_verdict(verdict, count=2):
    return f"{RIGHT[:-2]}{count}, 'verdict': '{verdict}'}}"


@pytest.mark.parametrize(
    ("returned", "outcome", "points", "words"),
    [
        (with_verdict("wanted"), "passed", 4, ""),
        (with_verdict("other"), "partial", 2, "x = 1 shows it"),
        (with_verdict("sibling"), "failed", 0, "x = 1 shows it"),
        (with_verdict("sibling", 3), "failed", 0, "x = 1 shows it"),
        (with_verdict("foreign"), "failed", 0, "x = 1 shows it"),
        (with_verdict("unknown"), "pending", 2, "could not be rebuilt"),
        # What was rebuilt, but may be something else for all that is known.
        (with_verdict("doubtful"), "pending", 2, "plain: a person must look (x = 1 shows it)"),
        # What the judge has found stays, and the network's name is added.
        (with_verdict("other", 3), "partial", 2, "2 are asked for; x = 1 shows it"),
        (with_verdict("wanted", 3), "partial", 2, "3 parameters"),
        (with_verdict("unknown", 3), "partial", 2, "3 parameters"),
    ],
)
def test_each_verdict(tmp_path, fork_servers, returned, outcome, points, words):
    result = of(path(tmp_path, REBUILD), returned, fork_servers)
    assert (result.outcome, result.points) == (outcome, points)
    assert words in result.message
    network = {"wanted": "a threshold", "other": "a constant", "sibling": "a line"}
    network["doubtful"] = "a step"
    for verdict, name in network.items():
        assert (result.measurements.get("network") == name) == (f"'{verdict}'" in returned)


def test_nothing_is_rebuilt_for_an_untrained_model(tmp_path, fork_servers):
    returned = with_verdict("unknown").replace("(x > 0)", "(-x > 0)")
    result = of(path(tmp_path, REBUILD), returned, fork_servers)
    assert (result.outcome, result.points) == ("failed", 0)


def test_a_verdict_of_a_made_up_result_costs_the_finding(tmp_path, fork_servers):
    broken = """
        from grader.author import Rebuilt

        def threshold(result, inputs):
            return Rebuilt("wanted", str(result["count"] + 0) + result.get("more", ""))
        """
    made = path(tmp_path, REBUILD, **{"reference/judges/network.py": broken})
    assert of(made, RIGHT, fork_servers).points == 4
    result = of(made, RIGHT[:-1] + ", 'more': 3}", fork_servers)
    assert (result.outcome, result.points) == ("partial", 2)
    assert "cannot be read" in result.message


def test_a_rebuilding_that_fails_on_the_reference_is_our_fault(tmp_path, fork_servers):
    broken = "def threshold(result, inputs):\n    return result['nothing']\n"
    made = path(tmp_path, REBUILD, **{"reference/judges/network.py": broken})
    assert of(made, RIGHT, fork_servers).outcome == "broken"


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (
            REBUILD.replace("finding: plain", "finding: shape"),
            "'shape' is not one of the properties",
        ),
        (REBUILD.replace("network.threshold", "network.treshold"), "did you mean 'threshold'?"),
        (COUNTERFACTUAL.replace("mirrored", "mirored"), "did you mean 'mirrored'?"),
        (COUNTERFACTUAL.replace("changes.", "change."), "no file datasets/change.py"),
    ],
)
def test_wrong_keys_are_problems_of_the_rubric(tmp_path, check, words):
    with pytest.raises(RubricError, match=r"q1\.1") as caught:
        load_rubric(path(tmp_path, check), KINDS)
    assert words in str(caught.value)


def test_counterfactual_data_are_for_student_code_and_judge_alike(tmp_path, fork_servers):
    made = path(tmp_path, COUNTERFACTUAL)
    assert of(made, RIGHT, fork_servers).points == 4
    # It knows the labels of the data as they were.
    old = RIGHT.replace("(x > 0)", "(-x > 0)")
    assert of(made, old, fork_servers).points == 0


def test_a_counterfactual_that_raises_is_our_fault(tmp_path, fork_servers):
    broken = "def mirrored(inputs, withheld, rng):\n    raise ValueError('no')\n"
    made = path(tmp_path, COUNTERFACTUAL, **{"reference/datasets/changes.py": broken})
    result = of(made, RIGHT, fork_servers)
    assert result.outcome == "broken"
    assert "changes.mirrored raised ValueError: no" in result.message

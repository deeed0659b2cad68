"""A judge with findings alone beside a metric from predictions, and its older form, facts."""

import re
from textwrap import dedent

import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.errors import RubricError
from tests.checks.toy import judged, make

CHECK = """
      - id: q1.1
        title: classify
        points: 4
        kind: training
        function: classify
        driver: signs.classify
        dataset: signs
        tiers:
          mini: {zero_at: 0.5, full_at: 0.9}
          full: {zero_at: 0.5, full_at: 0.9}
"""
JUDGE = f"""{CHECK}        judge: signs.plain
        labels: truth
        properties: {{plain: 0.5}}
"""
FACTS = f"{CHECK}        facts: signs.plain\n        facts_share: 0.5\n"
FILES = {
    "reference/toy.py": """
        def classify(x):
            return {"predictions": (x > 0).astype(int), "count": 2}
        """,
    "reference/drivers/signs.py": """
        def classify(student, *, x, seed, device):
            return student.classify(x)
        """,
    "reference/datasets/signs.py": """
        import numpy as np

        def load(tier, data, seed):
            x = np.random.default_rng(seed).normal(size=40)
            labels = (x > 0).astype(int)
            return {"inputs": {"x": x}, "withheld": {"truth": labels, "labels": labels}}
        """,
    "reference/judges/signs.py": """
        from grader.author import Evidence, Finding

        def plain(result, inputs, withheld):
            count = result["count"]
            text = f"{count:d} parameters, 2 are asked for"
            return Evidence({"count": count}, [Finding("plain", float(count == 2), text)])
        """,
    "reference/facts/signs.py": """
        def plain(result, inputs):
            if result["count"] != 2:
                yield f"{result['count']:d} parameters, 2 are asked for"
        """,
}
BOTH = pytest.mark.parametrize("check", [JUDGE, FACTS], ids=["judge", "facts"])
RIGHT = "{'predictions': (x > 0).astype(int), 'count': 2}"


def path(folder, check):
    made = make(folder, check)
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(dedent(text))
    return made


@BOTH
@pytest.mark.parametrize(
    ("returned", "points", "reason", "words"),
    [
        (RIGHT, 4, None, ""),
        (RIGHT.replace("2}", "3}"), 2, "mismatch", "3 parameters, 2 are asked for"),
        # The metric can be had: what the judge cannot read costs its findings alone.
        (RIGHT.replace("2}", "'two'}"), 2, "mismatch", "cannot be read: ValueError"),
        (RIGHT.replace(", 'count': 2", ""), 2, "mismatch", "cannot be read: KeyError: 'count'"),
        # Not trained, the structure earns nothing, whatever it is.
        (RIGHT.replace(">", "<"), 0, "below_threshold", "accuracy 0.0000 on withheld data"),
        (RIGHT.replace("'predictions'", "'guesses'"), 0, "wrong_dtype", "gave no predictions"),
        ("7", 0, "wrong_dtype", "gave no readable result"),
    ],
)
def test_the_metric_and_the_findings_have_their_shares(
    check, returned, points, reason, words, tmp_path, fork_servers
):
    text = f"def classify(x):\n    return {returned}\n"
    (result,) = judged(path(tmp_path, check), {"toy.py": text}, fork_servers).values()
    assert (result.points, result.reason) == (points, reason)
    assert words in result.message


@BOTH
def test_an_untrained_model_of_a_wrong_structure_learns_of_both(check, tmp_path, fork_servers):
    text = f"def classify(x):\n    return {RIGHT.replace('2}', '3}').replace('>', '<')}\n"
    (result,) = judged(path(tmp_path, check), {"toy.py": text}, fork_servers).values()
    assert result.points == 0
    assert "accuracy 0.0000" in result.message
    assert "3 parameters, 2 are asked for" in result.message


@BOTH
def test_a_judge_that_fails_on_the_reference_is_our_fault(check, tmp_path, fork_servers):
    rubric = path(tmp_path, check)
    for folder in ("judges", "facts"):
        file = tmp_path / "reference" / folder / "signs.py"
        file.write_text(file.read_text().replace('["count"]', '["counts"]'))
    text = f"def classify(x):\n    return {RIGHT}\n"
    (result,) = judged(rubric, {"toy.py": text}, fork_servers).values()
    assert result.outcome == "broken"
    assert "fails on the reference: KeyError: 'counts'" in result.message


def test_labels_that_the_data_set_does_not_withhold_are_our_fault(tmp_path, fork_servers):
    check = JUDGE.replace("labels: truth", "labels: truths")
    text = f"def classify(x):\n    return {RIGHT}\n"
    (result,) = judged(path(tmp_path, check), {"toy.py": text}, fork_servers).values()
    assert result.outcome == "broken"
    assert result.message == "the data set 'signs' withholds no 'truths'"


def test_a_judge_that_measures_the_metric_itself_is_believed(tmp_path, fork_servers):
    """Without ``labels`` the predictions in a result count for nothing."""
    check = JUDGE.replace("        labels: truth\n", "")
    text = f"def classify(x):\n    return {RIGHT}\n"
    (result,) = judged(path(tmp_path, check), {"toy.py": text}, fork_servers).values()
    assert (result.outcome, result.message) == (
        "broken",
        "the judge signs.plain measures no accuracy",
    )


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (JUDGE.replace("signs.plain", "signs.plane"), "judges/signs.py has no function 'plane'"),
        (
            FACTS.replace("signs.plain", "signs.plane"),
            "facts: facts/signs.py has no function 'plane'",
        ),
        (JUDGE + "        facts: signs.plain\n", "facts: use the judge's properties instead"),
        (JUDGE + "        metric: bleu\n", "metric: 'bleu' is unknown (known: accuracy)"),
        (CHECK + "        properties: {plain: 0.5}\n", "properties need a judge"),
    ],
)
def test_what_cannot_be_judged_is_a_problem_of_the_rubric(check, words, tmp_path):
    with pytest.raises(RubricError, match=re.escape(words)):
        load_rubric(path(tmp_path, check), KINDS)

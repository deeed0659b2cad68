"""Which number of a report calibration is about: of each kind of check, on the shipped rubric."""

import pytest

from grader.calibration.kept_runs import MeasuredRun, metric_of, values_of
from grader.calibration.measuring import calibrated, is_of_training, told_apart
from grader.reports.report import CheckReport


@pytest.fixture
def specs(rubric):
    return {c.id: c for question in rubric.questions for c in question.checks}


def reported(spec, **measurements):
    """Return what a report says of a check that was passed."""
    return CheckReport(
        id=spec.id, title=spec.title, outcome="passed", points=1.0, max_points=1.0,
        message="", kind=spec.kind, visibility="visible", duration_s=0.0, parts=(), reason=None,
        extra_credit=False, hint="", notes=(), seed=1, figures=(), output="",
        measurements=measurements,
    )  # fmt: skip


def test_images_are_calibrated_by_the_worst_of_them(specs):
    spec = specs["q2.5"]
    assert (spec.kind, metric_of(spec)) == ("image", "loss_ratio")
    found = reported(spec, loss_ratio={"tree": 0.95, "boat": 1.11})
    assert values_of(spec, found) == {"loss_ratio": 1.11}
    assert values_of(spec, reported(spec, loss_ratio={})) == {}


def test_training_is_calibrated_by_its_first_seed(specs):
    spec = specs["q1.3"]
    assert metric_of(spec) == "accuracy"
    assert values_of(spec, reported(spec, accuracy=0.93)) == {"accuracy": 0.93}
    # A near miss was repeated: the median is what counts for points, the first is what was drawn.
    found = reported(spec, accuracy=0.93, by_seed=[0.89, 0.93, 0.94])
    assert values_of(spec, found) == {"accuracy": 0.89}
    assert values_of(spec, reported(spec)) == {}


def test_every_check_with_thresholds_is_one_of_training(rubric, specs):
    found = calibrated(rubric)
    with_tiers = {name for name, spec in specs.items() if hasattr(spec, "tiers")}
    assert {name for name, spec in found.items() if is_of_training(spec)} == with_tiers
    assert with_tiers >= {"q1.3", "q2.5", "q6.1"}


def test_a_wrong_program_that_earns_everything_counts_where_a_metric_is_compared(specs):
    def run(check, role, earned):
        return MeasuredRun(check, f"{role}/program", role, 1, "mini", "stamp", earned, {"y": 0.9})

    runs = [run(c, r, e) for c in ("q3.1", "q6.1") for r, e in (("right", 1), ("wrong", 1))]
    runs.append(run("q3.1", "wrong", 0.5))
    left = [(one.check, one.role, one.earned) for one in told_apart(runs, specs)]
    # Without it, a wrong program would seem to reach full points less often than it does.
    assert ("q6.1", "wrong", 1) in left
    assert ("q3.1", "wrong", 1) not in left
    assert len(left) == 4

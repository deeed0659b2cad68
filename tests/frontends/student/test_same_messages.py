"""At home a student reads what the full grader would say, for the same public cases."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from grader.assignment.reference import Assignment
from grader.checks.measured import RELATIVE, SHARE
from grader.frontends.student.look import HomeJob, chosen
from grader.frontends.student.record import public_seed
from grader.frontends.student.replay import load
from grader.job import Settings
from grader.run.session import Session
from tests.conftest import handed_in

LAYERS = [f"q{q}.{c}" for q in (3, 4, 5) for c in (1, 2, 3, 4)]
EXAMPLES = [
    ("rnn_step_without_bias", LAYERS),
    ("rnn_last_step_only", LAYERS),
    ("rnn_backward_forgets_time_order", LAYERS),
    ("tanh_derivative_of_wrong_array", LAYERS),
    # q4.2 is right for its own forward, which follow-through knows as a mistake.
    ("lstm_gates_in_torch_order", [name for name in LAYERS if name != "q4.2"]),
    # q4.2 and q4.4 read a cache that only the full grader knows by its names.
    ("lstm_step_without_bias", [name for name in LAYERS if name not in ("q4.2", "q4.4")]),
    ("lstm_carry_cell_gradient_forgotten", LAYERS),
    ("lstm_backward_drops_dnext_h", LAYERS),
    ("lstm_hidden_size_is_float", LAYERS),
    ("fc_backward_db_over_batch_only", LAYERS),
    ("softmax_divides_by_mask_count", LAYERS),
    ("softmax_ignores_mask_in_dx", LAYERS),
    ("raises_for_one_sequence", LAYERS),
    ("forbidden_autograd", LAYERS),
    ("missing_package", LAYERS),
    ("caption_not_transposed", ["q5.5"]),
    ("gram_never_divided", ["q2.2"]),
    ("tv_detached", ["q2.4"]),
    ("derivation_sum_missing", ["q3.5", "q3.6"]),
]


class WithoutFollowThrough(Assignment):
    """The reference, without what turns a student's own functions into credit for others."""

    can_answer = False

    def caches(self, module, function):
        del module, function

    def intermediates(self, module, function):
        del module, function


@pytest.fixture(scope="session")
def as_graded(rubric, fork_servers):
    """Judge as the full grader does, with the seed of the bundle."""
    settings = Settings(seed=public_seed(rubric.assignment))

    def run(folder, ids, kind):
        staged = fork_servers.stage("handed_in", folder, rubric)
        session = Session(rubric, kind(rubric.reference), staged, fork_servers, settings)
        for question, check in chosen(rubric, ids):
            session.run(question, check)
        fork_servers.unstage()
        return session.results

    return run


@pytest.fixture(scope="session")
def at_home(pristine, tmp_path_factory):
    """Judge as a student's machine does, in a copy of the bundle."""

    def run(folder, ids):
        home = tmp_path_factory.mktemp("home") / "homework"
        shutil.copytree(pristine.home, home)
        for file in folder.iterdir():
            if file.is_file():
                shutil.copy(file, home)
        bundle = load(home)
        rubric = bundle.rubric(ids)
        settings = Settings(isolation="none", locked=False)
        job = HomeJob(rubric, bundle.assignment(rubric), home, chosen(rubric, ids), settings)
        return {result.spec.id: result for result in job.run(job.checks)}

    return run


def told(result):
    """What a student is told, without times, and without keys that a bundle leaves out."""
    measured = {k: v for k, v in result.measurements.items() if k not in (RELATIVE, SHARE)}
    return replace(result, spec=None, duration_s=0.0, output="", measurements=measured)


@pytest.mark.parametrize(("example", "ids"), EXAMPLES, ids=[name for name, _ids in EXAMPLES])
def test_messages_are_the_same_apart_from_follow_through(
    example, ids, as_graded, at_home, tmp_path
):
    folder = handed_in(f"wrong/{example}", tmp_path)
    expected = as_graded(folder, ids, WithoutFollowThrough)
    # Every check starts a process at home: of those that pass, one is enough.
    wrong = [check for check in ids if expected[check].outcome != "passed"]
    right = [check for check in ids if expected[check].outcome == "passed"][:1]
    found = at_home(folder, [*wrong, *right])
    assert wrong or example == "missing_package"
    for check in [*wrong, *right]:
        assert told(found[check]) == told(expected[check]), check


def test_follow_through_only_ever_adds_points(as_graded, at_home, tmp_path):
    folder = handed_in("wrong/rnn_step_without_bias", tmp_path)
    ids = ["q3.1", "q3.2", "q3.3", "q3.4"]
    graded, found = as_graded(folder, ids, Assignment), at_home(folder, ids)
    assert found["q3.1"].message == graded["q3.1"].message
    gained = {check: graded[check].points - found[check].points for check in ids}
    assert gained["q3.1"] == 0
    assert all(points >= 0 for points in gained.values())
    assert sum(gained.values()) > 0


def test_a_gradient_of_ones_own_wrong_forward_is_found_by_central_differences(at_home, submission):
    folder = submission(
        temporal_fc_forward="return 2 * (x @ w + b), (x, w)",
        temporal_fc_backward=(
            "x, w = cache\nd = 2 * dout\n"
            "return d @ w.T, np.einsum('ntd,ntm->dm', x, d), d.sum(axis=(0, 1))"
        ),
    )
    found = at_home(folder, ["q5.2"])["q5.2"]
    assert found.outcome == "partial"
    assert "the right gradient of your own temporal_fc_forward, which is wrong" in found.message

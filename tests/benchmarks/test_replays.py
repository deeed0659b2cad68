"""Of the wrong examples, one of each way in which a value can be wrong is replayed to the digit.

``make validity`` replays all of them (``benchmarks/replays.py``).
"""

import importlib.util

import pytest

from grader.assignment.examples import load_examples, matching
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def replays():
    spec = importlib.util.spec_from_file_location("replays", ROOT / "benchmarks" / "replays.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "checks"),
    [
        ("wrong/fc_backward_db_over_batch_only", ["q5.2"]),  # a gradient
        ("wrong/lstm_gates_in_torch_order", ["q4.1", "q4.2"]),  # beside a forward put right
        ("wrong/softmax_without_max", ["q5.3"]),  # not finite
        ("wrong/batch_axis_dropped", ["q3.1"]),  # another shape
        ("wrong/caption_loss_shifted_wrong", ["q5.5"]),  # a driver
    ],
)
def test_the_numbers_of_a_report_come_again(name, checks, replays, rubric, fork_servers):
    (example,) = matching(load_examples(rubric), [name])
    found = dict(replays.replays(rubric, fork_servers, example))
    assert found == dict.fromkeys(checks)

"""What a worker may answer is bounded by what the check expects, before anything of it is read."""

from __future__ import annotations

import numpy as np
import pytest

from grader.assignment.reference import SolvedCase
from grader.checks import replies
from grader.isolation.wire import TooMuchAnnouncedError, parse_header
from grader.job import Settings
from tests.checks.toy import judged, make

CHECK = """
      - id: q1.1
        title: train
        points: 4
        kind: property
        function: train
        driver: toy.train
        dataset: toy
        judge: toy.look
        properties: {half: 0.5, device: 0.5}
        reply_kb: 64
"""
LARGE = """
import numpy as np

def train(x):
    return np.resize(2 * x, {count}).astype(np.int8)
"""


def case(**sizes: int) -> SolvedCase:
    groups = {name: {"a": np.zeros(size)} for name, size in sizes.items()}
    return SolvedCase("a", "a", groups.pop("arguments", {}), groups.pop("expected", {}), **groups)


def test_small_cases_leave_a_megabyte():
    assert replies.bytes_for([case(expected=3)]) == 1024 * 1024


def test_the_largest_case_counts_with_all_that_goes_in_and_out():
    cases = [case(expected=10), case(arguments=20_000, expected=10_000, forward=5000)]
    assert replies.bytes_for(cases) == 16 * 8 * 35_000


def test_the_announced_size_alone_is_refused():
    header = b'{"body": null, "buffers": [1000, 25]}'
    with pytest.raises(TooMuchAnnouncedError) as refused:
        parse_header(header, 1024)
    assert refused.value.most == 1024
    assert parse_header(header, 1025).buffer_sizes == (1000, 25)


def test_a_driven_check_has_the_limit_of_its_rubric(tmp_path, fork_servers):
    path = make(tmp_path, CHECK)
    found = judged(path, {"toy.py": LARGE.format(count=4)}, fork_servers)["q1.1"]
    assert found.outcome == "passed"
    found = judged(path, {"toy.py": LARGE.format(count=65_537)}, fork_servers)["q1.1"]
    assert (found.outcome, found.reason) == ("failed", "output_limit")
    assert "returned more than 65536 bytes of arrays and texts" in found.message


def test_a_function_may_not_return_megabytes_for_a_few_numbers(tmp_path, fork_servers):
    check = CHECK.replace("reply_kb: 64", "").replace("property", "values")
    check = check[: check.index("        dataset")].replace("toy.train", "toy.line")
    check = check.replace("function: train", "function: Line\n        cases: line")
    path = make(tmp_path, f"{check}        outputs: {{value: 0.5, slope: 0.5}}\n"
                "        shares: {values: 0.5, edge_cases: 0.5}\n")  # fmt: skip
    code = "import numpy as np\n\nclass Line:\n    def __init__(self, slope):\n"
    code += "        self.slope = slope\n\n    def value(self, x):\n        return "
    right = judged(path, {"toy.py": f"{code}self.slope * x\n"}, fork_servers)["q1.1"]
    assert right.outcome == "passed"
    found = judged(path, {"toy.py": f"{code}np.zeros(131_073)\n"}, fork_servers)["q1.1"]
    assert (found.outcome, found.reason) == ("failed", "output_limit")
    assert "returned more than 1048576 bytes" in found.message
    wrong = judged(path, {"toy.py": f"{code}np.zeros(131_000)\n"}, fork_servers)["q1.1"]
    assert wrong.reason == "wrong_shape"


def test_tiers_may_have_limits_of_their_own(tmp_path, fork_servers):
    check = CHECK.replace("reply_kb: 64", "reply_kb: {mini: 1, full: 64}")
    path = make(tmp_path, check)
    code = {"toy.py": LARGE.format(count=1025)}
    found = judged(path, code, fork_servers)["q1.1"]
    assert "returned more than 1024 bytes" in found.message
    found = judged(path, code, fork_servers, Settings(tier="full"))["q1.1"]
    assert found.reason != "output_limit"

"""Time and memory of a container, and what becomes of checks they do not suffice for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.errors import Pending, UsageError
from grader.frontends.gradescope import budget, memory
from grader.frontends.gradescope.budget import LEAST_TRY_S, TimeBudget
from grader.frontends.gradescope.time_and_memory import TimeAndMemory
from grader.isolation.sandbox import Limits
from grader.model import CheckResult, CheckSpec, Part, Question


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def spec(name: str, timeout_s: float = 10.0, memory_mb: int = 1024) -> CheckSpec:
    return CheckSpec(
        id=name, title=name, points=2.0, kind="forward", timeout_s=timeout_s, memory_mb=memory_mb
    )


def question(*checks: CheckSpec, torch: bool = False) -> Question:
    preload = ("numpy", "torch") if torch else ("numpy",)
    return Question("q", "q", "rnn.py", preload, checks)


def test_what_a_check_does_not_use_goes_to_the_others():
    clock = Clock()
    shared = TimeBudget(100, {"a": 10, "b": 10}, clock)
    assert shared.share_s("a") == 50
    clock.now = 10
    shared.done("a")
    assert shared.share_s("b") == 90
    clock.now = 200
    assert shared.share_s("b") == shared.left_s() == 0


def test_a_check_with_a_larger_limit_gets_a_larger_share():
    shared = TimeBudget(100, {"a": 10, "b": 10, "c": 180}, Clock())
    assert shared.share_s("c") == pytest.approx(90)
    assert shared.share_s("a") == pytest.approx(100 / 3)


def test_many_checks_do_not_make_the_shares_too_small_to_try():
    clock = Clock()
    shared = TimeBudget(40, {str(number): 10.0 for number in range(50)}, clock)
    assert shared.share_s("0") == LEAST_TRY_S
    clock.now = 39.5
    assert shared.share_s("0") == 0.5


@pytest.mark.parametrize("text", ["0", "-5", "inf", "nan", "ten"])
def test_a_budget_that_is_no_number_of_seconds_is_refused(text):
    with pytest.raises(UsageError, match="GRADER_TIME_BUDGET_S"):
        budget.seconds(text)


def test_the_default_budget_ends_before_the_platform_does():
    assert budget.seconds("") == 540
    assert budget.seconds("1140") == 1140


class Steered:
    """A steward with a clock of its own, and what it handed on."""

    def __init__(self, *checks: CheckSpec, total_s: float = 100.0, memory_mb: int | None = None):
        self.clock = Clock()
        self.noted: list[tuple[str, ...]] = []
        shared = TimeBudget(total_s, {check.id: check.timeout_s for check in checks}, self.clock)
        self.steward = TimeAndMemory(
            shared, memory_mb, lambda _made, names: self.noted.append(names)
        )

    def run(self, asked: Question, check: CheckSpec, result: CheckResult, *, works: bool = True):
        limits = []

        def judge() -> CheckResult:
            if works:
                full = Limits(check.timeout_s, check.memory_mb, 1)
                try:
                    limits.append(self.steward.limits(asked, check, full))
                except Pending as pending:
                    return CheckResult(check, "pending", 0.0, message=pending.message)
            return result

        found = self.steward.run(asked, check, judge)
        return found, limits


def failed(check: CheckSpec, reason) -> CheckResult:
    return CheckResult(check, "failed", 0.0, reason=reason, message="too slow", seed=7)


def test_a_timeout_within_the_rubrics_own_limit_is_the_students():
    check = spec("a", 10)
    steered = Steered(check)
    found, limits = steered.run(question(check), check, failed(check, "timeout"))
    assert (found.outcome, found.reason) == ("failed", "timeout")
    assert limits[0].timeout_s == 10


def test_a_timeout_within_a_smaller_share_is_not_the_students():
    slow, other = spec("slow", 500), spec("other", 500)
    steered = Steered(slow, other)
    found, limits = steered.run(question(slow, other), slow, failed(slow, "timeout"))
    assert limits[0].timeout_s == 50
    assert (found.outcome, found.points, found.reason, found.seed) == ("pending", 0.0, None, 7)
    assert "left of the 100 s" in found.message
    steered.steward.progress(dict)
    assert steered.noted == [("slow",)]


def test_a_check_that_ends_in_a_smaller_share_counts():
    slow, other = spec("slow", 500), spec("other", 500)
    steered = Steered(slow, other)
    passed = CheckResult(slow, "passed", 2.0)
    wrong = failed(other, "mismatch")
    assert steered.run(question(slow, other), slow, passed)[0] == passed
    assert steered.run(question(slow, other), other, wrong)[0] == wrong


def test_a_part_that_had_too_little_time_opens_the_whole_check():
    slow = spec("slow", 500)
    parts = (Part("a", 0.5, 1.0), Part("b", 0.5, 0.0, "timeout"))
    result = CheckResult(slow, "partial", 1.0, "mismatch", parts=parts)
    found, _ = Steered(slow).run(question(slow), slow, result)
    assert (found.outcome, found.points, found.parts) == ("pending", 0.0, ())


def test_an_import_that_timed_out_in_a_small_share_opens_all_checks_of_its_module():
    first, second = spec("first", 500), spec("second", 500)
    asked = question(first, second)
    steered = Steered(first, second)
    steered.run(asked, first, failed(first, "timeout"))
    # The session remembers the failure and starts no worker.
    found, _ = steered.run(asked, second, failed(second, "timeout"), works=False)
    assert found.outcome == "pending"
    other = replace(asked, module="other.py")
    alone = Steered(second)
    assert alone.run(other, second, failed(second, "timeout"), works=False)[0].outcome == "failed"


def test_a_check_without_time_is_not_started():
    late = spec("late", 10)
    steered = Steered(late)
    steered.clock.now = 99.5

    def never() -> CheckResult:
        raise AssertionError("started")

    found = steered.steward.run(question(late), late, never)
    assert found.outcome == "pending"


def test_torch_is_not_started_where_it_does_not_fit_and_numpy_is():
    light, heavy = spec("light"), spec("heavy")
    steered = Steered(light, heavy, memory_mb=768)
    passed = CheckResult(light, "passed", 2.0)
    found, limits = steered.run(question(light), light, passed)
    assert found == passed
    assert limits[0].memory_mb == 768 - memory.ours_mb(question(light)) < 1024
    lacking, limits = steered.run(question(heavy, torch=True), heavy, passed)
    assert (lacking.outcome, limits) == ("pending", [])
    assert "this one has 768 MB" in lacking.message


def test_what_needs_no_worker_needs_no_memory():
    predictions = spec("predictions")
    steered = Steered(predictions, memory_mb=768)
    passed = CheckResult(predictions, "passed", 2.0)
    found, _ = steered.run(question(predictions, torch=True), predictions, passed, works=False)
    assert found == passed


@pytest.mark.parametrize("reason", ["memory", "crashed"])
def test_running_out_of_less_memory_than_promised_is_not_the_students(reason):
    check = spec("a", memory_mb=1024)
    small, large = Steered(check, memory_mb=768), Steered(check, memory_mb=6144)
    result = failed(check, reason)
    assert small.run(question(check), check, result)[0].outcome == "pending"
    assert large.run(question(check), check, result)[0] == result


def test_cheap_checks_run_first():
    fast, slow = spec("fast", 5), spec("slow", 50)
    steward = Steered(fast, slow).steward
    numpy, torch = question(fast, slow), question(fast, slow, torch=True)
    ranks = [(numpy, fast), (numpy, slow), (torch, fast), (torch, slow)]
    assert ranks == sorted(ranks, key=lambda pair: steward.rank(*pair))


@pytest.fixture
def machine(tmp_path):
    """A folder that looks like ``/`` of a container."""

    def make(**files: str):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("-", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


MEMINFO = "MemTotal:       8000000 kB\nMemFree: 1 kB\n"


def test_the_limit_of_version_2_and_of_a_group_above(machine):
    root = machine(
        **{
            "proc__meminfo": MEMINFO,
            "proc__self__cgroup": "0::/a/b\n",
            "sys__fs__cgroup__a__memory-max": f"{768 << 20}\n",
            "sys__fs__cgroup__a__b__memory-max": "max\n",
        }
    )
    assert memory.limit_mb({}, root) == 768


def test_the_limit_of_version_1_where_the_path_is_the_hosts(machine):
    root = machine(
        **{
            "proc__meminfo": MEMINFO,
            "proc__self__cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n",
            "sys__fs__cgroup__memory__memory-limit_in_bytes": f"{1536 << 20}\n",
        }
    )
    assert memory.limit_mb({}, root) == 1536


def test_without_a_limit_the_machine_counts(machine):
    root = machine(
        **{
            "proc__meminfo": MEMINFO,
            "proc__self__cgroup": "4:memory:/\n",
            "sys__fs__cgroup__memory__memory-limit_in_bytes": "9223372036854771712\n",
        }
    )
    assert memory.limit_mb({}, root) == 8000000 // 1024


def test_nothing_tells_and_the_variable_does(tmp_path):
    assert memory.limit_mb({}, tmp_path) is None
    assert memory.limit_mb({"GRADER_MEMORY_MB": "3072"}, tmp_path) == 3072
    with pytest.raises(UsageError, match="GRADER_MEMORY_MB=3G"):
        memory.limit_mb({"GRADER_MEMORY_MB": "3G"}, tmp_path)

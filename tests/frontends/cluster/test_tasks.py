"""A worker keeps its grading processes from task to task, and not much longer."""

import time

import pytest

from grader.frontends.cluster import tasks
from grader.frontends.cluster.messages import Setup


class Idle:
    """Stands in for a grading process, of a run."""

    def __init__(self, setup):
        self.run = setup.run
        self.idle_since = 0.0
        self.closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def kept(monkeypatch):
    monkeypatch.setattr(tasks, "AgentProcess", Idle)
    return tasks._Kept()


def setup(run):
    return Setup(run, "rubric.yaml", None, 1.0, None)


def test_a_process_serves_the_tasks_of_its_run_and_ends_with_the_next_run(kept):
    first = kept.take(setup("a"))
    kept.give_back(first)
    assert kept.take(setup("a")) is first
    second = kept.take(setup("a"))
    assert second is not first
    kept.give_back(first)
    kept.give_back(second)
    other = kept.take(setup("b"))
    assert other not in (first, second)
    assert (first.closed, second.closed, other.closed) == (True, True, False)


def test_a_process_without_work_ends(kept, monkeypatch):
    monkeypatch.setattr(tasks, "IDLE_S", 0.0)
    agent = kept.take(setup("a"))
    kept.give_back(agent)
    kept.end_idle(0.0)
    assert agent.closed
    assert kept.take(setup("a")) is not agent


def test_the_timer_ends_it_alone(kept, monkeypatch):
    monkeypatch.setattr(tasks, "IDLE_S", -0.9)  # the timer waits for a tenth of a second
    agents = [kept.take(setup("a")) for _number in range(3)]
    for agent in agents:
        kept.give_back(agent)
    deadline = time.monotonic() + 10
    while not all(agent.closed for agent in agents) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert all(agent.closed for agent in agents)

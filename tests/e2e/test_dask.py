"""A class graded on a dask cluster, of which machines are lost: the reports are the same."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.checks.toy import make
from tests.conftest import ROOT
from tests.e2e.test_interrupted import CHECKS, Grading, graded

pytest.importorskip("distributed", reason="the extra cluster is not installed")

NAMES = [f"s{number:02}" for number in range(24)]
SLOW_S = 0.15  # so long each submission takes at least: time to lose a worker in
AGENT = "grader.frontends.cluster.agent"


@pytest.fixture
def folder():
    """The toy assignment and a class, where workers may read them."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        made.chmod(0o755)
        make(made, CHECKS)
        right = (
            made / "reference" / "toy.py"
        ).read_text() + f"\nimport time\ntime.sleep({SLOW_S})\n"
        for number, student in enumerate(NAMES):
            text = right.replace("return", "return 2 *") if number % 3 else right
            (made / "class" / student).mkdir(parents=True)
            (made / "class" / student / "toy.py").write_text(text)
        yield made


class Cluster:
    """A dask scheduler and its workers, each a process group of its own."""

    def __init__(self, folder, **scheduler_environment):
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.workers = []
        port = self.address.rpartition(":")[2]
        self.scheduler = self._start(
            *("scheduler", "--host", "127.0.0.1", "--port", port), **scheduler_environment
        )

    def _start(self, *words, **environment):
        number = len(self.workers)
        log = (self._folder / f"{words[0]}{number}.log").open("wb")
        command = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
        with log:
            return subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            )  # fmt: skip

    def add(self, count, **environment):
        """Start workers; none is started again when it is killed."""
        for _number in range(count):
            words = ("worker", self.address, "--nthreads", "1", "--no-nanny", "--local-directory",
                     str(self._folder / "dask"))  # fmt: skip
            self.workers.append(self._start(*words, **environment))
        wait_for(lambda: self.logs().count("Registered to:") >= len(self.workers))
        return self

    def logs(self):
        return "".join(path.read_text() for path in sorted(self._folder.glob("*.log")))

    def close(self):
        for process in (*self.workers, self.scheduler):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)


@pytest.fixture
def cluster(folder):
    """Return what starts a cluster."""
    made = []

    def start(**environment):
        made.append(Cluster(folder, **environment))
        return made[-1]

    yield start
    for one in made:
        one.close()


def agents(worker):
    """Return the grading processes that a worker has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if AGENT.encode() in words and parent == worker.pid:
            found.append(int(path.name))
    return found


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alone(folder):
    """Return the reports as this machine makes them."""
    run = Grading(folder, "--jobs", "2", out="alone")
    assert run.ended()[0] == 0
    return graded(run.out)


def test_a_cluster_gives_the_reports_of_one_machine_though_a_worker_is_killed(cluster, folder):
    made = cluster().add(3)
    run = Grading(folder, "--dask", made.address)
    run.graded(4)
    lost = made.workers[0]
    wait_for(lambda: agents(lost))
    left = agents(lost)
    os.kill(lost.pid, signal.SIGKILL)
    status, out, err = run.ended()
    assert (status, err) == (0, "")
    assert f"{len(NAMES)} submissions graded; reports: out/<submission>/report.json" in out
    assert graded(run.out) == alone(folder)
    assert len(graded(run.out)) == len(NAMES)
    names = [{path.name for path in (folder / out / "s00").iterdir()} for out in ("out", "alone")]
    assert names[0] == names[1]
    # What the lost worker had started ends with it.
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), 15)
    # One grading process served all tasks of a worker.
    assert [len(agents(worker)) for worker in made.workers[1:]] == [1, 1]
    again = Grading(folder, "--dask", made.address)
    assert f"0 submissions graded, {len(NAMES)} unchanged" in again.ended()[1]


def test_what_is_lost_with_every_worker_is_broken_and_graded_later(cluster, folder):
    made = cluster(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0").add(2)
    run = Grading(folder, "--dask", made.address)
    run.graded(4)
    wait_for(lambda: agents(made.workers[0]))
    os.kill(made.workers[0].pid, signal.SIGKILL)
    status, _out, err = run.ended()
    assert status == 3
    assert err.startswith("broken: dask gave up: each worker that graded it")
    reports = graded(run.out)
    assert {*reports} == {*NAMES}
    broken = [name for name, report in reports.items() if report["status"] == "broken"]
    assert 1 <= len(broken) < len(NAMES)
    whole = alone(folder)
    assert {n: reports[n] for n in NAMES if n not in broken} == {
        n: whole[n] for n in NAMES if n not in broken
    }
    assert Grading(folder).ended()[0] == 0
    assert graded(run.out) == whole


def test_a_grading_process_that_dies_costs_one_submission(cluster, folder):
    made = cluster().add(1)
    run = Grading(folder, "--dask", made.address)
    run.graded(2)
    (agent,) = agents(made.workers[0])
    os.kill(agent, signal.SIGKILL)
    status, _out, err = run.ended()
    assert status == 3
    (line,) = err.splitlines()
    assert line.startswith("broken: the grading process died (exit status -9) while it graded")
    reports = graded(run.out)
    whole = alone(folder)
    assert {*reports} == {*NAMES}
    (broken,) = [name for name, report in reports.items() if report["status"] == "broken"]
    assert {n: r for n, r in reports.items() if n != broken} == {
        n: r for n, r in whole.items() if n != broken
    }


def test_a_worker_with_another_reference_refuses(cluster, folder):
    shutil.copytree(folder, folder / "old", ignore=shutil.ignore_patterns("class", "*.log"))
    with (folder / "old" / "reference" / "toy.py").open("a") as file:
        file.write("\nMORE = 1\n")
    made = cluster().add(1, GRADER_RUBRIC=str(folder / "old" / "rubric.yaml"))
    status, out, err = Grading(folder, "--dask", made.address).ended()
    assert (status, out) == (3, "")
    assert err == (
        "broken: a dask worker refuses to grade: this machine and the worker have different "
        "rubrics, reference files or data: q1.1 would not be graded alike\n"
    )
    assert graded(folder / "out") == {}


def test_a_worker_without_the_assignment_says_where_it_should_be(cluster, folder):
    made = cluster().add(1, GRADER_RUBRIC="/nowhere/rubric.yaml")
    status, _out, err = Grading(folder, "--dask", made.address).ended()
    assert status == 3
    assert err == (
        "broken: a dask worker refuses to grade: /nowhere/rubric.yaml: no such file; copy the "
        "assignment to the same path, or name its rubric in GRADER_RUBRIC where the worker is "
        "started\n"
    )


def test_a_copy_of_the_assignment_elsewhere_grades_the_same(cluster, folder):
    shutil.copytree(folder, folder / "copy", ignore=shutil.ignore_patterns("class", "*.log"))
    made = cluster().add(2, GRADER_RUBRIC=str(folder / "copy" / "rubric.yaml"))
    status, _out, err = Grading(folder, "--dask", made.address).ended()
    assert (status, err) == (0, "")
    assert graded(folder / "out") == alone(folder)


def test_control_c_keeps_what_is_graded(cluster, folder):
    made = cluster().add(1)
    run = Grading(folder, "--dask", made.address)
    run.graded(2)
    run.interrupt()
    status, out, err = run.ended()
    assert (status, out) == (130, "")
    assert err.startswith("interrupted; ")
    assert "to grade the other " in err
    assert Grading(folder, "--dask", made.address).ended()[0] == 0
    assert graded(run.out) == alone(folder)


def test_workers_may_come_later_and_the_scheduler_may_go(cluster, folder):
    made = cluster()
    run = Grading(folder, "--dask", made.address)
    time.sleep(4)
    assert run.process.poll() is None
    made.add(1)
    run.graded(2)
    os.kill(made.scheduler.pid, signal.SIGKILL)
    status, _out, err = run.ended()
    assert status == 3
    assert len(err.splitlines()) == 2, err
    first, last = err.splitlines()
    assert first == f"note: {made.address} has no workers yet; waiting for them"
    assert last == (
        f"broken: the dask scheduler at {made.address} is gone; reports that were written are "
        "complete: run the same command again to go on"
    )


def test_the_secret_is_in_no_log_argument_or_file(cluster, folder, monkeypatch):
    monkeypatch.delenv("GRADER_SEED")
    key = "5ec7e7" * 10 + "abcd"
    (folder / "seed").write_text(key)
    (folder / "seed").chmod(0o600)
    made = cluster().add(1)
    run = Grading(folder, "--dask", made.address, "--seed-file", "seed")
    run.graded(2)
    (agent,) = agents(made.workers[0])
    seen = [Path(f"/proc/{agent}/{name}").read_bytes() for name in ("cmdline", "environ")]
    os.kill(agent, signal.SIGKILL)  # so that tasks have something to complain about
    assert run.ended()[0] == 3
    raw = bytes.fromhex(key)
    seen.append(made.logs().encode())
    left_out = {folder / "seed"}
    seen += [p.read_bytes() for p in folder.rglob("*") if p.is_file() and p not in left_out]
    for text in seen:
        assert raw not in text
        assert key.encode() not in text
        assert repr(raw)[2:20].encode() not in text
    report = json.loads((run.out / "s00" / "report.json").read_text())
    assert report["seed"].startswith("secret ")


@pytest.mark.parametrize(
    ("address", "told"),
    [("tcp://127.0.0.1:9", "no scheduler answers there"), ("nonsense", "the port is missing"),
     ("gone.json", "no such file")],
)  # fmt: skip
def test_no_scheduler_is_one_sentence(address, told, folder, monkeypatch):
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    started = time.monotonic()
    status, out, err = Grading(folder, "--dask", address).ended()
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith(f"error: --dask {address}: ")
    assert told in line
    assert time.monotonic() - started < 40


def test_options_that_contradict_each_other_are_refused(run_cli, folder):
    ran = run_cli("grade", folder / "class", "--out", folder / "out", "--jobs", 2, "--dask", "x")
    assert ran.status == 2
    assert "--jobs and --dask contradict each other" in ran.err


def test_without_dask_one_sentence_says_what_to_install(run_cli, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    ran = run_cli("grade", folder / "class", "--out", folder / "out", "--dask", "tcp://x:1")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        "error: --dask needs distributed, which is not installed: "
        "pip install 'dl-grader[cluster]'\n"
    )

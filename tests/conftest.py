"""Shared by all tests: where things are, and how to run the command line."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from grader import cli
from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.job import Settings
from grader.run.session import Session
from grader.run.workers import ForkServers

ROOT = Path(__file__).resolve().parent.parent
# What tests grade is drawn from the rubric's public seed, so that it is the same everywhere. Tests
# of the secret seed take this out.
os.environ["GRADER_SEED"] = "public"
STATE = tempfile.TemporaryDirectory(prefix="state-")  # where secrets are kept
os.environ["XDG_STATE_HOME"] = STATE.name
# What takes minutes to compute is computed once for all processes of a run of the tests.
ROOMS = ("changes", "data-sets", "sound-rubrics")
if "PYTEST_XDIST_WORKER" not in os.environ:
    KEPT = tempfile.TemporaryDirectory(prefix="kept-")
    os.environ["GRADER_TESTS_KEPT"] = KEPT.name
for room in ROOMS:
    place = Path(os.environ["GRADER_TESTS_KEPT"]) / room
    place.mkdir(mode=0o700, exist_ok=True)
    (Path(STATE.name) / "dl-grader").mkdir(mode=0o700, exist_ok=True)
    (Path(STATE.name) / "dl-grader" / room).symlink_to(place)
# The checks that need numpy only and no training.
LAYERS = tuple(f"q{question}.{check}" for question in (3, 4, 5) for check in (1, 2, 3, 4))
SUBMISSIONS = ROOT / "reference" / "submissions"
# The fast lane, `make check`, leaves these folders out: they run whole commands, make other
# machines, install packages, train networks, or try random inputs. tests/README.md has the rule.
SLOW_FOLDERS = (
    *("container", "docs", "e2e", "frontends/gradescope", "frontends/student", "fuzz"),
    *("isolation/sandbox", "packaging", "reference"),
)
EXAMPLES = "test_examples.py"  # one test for each
SLOW_FIXTURE = "grade"  # whoever asks for it grades by the command line, which costs a second
FAST_LIMIT_S = 10.0  # of processor time, so that no test is slow only because the machine is busy

# For ``small_assignment``: of its two checks students see the first.
HIDDEN = """
assignment: small
title: A small assignment
points: 2
questions:
  - id: q1
    title: A step
    points: 2
    module: rnn_layers.py
    checks:
      - {id: q1.1, title: open, points: 1, kind: forward, function: rnn_step_forward,
         returns: [next_h, cache], opaque: [cache], shares: {values: 0.5, edge_cases: 0.5}}
      - {id: q1.2, title: secret, points: 1, kind: forward, function: temporal_fc_forward,
         returns: [out, cache], opaque: [cache], shares: {values: 0.5, edge_cases: 0.5},
         visibility: hidden, hint: think of the bias}
"""


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach what tests start, even if the tests themselves run in the background.

    A shell without job control makes its background jobs ignore SIGINT, which their children
    inherit; a signal that is handled is back to its default in a new program.
    """
    config.addinivalue_line("markers", "slow: not in the fast lane, see tests/README.md")
    here = threading.current_thread() is threading.main_thread()
    if here and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@functools.cache  # each file has tens of tests
def _slow(path: Path) -> bool:
    here = Path(__file__).parent
    return any(path.is_relative_to(here / folder) for folder in SLOW_FOLDERS)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare the fast lane the imports of what it leaves out."""
    return True if config.option.markexpr == "not slow" and _slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in the slow folders, and what grades by the command line."""
    for item in items:
        if _slow(item.path) or SLOW_FIXTURE in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    items[:] = spread(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def spread(items: list[pytest.Item], count: int) -> list[pytest.Item]:
    """Return tests so that each of ``count`` processes begins with its part of the examples.

    Each gets a row of them at first, and takes from others when it has none left. Examples take
    longest: where they came last, one process was left alone with them.
    """
    examples = [item for item in items if item.path.name == EXAMPLES]
    others = [item for item in items if item.path.name != EXAMPLES]
    ordered: list[pytest.Item] = []
    for number in range(count):
        size = (len(items) - len(ordered)) // (count - number)  # as pytest-xdist does
        first = examples[number::count]
        rest = max(0, size - len(first))
        ordered += first + others[:rest]
        others = others[rest:]
    return ordered


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that takes long in the fast lane, so that the lane stays fast.

    Only under ``make check``, at a developer's desk: on a crowded machine processor time doubles
    too, and a whole run that takes half an hour must not fail for the time that one test took.
    """
    # Of this process alone: a server that worked for many tests would be charged to the last one.
    before = time.process_time()
    yield
    took = time.process_time() - before
    if took > FAST_LIMIT_S and item.config.option.markexpr == "not slow":
        pytest.fail(
            f"it passes, but takes {took:.1f} s of processor time, and the fast lane allows "
            f"{FAST_LIMIT_S:g} s for one test: make it faster, or mark it with pytest.mark.slow",
            pytrace=False,
        )


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str


def without_seed_warning(err: str) -> str:
    """Return what a command printed without the warning that its data are public, as in tests."""
    lines = err.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("warning: graded with the public"))


@pytest.fixture(scope="session")
def rubric():
    return load_rubric(ROOT / "rubric.yaml", KINDS)


@pytest.fixture
def run_cli():
    """Run ``grader ARGUMENTS`` in this process (grading itself forks processes of its own)."""

    def run(*arguments: object) -> Ran:
        result = CliRunner().invoke(cli.main, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, without_seed_warning(result.stderr))

    return run


@pytest.fixture
def grade(run_cli, tmp_path):
    """Grade submissions with the shipped rubric; return how it ended and the reports by id."""

    def run(*submissions: Path, only: tuple[str, ...] = (), options: tuple[object, ...] = ()):
        out = tmp_path / "out"
        named = [word for name in only for word in ("--only", name)]
        # A rubric among the options comes later and wins.
        rubric = ["--rubric", ROOT / "rubric.yaml"]
        ran = run_cli("grade", *submissions, "--out", out, *rubric, *named, *options)
        reports = {
            path.parent.name: json.loads(path.read_text(encoding="utf-8"))
            for path in out.glob("*/report.json")
        }
        return ran, reports

    return run


@pytest.fixture
def submission(tmp_path):
    """Make a submission folder from the plain full-mark example, with functions replaced.

    ``submission(temporal_fc_backward="body")`` puts ``body`` in place of that function's.
    """

    def make(*, name: str = "handed_in", top: str = "", **bodies: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        source = (SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py").read_text()
        for function, body in bodies.items():
            before, found, after = source.partition(f"def {function}(")
            assert found, function
            signature, _, rest = after.partition("):\n")
            _old, sep, following = rest.partition("\n\n\n")
            indented = "\n".join(f"    {line}" for line in body.splitlines())
            source = f"{before}def {function}({signature}):\n{indented}{sep}{following}"
        (folder / "rnn_layers.py").write_text(f"{top}\n{source}")
        return folder

    return make


def handed_in(example: str, parent: Path) -> Path:
    """Put an example such as ``wrong/rnn_is_a_mean`` together in ``parent``, completed by its base.

    Returns:
        its folder, which has the example's name.
    """
    source = SUBMISSIONS / example
    claims = yaml.safe_load((source / "expected.yaml").read_text(encoding="utf-8"))
    folder = parent / source.name
    for part in (SUBMISSIONS / claims["base"], source) if "base" in claims else (source,):
        shutil.copytree(part, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The homework's own data; skips where it is absent."""
    named = os.environ.get("GRADER_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not (folder / "sentences" / "train.txt").is_file():
        pytest.skip("the homework's own data is not here (set GRADER_DATA)")
    return folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter (pytest's own are closed)."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def small_assignment(tmp_path):
    """A rubric with one question of one forward check, beside the shipped reference."""

    def make(text: str, *, reference: Path = ROOT / "reference") -> Path:
        folder = tmp_path / "assignment"
        folder.mkdir()
        shutil.copytree(reference, folder / "reference", ignore=shutil.ignore_patterns("sub*"))
        (folder / "rubric.yaml").write_text(text)
        return folder / "rubric.yaml"

    return make


def checks_of(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the checks of a report by id."""
    return {check["id"]: check for question in report["questions"] for check in question["checks"]}


@pytest.fixture(scope="session")
def fork_servers():
    """Fork servers shared by all tests that judge in this process."""
    with ForkServers() as shared:
        yield shared


@pytest.fixture
def judge(rubric, fork_servers):
    """Judge a submission's checks in this process; return the results by check id."""

    def run(folder: Path, *only: str, settings: Settings | None = None):
        staged = fork_servers.stage("handed_in", folder, rubric)
        assignment = Assignment(rubric.reference)
        session = Session(rubric, assignment, staged, fork_servers, settings or Settings())
        for question in rubric.questions:
            for check in question.checks:
                if not only or check.id in only or question.id in only:
                    session.run(question, check)
        fork_servers.unstage()
        return session.results

    return run

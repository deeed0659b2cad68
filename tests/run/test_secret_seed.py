"""Grading with the secret seed: the same for a class, unknown to workers, absent from reports."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from grader import cli
from grader.assignment import secret
from grader.assignment.reference import Assignment
from grader.checks import driven
from grader.errors import WorkerLost
from grader.isolation.sandbox import ForkServer
from grader.isolation.sandbox.worker import Worker
from grader.job import Settings
from grader.run.session import Session
from grader.run.words import PUBLIC_WORDS, WITHHELD
from grader.seeds import SEED_BITS, Secret
from tests.conftest import ROOT, handed_in

CARRIES_OUT = "raise ValueError('carried out: ' + x.tobytes().hex())"


@pytest.fixture
def secretly(tmp_path, monkeypatch):
    """Grade with a secret; the options of ``grade`` that name it."""
    monkeypatch.delenv("GRADER_SEED", raising=False)
    secret.read_or_make("dl-hw2", tmp_path / "hw.seed")
    return ("--seed-file", tmp_path / "hw.seed")


def check_of(reports, name, check):
    found = reports[name]["questions"]
    return next(c for question in found for c in question["checks"] if c["id"] == check)


def messages(reports, check):
    return {check_of(reports, name, check)["message"] for name in reports}


def test_a_class_is_graded_with_one_secret_which_no_report_holds(grade, tmp_path, secretly):
    classes = [handed_in("wrong/rnn_step_without_bias", tmp_path / name) for name in ("a", "b")]
    ran, reports = grade(*classes, only=("q3.1",), options=(*secretly, "--jobs", 2))
    path = tmp_path / "hw.seed"
    assert "note:" not in ran.err
    assert len(reports) == 2
    first = messages(reports, "q3.1")
    assert len(first) == 1  # the same numbers for both
    made = secret.read(path)
    for name, report in reports.items():
        assert report["seed"] == f"secret {made.fingerprint}"
        assert check_of(reports, name, "q3.1")["seed"] is None
    seed = made.seed_for("dl-hw2", "q3.1")
    out = tmp_path / "out"
    for file in (path for path in out.rglob("*") if path.is_file()):
        text = file.read_text(errors="replace")
        assert not any(word in text for word in (made.key.hex(), str(seed), f"{seed:x}")), file
    again, reports = grade(*classes, only=("q3.1",), options=secretly)
    assert "note:" not in again.err
    assert "warning" not in again.err
    assert messages(reports, "q3.1") == first
    secret.read_or_make("dl-hw2", tmp_path / "other")
    _ran, reports = grade(*classes, only=("q3.1",), options=("--seed-file", tmp_path / "other"))
    assert messages(reports, "q3.1") != first


@pytest.mark.parametrize(
    ("options", "count", "words"),
    [
        (("--seed", "public"), 1, "whoever has the rubric can compute"),
        (("--seed", "20261"), 1, "whoever has the rubric can compute"),
        (("--seed", "7"), 2, "so short a number is found by trying"),
        (("--seed", "7"), 1, ""),
    ],
)
def test_a_public_seed_is_warned_of(options, count, words, tmp_path):
    examples = ("full_marks/plain", "full_marks/vectorised")[:count]
    classes = [handed_in(name, tmp_path) for name in examples]
    arguments = ["grade", *classes, "--only", "q3.1", "--out", tmp_path / "out", *options]
    ran = CliRunner().invoke(
        cli.main, [*map(str, arguments), "--rubric", f"{ROOT / 'rubric.yaml'}"]
    )
    assert ran.exit_code == 0
    warned = [line for line in ran.stderr.splitlines() if line.startswith("warning: ")]
    assert len(warned) == bool(words)
    assert all(words in line for line in warned)


class Spy:
    """A source of workers that keeps the seed of each and gives none."""

    isolation = ("full",)
    bounded = None  # judges work in this process
    asks_at_once = True

    def __init__(self):
        self.seeds = []

    def spawn(self, _question, _folder, _limits, seed, _module="", _expected=1, **_options):
        self.seeds.append(seed)
        raise WorkerLost("crashed", "there is none")

    def replace(self, _question):
        """Nothing is there."""


def spied(rubric, staged, settings):
    spy = Spy()
    session = Session(rubric, Assignment(rubric.reference), staged, spy, settings)
    seeds = {}
    for question in rubric.questions:
        for check in question.checks:
            spy.seeds.clear()
            session.run(question, check)
            seeds[check.id] = spy.seeds.copy()
    return seeds


@pytest.mark.slow
def test_no_worker_of_any_kind_is_seeded_by_the_secret(rubric, fork_servers, tmp_path):
    staged = fork_servers.stage("alice", handed_in("full_marks/plain", tmp_path), rubric)
    one, two = (spied(rubric, staged, Settings(secret=Secret.new())) for _ in range(2))
    assert sum(map(len, one.values())) > 20
    assert one == two  # whatever the secret is
    assert one == spied(rubric, staged, Settings())
    assert {check.kind for q in rubric.questions for check in q.checks if one[check.id]} >= {
        *("forward", "gradient", "values", "property", "training", "image")
    }
    assert all(seed < 2**SEED_BITS for seeds in one.values() for seed in seeds)
    fork_servers.unstage()


def test_no_request_to_a_worker_holds_the_secret_or_a_seed_of_it(
    grade, tmp_path, secretly, monkeypatch
):
    """Every byte that is sent to fork servers and workers, searched for every form of the seeds."""
    log = tmp_path / "sent"
    real_send, real_ask = Worker._send, ForkServer._ask

    def send(self, data):
        with log.open("ab") as file:
            file.write(bytes(data.cast("B")))
        return real_send(self, data)

    def ask(self, request, fds):
        with log.open("ab") as file:
            file.write(json.dumps(request).encode())
        return real_ask(self, request, fds)

    monkeypatch.setattr(Worker, "_send", send)
    monkeypatch.setattr(ForkServer, "_ask", ask)
    only = ("q3.1", "q3.2", "q1.1", "q6.1")
    grade(handed_in("full_marks/plain", tmp_path), only=only, options=secretly)
    sent = log.read_bytes()
    assert len(sent) > 10_000
    made = secret.read(tmp_path / "hw.seed")
    for seed in (made.seed_for("dl-hw2", check) for check in only):
        forms = [str(seed).encode(), f"{seed:x}".encode()]
        forms += [seed.to_bytes(16, order) for order in ("big", "little")]
        forms += [seed.to_bytes(16, "little")[:8], seed.to_bytes(16, "little")[8:]]
        assert not any(form in sent for form in [*forms, made.key, made.key.hex().encode()])


def test_a_worker_that_looks_for_its_request_finds_none(grade, submission, secretly):
    body = (
        "import sys\nframe, found = sys._getframe(), []\nwhile frame:\n"
        "    found += [k for v in frame.f_locals.values() if isinstance(v, dict) for k in v]\n"
        "    frame = frame.f_back\n"
        "raise ValueError('seed' in found or 'limits' in found)"
    )
    folder = submission(rnn_step_forward=body)
    _ran, reports = grade(folder, only=("q3.1",), options=secretly)
    assert "ValueError: False" in check_of(reports, "handed_in", "q3.1")["message"]


def test_an_exception_carries_no_hidden_data_to_the_student(grade, submission, tmp_path, secretly):
    folder = submission(rnn_step_forward=CARRIES_OUT)
    _ran, reports = grade(folder, only=("q3.1",), options=secretly)
    check = check_of(reports, "handed_in", "q3.1")
    made = secret.read(tmp_path / "hw.seed").seed_for("dl-hw2", "q3.1")
    cases = Assignment(ROOT / "reference").cases("rnn_layers.py", "rnn_step_forward", made)
    hidden = [case.arguments["x"].tobytes().hex()[:32] for case in cases]
    shown = json.dumps({key: check[key] for key in ("message", "notes", "parts", "cause")})
    results = (tmp_path / "out" / "handed_in" / "results.json").read_text()
    assert not any(value in shown or value in results for value in hidden)
    assert "carried out: " in shown  # that of public data
    assert PUBLIC_WORDS in check["notes"]
    assert any(value in check["output"] for value in hidden)  # for the instructor


def test_what_public_data_do_not_show_is_withheld(grade, submission, tmp_path, secretly):
    """A text that only comes with the hidden data: kind of exception and line remain."""
    path = tmp_path / "hw.seed"
    made = secret.read_or_make("dl-hw2", path).secret
    cases = Assignment(ROOT / "reference").cases(
        "rnn_layers.py", "rnn_step_forward", made.seed_for("dl-hw2", "q3.1")
    )
    known = [float(case.arguments["x"].flat[0]) for case in cases]
    body = f"if x.flat[0] in {known}:\n    raise ValueError(repr(x.flat[0]))\nreturn x, None"
    folder = submission(rnn_step_forward=body)
    _ran, reports = grade(folder, only=("q3.1",), options=secretly)
    check = check_of(reports, "handed_in", "q3.1")
    lines = (folder / "rnn_layers.py").read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if "raise ValueError(repr" in text)
    assert f"rnn_step_forward raised ValueError (rnn_layers.py, line {line})" in check["message"]
    assert WITHHELD in check["notes"]
    assert not any(repr(value) in check["message"] for value in known)


def test_a_driver_is_given_a_seed_that_does_not_depend_on_the_secret(rubric):
    spec = next(c for q in rubric.questions for c in q.checks if c.kind == "training")
    question = next(q for q in rubric.questions if spec in q.checks)

    found = []
    for settings in (Settings(secret=Secret.new()), Settings(secret=Secret.new())):
        submission = SimpleNamespace(files=())
        session = Session(rubric, Assignment(rubric.reference), submission, Spy(), settings)
        context = session._context(question, spec, session.seed(spec), private=True)
        _data, call = driven._driver_call(spec, context, context.public_seed)
        found.append((call.worker_seed, call.arguments["seed"], context.seed))
    assert found[0][:2] == found[1][:2]
    assert found[0][2] != found[1][2]


def test_two_seeds_are_refused(run_cli, tmp_path, monkeypatch):
    command = ("grade", tmp_path, "--out", tmp_path / "out", "--rubric", ROOT / "rubric.yaml")
    ran = run_cli(*command, "--seed", "7", "--seed-file", tmp_path / "hw.seed")
    assert ran.status == 2
    assert "--seed and --seed-file contradict each other" in ran.err
    assert not (tmp_path / "hw.seed").exists()
    monkeypatch.setenv("GRADER_SEED_FILE", str(tmp_path / "hw.seed"))
    assert "contradict" not in run_cli(*command, "--seed", "7").err


@pytest.mark.parametrize("option", ["--budget", "--max-class-gb"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "0"])
def test_a_limit_is_a_positive_number(option, value, run_cli, tmp_path):
    ran = run_cli("grade", tmp_path, "--out", tmp_path / "out", option, value)
    assert ran.status == 2
    assert option in ran.err


@pytest.mark.parametrize("command", [("grade", "."), ("bundle", "gradescope")])
def test_a_seed_file_that_is_named_must_be_there(command, run_cli, tmp_path, monkeypatch):
    monkeypatch.delenv("GRADER_SEED", raising=False)
    path = tmp_path / "mis typed.seed"
    common = ("--rubric", ROOT / "rubric.yaml", "--out", tmp_path / "out", "--seed-file", path)
    ran = run_cli(*command, *common)
    assert ran.status == 2
    assert not path.exists()
    assert f"--seed-file {path}: no such file" in ran.err
    making = ran.err.partition("make a new secret there: ")[2].strip()
    subprocess.run(making, shell=True, check=True)
    assert len(secret.read(path).key) == 32


def test_the_archive_with_the_secret_is_its_owners(run_cli, tmp_path, monkeypatch):
    monkeypatch.delenv("GRADER_SEED_FILE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    target = tmp_path / "autograder.zip"
    ran = run_cli("bundle", "gradescope", "-o", target, "--rubric", ROOT / "rubric.yaml")
    assert ran.status == 0
    assert target.stat().st_mode & 0o777 == 0o600
    assert f"note: hidden data are drawn from a new secret seed, kept in {tmp_path}" in ran.err


def test_what_a_person_must_read_is_found_without_the_secret(grade, tmp_path, secretly):
    """Where every function raises, the gradient functions are called once more, to see them."""
    only = ("q3.2", "q3.4")
    folder = handed_in("wrong/rnn_functions_raise", tmp_path)
    _ran, reports = grade(folder, only=only, options=secretly)
    for check in only:
        found = check_of(reports, "rnn_functions_raise", check)
        assert (found["outcome"], found["reason"]) == ("pending", None), found["message"]
        assert "could not be tried" in found["message"]

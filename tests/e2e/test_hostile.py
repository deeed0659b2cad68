"""What hostile submissions must not reach, beyond the claims that ``grader verify`` compares."""

from __future__ import annotations

import csv
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from benchmarks.leftovers import Surroundings
from grader.assignment.examples import assembled, claim_checks, load_examples, matching
from grader.assignment.reference import Assignment
from grader.job import Job, Settings, Submitted
from grader.reports.terminal import clean
from grader.run import grading
from grader.run.workers import ForkServers
from tests.conftest import LAYERS, ROOT, SUBMISSIONS

HONEST = SUBMISSIONS / "full_marks" / "plain"
SEARCHES = SUBMISSIONS / "hostile" / "searches_memory_for_labels"
LEAST_EXAMPLES = 240
NAME = re.compile(r"[a-z]+(_[a-z]+)*")
# Each of these, if it worked, would change what comes after it in the same process.
NASTIEST = (
    "changes_its_own_files",
    "forks_two_hundred_processes",
    "kills_its_parent",
    "leaves_shared_memory",
    "patches_numpy_for_everybody",
    "writes_files",
    "writes_results",
)
TEXTS = (
    "escape_codes_in_an_exception",
    "forges_a_traceback",
    "formula_in_an_exception",
    "half_characters_in_an_exception",
    "html_in_a_class_name",
    "html_in_a_package_name",
    "html_in_an_exception",
    "html_in_an_exception_class",
    "markdown_in_an_exception",
    "prints_a_report",
)


@pytest.fixture(scope="module")
def examples(rubric):
    found = matching(load_examples(rubric), ["hostile/*"])
    return {example.folder.name: example for example in found}


@pytest.fixture(scope="module")
def process(rubric):
    """Grade in this process as one of the crew does; with what is around it."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        own = Path(name)
        own.chmod(0o711)  # workers, under another user id, must pass through
        job = Job(rubric, Settings(), None)
        assignment = Assignment(rubric.reference)
        with ForkServers(own, job.settings.policy(rubric)) as fork_servers:
            surroundings = Surroundings(own)

            def grade(folder, wanted=LAYERS):
                work = Submitted("handed_in", folder, frozenset(wanted))
                return grading.grade(job, assignment, fork_servers, work)

            yield grade, surroundings
        assert list(own.iterdir()) == []


@pytest.fixture(scope="module")
def honest_before(process):
    grade, surroundings = process
    made = grade(HONEST)
    assert made.score == made.max_score == 27
    assert list(surroundings.changes()) == []
    return _essence(made)


def _essence(made):
    kept = ("id", "outcome", "points", "reason", "message", "notes", "output")
    return [[getattr(check, key) for key in kept] for check in made.checks()]


def test_there_are_many_examples_each_named_by_its_one_idea(examples):
    assert len(examples) >= LEAST_EXAMPLES
    assert [name for name in examples if not NAME.fullmatch(name)] == []
    mistakes = [example.claims.mistake for example in examples.values()]
    assert [text for text in mistakes if not text.endswith(".") or text.count(" ") < 2] == []
    assert len(set(mistakes)) == len(mistakes)


def test_an_example_that_claims_no_loss_says_that_its_answer_is_right(examples):
    for name, example in examples.items():
        if example.claims.loses == {} and not example.claims.note:
            source = "".join(path.read_text() for path in example.folder.glob("*.py"))
            honest = re.search(r"honest_layers|np\.dot\(dout_flat", source)
            assert honest is not None, name


@pytest.mark.parametrize("name", NASTIEST)
def test_an_honest_submission_is_graded_alike_after_a_hostile_one(
    name, process, honest_before, examples
):
    grade, surroundings = process
    with assembled([examples[name]]) as (work,):
        graded = grade(work.path)
        own_id = graded.submission.model_copy(update={"id": work.identifier})
        made = graded.model_copy(update={"submission": own_id})
    (verdict,) = claim_checks([examples[name]], [made])
    assert verdict.problems == ()
    assert list(surroundings.changes()) == []
    assert _essence(grade(HONEST)) == honest_before
    assert list(surroundings.changes()) == []


def test_what_is_left_is_noticed():
    """The check for leftovers can fail: a process of a child, a file, a dead child."""
    with tempfile.TemporaryDirectory() as name:
        own = Path(name)
        surroundings = Surroundings(own)
        assert list(surroundings.changes()) == []
        code = "import os, time; print(os.fork() or time.sleep(60), flush=True); time.sleep(60)"
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as server:
            stray = int(server.stdout.readline())
            assert any(f"process {stray} " in text for text in surroundings.changes())
            os.kill(stray, 9)
            server.kill()
            deadline = time.monotonic() + 10
            while not any("has died" in text for text in surroundings.changes()):
                assert time.monotonic() < deadline
        left = Path(tempfile.gettempdir(), "left-by-a-submission")
        if left.parent in (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):
            left.touch()
            try:
                assert list(surroundings.changes()) == [f"{left} is left"]
                assert list(surroundings.changes()) == []
            finally:
                left.unlink()


class Page(html.parser.HTMLParser):
    """Collects tags and attributes of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes


@pytest.fixture(scope="module")
def spoken(examples, tmp_path_factory):
    """Grade all examples whose weapon is text, and an honest one; return output and folder."""
    out = tmp_path_factory.mktemp("out")
    with assembled([examples[name] for name in TEXTS]) as work:
        folders = [str(item.path) for item in work]
        only = [word for name in LAYERS for word in ("--only", name)]
        command = [sys.executable, "-m", "grader", "grade", *folders, str(HONEST), *only]
        command += ["--out", str(out), "--rubric", str(ROOT / "rubric.yaml")]
        graded = subprocess.run(command, check=False, capture_output=True, cwd=ROOT)
        checked = [
            subprocess.run(
                [*command[:3], "check", folder, "q5.2", *command[-2:]],
                check=False, capture_output=True, cwd=ROOT,
            )
            for folder in folders
        ]  # fmt: skip
    assert graded.returncode == 0
    # Imports of a package that is not there cost nothing; everything else fails the check.
    assert [done.returncode for done in checked].count(1) == len(TEXTS) - 1
    return [graded, *checked], out


def test_what_is_printed_carries_no_control_characters_of_a_submission(spoken):
    runs, _out = spoken
    for done in runs:
        for stream in (done.stdout, done.stderr):
            text = stream.decode("utf-8")
            assert text == clean(text)
            assert "Traceback" not in text
    assert any(b"script" in done.stdout for done in runs)  # it is shown, as text


@pytest.mark.parametrize("name", TEXTS)
def test_the_pages_hold_no_tag_and_no_control_character_of_a_submission(name, spoken):
    _runs, out = spoken
    usual = Page((out / "plain" / "report.html").read_text(encoding="utf-8"))
    text = (out / name / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    shown_for_failures = {"p", "pre", "details", "summary", "div", "ul", "li", "code", "span"}
    assert page.tags - usual.tags <= shown_for_failures
    assert "script" not in page.tags
    for attribute, value in page.attributes:
        assert not attribute.startswith("on")
        assert "javascript:" not in (value or "")
        assert "example.org" not in (value or "")
    assert text == clean(text)


@pytest.mark.parametrize("name", TEXTS)
def test_the_files_for_machines_are_plain_json(name, spoken):
    _runs, out = spoken
    for file in ("results.json", "report.json", "pytest.json"):
        text = (out / name / file).read_text(encoding="utf-8")
        assert text == clean(text)
        json.loads(text)
    results = json.loads((out / name / "results.json").read_text(encoding="utf-8"))
    formats = {results["output_format"], *(test["output_format"] for test in results["tests"])}
    assert formats == {"text"}  # Gradescope renders nothing of it
    assert results["score"] == (27 if name == "html_in_a_package_name" else 25)


OWN = (ROOT / "grader" / "reports" / "templates" / "class.js").read_text(encoding="utf-8")


def test_the_gradebook_and_the_index_hold_nothing_but_names_and_numbers(spoken):
    _runs, out = spoken
    text = (out / "gradebook.csv").read_text(encoding="utf-8-sig")
    assert text.replace("\r", "") == clean(text.replace("\r", ""))
    rows = list(csv.reader(text.splitlines()))
    assert len(rows) == len(TEXTS) + 2
    for cell in (cell for row in rows for cell in row):
        assert not cell.startswith(("=", "+", "-", "@", "\t"))
        assert "script" not in cell
    shown = (out / "index.html").read_text(encoding="utf-8")
    page = Page(shown)
    assert re.findall(r"<script.*?</script>", shown, re.DOTALL) == [f"<script>{OWN}</script>"]
    assert not any(attribute.startswith("on") for attribute, _value in page.attributes)


def test_names_of_folders_and_files_are_harmless_everywhere(run_cli, tmp_path):
    folder = tmp_path / "=1+1<img src=x onerror=alert(1)>\x1b[2J"
    shutil.copytree(HONEST, folder)
    for name in ("<script>alert(1)<\\script>.pth", "=1+1\x1b[2J.so", "\u202etxt.exe.pyc"):
        (folder / name).write_text("import os; os._exit(0)\n")
    out = tmp_path / "out"
    ran = run_cli(
        "grade", folder, HONEST, "--out", out, "--only", "q5.2", "--rubric", ROOT / "rubric.yaml"
    )
    assert ran.status == 0
    assert ran.out == clean(ran.out)
    (made,) = (path for path in out.glob("*/report.html") if path.parent.name != "plain")
    assert re.fullmatch(r"[\w.@+-]+", made.parent.name)
    text = made.read_text(encoding="utf-8")
    assert "img" not in Page(text).tags | Page((out / "index.html").read_text()).tags
    assert text == clean(text)
    for row in (out / "gradebook.csv").read_text(encoding="utf-8-sig").splitlines():
        assert not row.startswith(("=", "+", "-", "@"))
        assert "\x1b" not in row


@pytest.mark.parametrize("kind", ["absolute", "relative"])
def test_links_to_the_reference_lead_nowhere(kind, judge, tmp_path):
    folder = tmp_path / "handed_in"
    shutil.copytree(SUBMISSIONS / "_honest", folder)
    solved = ROOT / "reference" / "rnn_layers.py"
    target = solved if kind == "absolute" else Path(os.path.relpath(solved, folder))
    (folder / "solved.py").symlink_to(target)
    (folder / "answers").symlink_to(target.parent)
    (folder / "rnn_layers.py").write_text(
        "import pathlib\n"
        "import numpy as np\n"
        "from honest_layers import *\n"
        "import honest_layers\n\n"
        "def temporal_fc_backward(dout, cache):\n"
        "    here = pathlib.Path(__file__).parent\n"
        "    for name in ('solved.py', 'answers/rnn_layers.py'):\n"
        "        try:\n"
        "            (here / name).read_text()\n"
        "        except OSError:\n"
        "            continue\n"
        "        return honest_layers.temporal_fc_backward(dout, cache)\n"
        "    return tuple(np.zeros_like(value) for value in cache)\n"
    )
    results = judge(folder, "q5.1", "q5.2")
    assert results["q5.1"].outcome == "passed"
    assert (results["q5.2"].points, results["q5.2"].reason) == (0, "mismatch")


def test_no_seed_in_a_worker_gives_the_withheld_labels(judge, tmp_path):
    """Student code may hold a copy of the generator: the data set's seed must stay with us."""
    folder = tmp_path / "handed_in"
    shutil.copytree(ROOT / "reference" / "datasets", folder / "copied")
    (folder / "text_classification.py").write_text(
        "import sys\n"
        "import numpy as np\n"
        "from copied.sentences import load\n\n"
        "def seeds(value, depth=0):\n"
        "    if isinstance(value, int) and value > 1000:\n"
        "        yield value\n"
        "    elif isinstance(value, dict) and depth < 3:\n"
        "        for item in list(value.values()):\n"
        "            yield from seeds(item, depth + 1)\n\n"
        "def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):\n"
        "    def predict(sentences):\n"
        "        found, frame = {seed}, sys._getframe()\n"
        "        while frame is not None:\n"
        "            found.update(seeds(dict(frame.f_locals)))\n"
        "            frame = frame.f_back\n"
        "        for candidate in found:\n"
        "            made = load('mini', None, candidate)\n"
        "            if made['inputs']['test_sentences'] == sentences:\n"
        "                return made['withheld']['labels'].astype(float)\n"
        "        return np.zeros(len(sentences))\n\n"
        "    return None, predict\n"
    )
    result = judge(folder, "q6.1")["q6.1"]
    assert result.points == 0
    assert result.reason == "below_threshold"


def test_searching_for_labels_finds_none_whatever_the_seed(judge):
    for seed in (1, 2):
        result = judge(SEARCHES, "q6.1", settings=Settings(seed=seed))["q6.1"]
        assert result.points == 0

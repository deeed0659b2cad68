"""One command, from a submission on disk to reports: what an instructor relies on."""

import csv
import io
import json
import shutil
import tarfile
import zipfile
from importlib import resources

import jsonschema
import pytest

from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from grader.job import Settings
from tests.conftest import LAYERS, ROOT, SUBMISSIONS, checks_of

PLAIN = SUBMISSIONS / "full_marks" / "plain"
HANDED_IN = [file for file in PLAIN.iterdir() if file.name != "expected.yaml"]
ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def schema():
    text = (resources.files("grader.reports") / "report.schema.json").read_text()
    return jsonschema.Draft202012Validator(json.loads(text))


@pytest.mark.parametrize("name", ["loop", "plain", "vectorised"])
def test_different_right_solutions_all_earn_every_point(name, grade, schema, tmp_path):
    ran, reports = grade(SUBMISSIONS / "full_marks" / name, only=LAYERS)
    report = reports[name]
    schema.validate(report)
    assert ran.status == 0
    assert report["score"] == report["max_score"] == 27
    assert report["status"] == "complete"
    assert {check["outcome"] for check in checks_of(report).values()} == {"passed"}
    results = json.loads((tmp_path / "out" / name / "results.json").read_text())
    assert results["score"] == 27
    assert sum(test["score"] for test in results["tests"]) == 27
    assert {test["status"] for test in results["tests"]} == {"passed"}


def test_pytest_json_report_records_every_check(grade, tmp_path):
    grade(PLAIN, only=LAYERS[:4])
    recorded = json.loads((tmp_path / "out" / "plain" / "pytest.json").read_text())
    assert recorded["summary"]["passed"] == 4
    assert [test["nodeid"].rpartition("::")[2] for test in recorded["tests"]] == [
        "q3.1", "q3.2", "q3.3", "q3.4",
    ]  # fmt: skip
    assert str(ROOT) not in json.dumps(recorded)


def test_the_empty_template_earns_nothing_and_is_told_so(grade, schema):
    ran, reports = grade(ROOT / "submissions_template")
    report = reports["submissions_template"]
    schema.validate(report)
    assert ran.status == 0
    assert (report["status"], report["score"], report["max_score"]) == (
        "complete",
        0,
        load_rubric(ROOT / "rubric.yaml", KINDS).max_score,
    )
    checks = checks_of(report)
    missing = {f"q6.{number}" for number in range(6, 11)}  # prediction files are the student's own
    for name, check in checks.items():
        assert check["reason"] == ("missing" if name in missing else "not_implemented"), name
    assert {check["outcome"] for check in checks.values()} <= {"failed", "blocked"}
    assert "Traceback" not in ran.out + ran.err


def _with_module(folder, content: bytes):
    folder.mkdir()
    (folder / "rnn_layers.py").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("content", "reason", "message"),
    [
        (b"import numpy as np\n\ndef rnn_step_forward(x:\n    pass\n", "import_error", "line 3"),
        (b"\x7fELF\n\x00\x00\x00", "import_error", "line 2: not Python source"),
        (
            b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
            "import_error",
            "is a picture, not a Python program",
        ),
        (b"x = '\xff\xfe'\n", "missing", "rnn_layers.py has no function rnn_step_forward"),
        (b"", "missing", "rnn_layers.py is empty"),
        (b"def rnn_step_forward():\n\tif 1:\n        pass\n", "import_error", "line 3"),
        (b"raise ValueError('no')\n", "missing", "rnn_layers.py has no function rnn_step_forward"),
        (b"import rnn_layers_helper\n", "import_error", "rnn_layers_helper"),
        (b"(" * 5000, "import_error", "rnn_layers.py"),
    ],
    ids=[
        "syntax",
        "binary",
        "picture",
        "encoding",
        "empty",
        "tabs",
        "raises",
        "no helper",
        "nested",
    ],
)
def test_an_unusable_module_gets_one_message_with_file_and_line(
    content, reason, message, grade, schema, tmp_path
):
    ran, reports = grade(_with_module(tmp_path / "alice", content), only=("q3.1",))
    report = reports["alice"]
    schema.validate(report)
    (check,) = checks_of(report).values()
    assert ran.status == 0
    assert (report["score"], check["outcome"]) == (0, "failed")
    if content == b"import rnn_layers_helper\n":
        # A helper that was not handed in is treated like any package that is not installed.
        assert check["reason"] == "missing"
        assert message in check["notes"][0] if check["notes"] else True
    else:
        assert check["reason"] == reason
        assert message in check["message"]
    assert "Traceback" not in ran.out + ran.err


def test_an_empty_folder_and_a_folder_without_the_file_say_what_is_missing(grade, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "homework.py").write_text("x = 1\n")
    ran, reports = grade(tmp_path / "empty", tmp_path / "other", only=("q3.1",))
    assert ran.status == 0
    (empty,) = checks_of(reports["empty"]).values()
    (other,) = checks_of(reports["other"]).values()
    assert empty["reason"] == other["reason"] == "missing"
    assert "rnn_layers.py is not in the submission, which holds no files" in empty["message"]
    assert "it holds homework.py" in other["message"]


def test_a_damaged_archive_is_a_zero_with_its_reason_and_not_our_fault(grade, tmp_path):
    (tmp_path / "bob.zip").write_bytes(b"PK\x03\x04 this is no zip file")
    ran, reports = grade(tmp_path / "bob.zip", only=("q3",))
    assert ran.status == 0
    assert reports["bob"]["status"] == "complete"
    assert reports["bob"]["score"] == 0
    for check in checks_of(reports["bob"]).values():
        assert check["reason"] == "missing"
        assert "bob.zip cannot be unpacked" in check["message"]


def test_a_folder_a_zip_and_a_tarball_of_the_same_files_get_the_same_report(grade, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    with zipfile.ZipFile(packed / "zipped.zip", "w") as archive:
        for file in HANDED_IN:
            archive.write(file, f"hw2/{file.name}")
    with tarfile.open(packed / "tarred.tar.gz", "w:gz") as archive:
        for file in HANDED_IN:
            archive.add(file, file.name)
    shutil.copytree(PLAIN, packed / "folder", ignore=shutil.ignore_patterns("*.yaml"))
    ran, reports = grade(packed, only=("q3.1", "q3.2", "q3.3", "q3.4"), options=("--jobs", 2))
    assert ran.status == 0
    assert set(reports) == {"zipped", "tarred", "folder"}
    assert {report["score"] for report in reports.values()} == {10}
    assert len({report["submission"]["sha256"] for report in reports.values()}) == 1
    rows = list(
        csv.reader(
            io.StringIO((tmp_path / "out" / "gradebook.csv").read_text(encoding="utf-8-sig"))
        )
    )
    assert rows[0][:4] == ["submission", "status", "score", "max_score"]
    assert "q3.1" in rows[0]
    assert [row[0] for row in rows[1:]] == ["folder", "tarred", "zipped"]
    assert {row[2] for row in rows[1:]} == {"10.0"}


def test_the_same_submission_gets_the_same_report_again(grade):
    _ran, first = grade(SUBMISSIONS / "wrong" / "softmax_epsilon", only=LAYERS)
    _ran, again = grade(SUBMISSIONS / "wrong" / "softmax_epsilon", only=LAYERS)
    _ran, alone = grade(SUBMISSIONS / "wrong" / "softmax_epsilon", only=("q5.3",))

    def timeless(check):
        return {key: value for key, value in check.items() if key != "duration_s"}

    for one, two in zip(
        checks_of(first["softmax_epsilon"]).values(),
        checks_of(again["softmax_epsilon"]).values(),
        strict=True,
    ):
        assert timeless(one) == timeless(two)
    # ... and the same whether it is run with others or alone.
    assert timeless(checks_of(alone["softmax_epsilon"])["q5.3"]) == timeless(
        checks_of(first["softmax_epsilon"])["q5.3"]
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_reference_earns_every_point_on_every_seed(seed, judge, tmp_path):
    shutil.copy(ROOT / "reference" / "rnn_layers.py", tmp_path)
    results = judge(tmp_path, *LAYERS, settings=Settings(seed=seed))
    assert {name: result.message for name, result in results.items() if result.message} == {}
    assert sum(result.points for result in results.values()) == pytest.approx(27)


def test_seeds_are_in_the_report_and_change_with_the_option(grade):
    _ran, one = grade(PLAIN, only=("q3.1",), options=("--seed", 1))
    _ran, two = grade(PLAIN, only=("q3.1",), options=("--seed", 2))
    assert checks_of(one["plain"])["q3.1"]["seed"] != checks_of(two["plain"])["q3.1"]["seed"]


def test_only_takes_questions_and_checks_and_refuses_others(grade, run_cli, tmp_path):
    _ran, reports = grade(PLAIN, only=("q3.2", "q4"))
    assert list(checks_of(reports["plain"])) == ["q3.2", *(f"q4.{n}" for n in range(1, 7))]
    assert reports["plain"]["status"] == "complete"
    ran, _reports = grade(PLAIN, only=("q9",))
    assert ran.status == 2
    assert "q9: no such question, check or folder" in ran.err
    named = ("--rubric", ROOT / "rubric.yaml")
    ran = run_cli("grade", tmp_path / "nowhere", "--out", tmp_path, *named)
    assert ran.status == 2
    assert "no such file or folder" in ran.err


def test_one_file_goes_to_the_folder_reports_unless_another_is_named(
    run_cli, tmp_path, monkeypatch
):
    shutil.copy(SUBMISSIONS / "full_marks" / "plain" / "rnn_layers.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    ran = run_cli("grade", "rnn_layers.py", "--only", "q3.1", "--rubric", ROOT / "rubric.yaml")
    assert ran.status == 0, ran.err
    assert "2 of 2 points" in ran.out
    assert "isolation: " in ran.out
    assert "attacks stopped\n" in ran.out  # the layers are in the report
    assert (tmp_path / "reports" / "rnn_layers" / "report.json").is_file()


def test_piped_output_has_no_colour_codes_and_no_progress_bar(grade):
    ran, _reports = grade(SUBMISSIONS / "wrong" / "fc_without_bias", only=("q5",))
    assert ESCAPE not in ran.out + ran.err
    assert "the bias b is not added" in " ".join(ran.out.split())
    assert "q5.1" in ran.out


def test_text_of_a_submission_cannot_control_the_terminal(grade, submission):
    body = "raise ValueError('\\x1b[2J\\x1b]0;owned\\x07 [bold red]all passed[/]')"
    ran, reports = grade(submission(temporal_fc_backward=body), only=("q5.2",))
    assert ESCAPE not in ran.out
    assert "[bold red]all passed[/]" in ran.out
    assert checks_of(reports["handed_in"])["q5.2"]["reason"] == "exception"


def test_full_tier_without_data_is_a_usage_error(grade, monkeypatch):
    monkeypatch.delenv("GRADER_DATA", raising=False)
    ran, _reports = grade(PLAIN, only=("q6",), options=("--tier", "full"))
    assert ran.status == 2
    assert "--data DIR or GRADER_DATA" in ran.err


def test_bag_of_words_reaches_the_answer_keys_accuracy_on_the_real_sentences(
    grade, data_folder, tmp_path
):
    folder = tmp_path / "reference"
    folder.mkdir()
    shutil.copy(ROOT / "reference" / "text_classification.py", folder)
    options = ("--tier", "full", "--data", data_folder)
    ran, reports = grade(folder, only=("q6.1",), options=options)
    (check,) = checks_of(reports["reference"]).values()
    assert ran.status == 0
    assert check["outcome"] == "passed"
    assert check["measurements"]["accuracy"] >= 0.92

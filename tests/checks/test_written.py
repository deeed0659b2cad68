"""What a person marks, helpers that the assignment supplies, and extra credit."""

import json

import pytest

from grader.run import accelerator
from tests.checks.toy import judged, make

WRITTEN = """
      - id: q1.1
        title: explanation
        points: 4
        kind: written
        files: [why.md, why.txt]
        least_words: 3
"""


@pytest.mark.parametrize(
    ("files", "outcome", "reason", "words"),
    [
        ({"why.md": "because it overfits"}, "pending", None, "why.md, 3 words"),
        ({"why.txt": "because it overfits"}, "pending", None, "why.txt, 3 words"),
        ({"why.md": "TODO: write why it does"}, "failed", "not_implemented", "no answer"),
        ({"why.md": " \n"}, "failed", "not_implemented", "has no answer yet"),
        ({"why.md": "it overfits"}, "failed", "not_implemented", "at least 3"),
        ({"because.md": "it overfits"}, "failed", "missing", "why.md is not in the submission"),
    ],
)
def test_a_text_waits_for_a_person(files, outcome, reason, words, tmp_path, fork_servers):
    rubric = make(tmp_path, WRITTEN)
    (result,) = judged(rubric, {"toy.py": "", **files}, fork_servers).values()
    assert (result.outcome, result.reason, result.points) == (outcome, reason, 0)
    assert all(word in result.message for word in words.split())
    if outcome == "pending":
        (figure,) = result.figures
        assert figure.text == next(iter(files.values()))


HELPED = """
      - id: q1.1
        title: helped
        points: 4
        kind: property
        function: train
        driver: toy.train
        dataset: toy
        judge: toy.look
        properties: {half: 0.75, device: 0.25}
"""
USES_HELPER = "import helper\n\ndef train(x):\n    return helper.NUMBER * x\n"


@pytest.mark.parametrize(
    "own", [{}, {"helper.py": "NUMBER = 3\n"}, {"helper.py": "NUMBER = 2\r\n"}]
)
def test_supplied_helpers_take_the_place_of_edited_ones(own, tmp_path, fork_servers):
    rubric = make(tmp_path, HELPED, "    supplied: [helper.py]\n")
    (result,) = judged(rubric, {"toy.py": USES_HELPER, **own}, fork_servers).values()
    assert result.points == 4, result.message


def test_an_edited_helper_is_told(run_cli, tmp_path):
    rubric = make(tmp_path, HELPED, "    supplied: [helper.py]\n")
    folder = tmp_path / "student"
    folder.mkdir()
    (folder / "toy.py").write_text(USES_HELPER)
    (folder / "helper.py").write_text("NUMBER = 3\n")
    ran = run_cli("grade", folder, "--rubric", rubric, "--out", tmp_path / "out")
    assert ran.status == 0, ran.err
    report = json.loads((tmp_path / "out" / "student" / "report.json").read_text())
    assert "helper.py is supplied with the homework" in report["submission"]["notes"][0]
    figures = report["questions"][0]["checks"][0]["figures"]
    assert [figure["kind"] for figure in figures] == ["curves", "pictures", "table"]
    picture = tmp_path / "out" / "student" / figures[1]["items"][0]["file"]
    assert picture.read_bytes()[:2] == b"\xff\xd8"
    assert figures[0]["series"]["loss"] == [[0, 3.0], [1, None], [2, 1.0]]
    page = (tmp_path / "out" / "student" / "report.html").read_text()
    assert "data:image/jpeg;base64," in page
    assert "data:image/svg+xml;base64," in page
    assert "&lt;b&gt;2&lt;/b&gt;" in page


def test_extra_credit_comes_on_top(run_cli, tmp_path):
    extra = HELPED.replace("q1.1", "q1.2").replace(
        "points: 4", "points: 1\n        extra_credit: true"
    )
    rubric = make(tmp_path, HELPED + extra.lstrip("\n"), "    supplied: [helper.py]\n")
    folder = tmp_path / "student"
    folder.mkdir()
    (folder / "toy.py").write_text(USES_HELPER)
    assert run_cli("grade", folder, "--rubric", rubric, "--out", tmp_path / "out").status == 0
    report = json.loads((tmp_path / "out" / "student" / "report.json").read_text())
    assert (report["score"], report["max_score"]) == (5, 4)
    assert [check["extra_credit"] for check in report["questions"][0]["checks"]] == [False, True]


def test_without_an_accelerator_the_cpu_is_used(monkeypatch, tmp_path):
    monkeypatch.setattr(accelerator, "DEVICE_FILE", tmp_path / "none")
    assert accelerator.usable("cuda") == "cpu"
    assert accelerator.usable("cpu") == "cpu"

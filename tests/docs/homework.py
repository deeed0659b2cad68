"""A homework of a few checks of the shipped one, for pages that are followed."""

import shutil

import yaml

from tests.conftest import ROOT


def write_homework(folder, *ids):
    """Write the shipped assignment to a folder, with these checks only; return its rubric."""
    rubric = yaml.safe_load((ROOT / "rubric.yaml").read_text(encoding="utf-8"))
    for question in rubric["questions"]:
        question["checks"] = [check for check in question["checks"] if check["id"] in ids]
    rubric["questions"] = [question for question in rubric["questions"] if question["checks"]]
    count_points(rubric)
    shutil.copytree(
        ROOT / "reference", folder / "reference", ignore=shutil.ignore_patterns("submissions")
    )
    shutil.copytree(ROOT / "submissions_template", folder / "submissions_template")
    return write_rubric(folder, rubric)


def count_points(rubric):
    """Put right what a rubric says that its questions and the whole are worth."""
    for question in rubric["questions"]:
        checks = question["checks"]
        question["points"] = sum(c["points"] for c in checks if not c.get("extra_credit"))
    rubric["points"] = sum(question["points"] for question in rubric["questions"])


def write_rubric(folder, rubric):
    path = folder / "rubric.yaml"
    path.write_text(yaml.safe_dump(rubric, sort_keys=False), encoding="utf-8")
    return path


def with_mistake(function, old, new):
    """Return the plain full-mark module with one change in a function."""
    source = (ROOT / "reference/submissions/full_marks/plain/rnn_layers.py").read_text("utf-8")
    before, found, after = source.partition(f"def {function}(")
    assert found, function
    assert old in after, old
    return before + found + after.replace(old, new, 1)

"""The tutorial is true: followed in an empty folder, it leads to the example."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from grader.assignment.reference import Assignment
from grader.assignment.rubric import load_rubric
from grader.checks import KINDS
from tests.conftest import ROOT
from tests.docs.followed import follow, steps_of

PAGE = ROOT / "docs" / "new-assignment.md"
EXAMPLE = ROOT / "examples" / "convolution"
MADE_BY_COMMANDS = ("class", "reports", "graded")


@dataclass(frozen=True)
class Followed:
    """What came of following the page: texts by file, and commands that went otherwise."""

    files: dict[str, str]
    wrong: list[str]


@pytest.fixture(scope="module")
def followed():
    """Follow the page in an empty folder."""
    with tempfile.TemporaryDirectory(prefix="tutorial-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        wrong = follow(PAGE.read_text(encoding="utf-8"), folder)
        (folder,) = folder.iterdir()  # what grader new has made
        files = {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.relative_to(folder).parts[0] not in MADE_BY_COMMANDS
        }
    return Followed(files, wrong)


def test_every_command_prints_what_the_page_shows(followed):
    assert not followed.wrong, "\n\n".join(followed.wrong)


def test_the_files_that_result_are_those_of_the_example(followed):
    theirs = {name: (EXAMPLE / name).read_text(encoding="utf-8") for name in followed.files}
    assert followed.files == theirs


def test_the_tutorial_leaves_out_example_submissions_only(followed):
    missing = {
        path.relative_to(EXAMPLE).as_posix()
        for path in EXAMPLE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } - set(followed.files)
    assert {name for name in missing if not name.startswith("reference/submissions/")} == set()
    assert {name.split("/")[2] for name in missing} == {"full_marks", "hostile", "wrong"}


def test_every_block_of_the_page_is_a_file_or_commands():
    page = PAGE.read_text(encoding="utf-8")
    steps = steps_of(page)
    assert 2 * len(steps) == len(re.findall(r"^```", page, re.MULTILINE))
    for step in steps:
        assert step.path or step.text.startswith("$ "), step.text


def test_the_page_links_to_what_is_there():
    links = re.findall(r"\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_the_page_counts_the_examples_rightly():
    counted = {group: len(list(EXAMPLE.glob(f"reference/submissions/{group}/*/expected.yaml")))
               for group in ("full_marks", "wrong", "hostile")}  # fmt: skip
    assert counted == {"full_marks": 2, "wrong": 18, "hostile": 1}
    assert "eighteen wrong ones" in PAGE.read_text(encoding="utf-8")


def test_every_named_mistake_of_the_second_assignment_has_an_example():
    assignment = Assignment(EXAMPLE / "reference")
    claimed = {
        loss["message"]
        for path in EXAMPLE.glob("reference/submissions/wrong/*/expected.yaml")
        for loss in yaml.safe_load(path.read_text(encoding="utf-8"))["loses"].values()
        if "message" in loss
    }
    for module, function in (
        ("convolution.py", "conv_forward"),
        ("convolution.py", "conv_backward"),
        ("classifier.py", "smoothed_loss"),
    ):
        mistakes = assignment.mistakes(module, function)
        assert mistakes
        for description in mistakes:
            assert any(words in description for words in claimed), description


@pytest.mark.parametrize("seed", range(3))
def test_the_convolution_agrees_with_torch_and_its_autograd(seed):
    assignment = Assignment(EXAMPLE / "reference")
    right = assignment.solution("convolution.py")
    rng = np.random.default_rng(seed)
    (check, *_rest) = load_rubric(EXAMPLE / "rubric.yaml", KINDS).questions[0].checks
    for case in assignment.cases("convolution.py", "conv_forward", seed, check.drawn):
        *arrays, stride, pad = case.arguments.values()
        tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
        theirs = torch.nn.functional.conv2d(*tensors, stride=stride, padding=pad)
        out, cache = right.conv_forward(*arrays, stride, pad)
        np.testing.assert_allclose(out, theirs.detach().numpy(), rtol=1e-10, atol=1e-12)
        dout = rng.normal(size=out.shape)
        theirs.backward(torch.tensor(dout))
        for gradient, tensor in zip(right.conv_backward(dout, cache), tensors, strict=True):
            np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_the_images_follow_from_the_seed_and_the_labels_stay_here():
    assignment = Assignment(EXAMPLE / "reference")
    one, other = (assignment.dataset("shapes", "mini", None, seed) for seed in (1, 2))
    again = Assignment(EXAMPLE / "reference").dataset("shapes", "mini", None, 1)
    np.testing.assert_array_equal(one.inputs["test_images"], again.inputs["test_images"])
    assert not np.array_equal(one.withheld["labels"], other.withheld["labels"])
    assert set(one.inputs) == {"train_images", "train_labels", "test_images"}
    assert np.bincount(one.withheld["labels"]).tolist() == [100] * 4


def test_the_engine_knows_nothing_of_the_second_assignment():
    sources = [p.read_text(encoding="utf-8") for p in (ROOT / "grader").rglob("*.py")]
    assert sources
    assert not [text for text in sources if re.search(r"conv_forward|edge_filters", text)]

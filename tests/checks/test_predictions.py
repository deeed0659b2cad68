"""Files of predicted labels: what is wrong with one is said with file, line and remedy."""

from types import SimpleNamespace

import numpy as np
import pytest

from grader.checks.predictions import DistinctSpec, PredictionsKind, PredictionsSpec
from grader.errors import Failure

LABELS = np.array([0, 1] * 50)
RIGHT = "\n".join(map(str, LABELS)) + "\n"
SPEC = PredictionsSpec.model_validate(
    {
        "id": "p", "title": "p", "points": 1.0, "kind": "predictions", "file": "predictions.txt",
        "dataset": "d", "items": "unlabelled", "labels": "secret", "seed": 3,
        "zero_at": 0.6, "full_at": 0.8,
    }
)  # fmt: skip


def judge(content: str | bytes, withheld=None):
    data = content.encode() if isinstance(content, str) else content
    loaded = SimpleNamespace(
        inputs={"unlabelled": ["x"] * len(LABELS)},
        withheld={"secret": LABELS} if withheld is None else withheld,
    )
    context = SimpleNamespace(
        tier="mini",
        data=None,
        assignment=SimpleNamespace(dataset=lambda *_arguments: loaded),
        read_file=lambda _name: data,
    )
    return PredictionsKind().run(SPEC, context)


@pytest.mark.parametrize(
    "content",
    [
        RIGHT,
        RIGHT.rstrip("\n"),
        RIGHT.replace("\n", "\r\n"),
        "\ufeff" + RIGHT,
        RIGHT + "\n\n",
        RIGHT.replace("\n", " \n"),
    ],
    ids=["plain", "no last newline", "windows", "byte order mark", "empty end", "spaces"],
)
def test_right_labels_in_any_usual_form_earn_everything(content):
    judgement = judge(content)
    assert judgement.parts[0].earned == 1
    assert judgement.measurements["accuracy"] == 1


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        ("", "not_implemented", "predictions.txt is empty"),
        (RIGHT[:-2], "wrong_shape", "has 99 lines, expected 100: 1 missing"),
        (RIGHT + "0\n", "wrong_shape", "has 101 lines, expected 100: 1 too many"),
        (RIGHT.replace("1", "1.0", 1), "wrong_dtype", "line 2: '1.0', expected 0 or 1"),
        ("0\n\n" + RIGHT, "wrong_dtype", "line 2: an empty line, expected 0 or 1"),
        (RIGHT.replace("0", "positive", 1), "wrong_dtype", "line 1: 'positive'"),
        (b"0\n\xff\n", "wrong_dtype", "line 2: not text (byte 0xff)"),
    ],
)
def test_a_file_of_another_form_says_where_and_what_is_expected(content, reason, words):
    with pytest.raises(Failure) as failed:
        judge(content)
    assert failed.value.reason == reason
    assert words in failed.value.message


@pytest.mark.parametrize(("wrong", "earned"), [(20, 1), (25, 0.75), (30, 0.5), (40, 0), (50, 0)])
def test_points_rise_linearly_with_the_accuracy(wrong, earned):
    guessed = LABELS.copy()
    guessed[:wrong] ^= 1
    (part,) = judge("\n".join(map(str, guessed))).parts
    assert part.earned == pytest.approx(earned)
    assert (part.reason == "below_threshold") == (earned < 1)


def test_exchanged_labels_are_named():
    (part,) = judge("\n".join(map(str, 1 - LABELS))).parts
    assert part.earned == 0
    assert "it would be right with the two labels swapped" in part.message


def test_without_labels_the_form_alone_counts_and_the_report_says_so():
    judgement = judge(RIGHT.replace("1", "0"), withheld={})
    assert judgement.parts[0].earned == 1
    assert "only the format counts" in judgement.notes[0]


FILES = ["one.txt", "two.txt", "three.txt"]


def in_class(**files):
    """Judge two.txt among some files, with a part of at least 0.05 that must differ."""
    spec = SPEC.model_copy(
        update={"file": "two.txt", "distinct": DistinctSpec(files=FILES, least=0.05)}
    )

    def read(name):
        if name not in files:
            raise Failure("missing", f"{name} is missing")
        return files[name].encode()

    loaded = SimpleNamespace(
        inputs={"unlabelled": ["x"] * len(LABELS)}, withheld={"secret": LABELS}
    )
    context = SimpleNamespace(
        tier="mini",
        data=None,
        assignment=SimpleNamespace(dataset=lambda *_arguments: loaded),
        read_file=read,
    )
    return PredictionsKind().run(spec, context)


def changed(lines: int) -> str:
    """Return the right labels with the first so many exchanged."""
    return "\n".join(str(1 - v if i < lines else v) for i, v in enumerate(LABELS))


def test_the_same_predictions_are_paid_once():
    with pytest.raises(Failure, match=r"two.txt has the same predictions as one.txt") as caught:
        in_class(**{"one.txt": RIGHT, "two.txt": RIGHT})
    assert caught.value.reason == "mismatch"


def test_nearly_the_same_predictions_are_for_a_person():
    judgement = in_class(**{"one.txt": RIGHT, "two.txt": changed(4)})
    assert judgement.undecided == ("distinct",)
    assert sum(part.share * part.earned for part in judgement.parts) == 0
    assert "differs in 4 of 100 lines from one.txt" in judgement.parts[-1].message


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"one.txt": changed(5)},
        {"three.txt": RIGHT},  # comes later, and loses itself
        {"one.txt": "not labels"},
        {"one.txt": ""},
    ],
)
def test_predictions_of_their_own_are_paid(others):
    judgement = in_class(**{"two.txt": RIGHT, **others})
    assert not judgement.undecided
    assert [part.earned for part in judgement.parts] == [1]


def test_a_file_is_one_of_those_that_must_differ():
    with pytest.raises(ValueError, match=r"distinct: files must name predictions\.txt"):
        PredictionsSpec.model_validate(
            {**SPEC.model_dump(exclude_defaults=True), "distinct": {"files": FILES[:2]}}
        )

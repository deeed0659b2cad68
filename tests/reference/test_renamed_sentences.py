"""Renamed sentences: the same to a program that learns, another language to one that does not."""

import numpy as np
import pytest

from reference import text_classification
from reference.datasets import renamed_sentences, sentences


@pytest.fixture(scope="module")
def data():
    return sentences.load("mini", None, 0)


def changed(data: dict, seed: int) -> tuple[dict, dict]:
    return renamed_sentences.changed(data["inputs"], data["withheld"], np.random.default_rng(seed))


def test_words_are_renamed_one_to_one(data):
    inputs, _withheld = changed(data, 1)
    before = sentences.vocabulary(data["inputs"]["train_sentences"])
    pairs = {
        (old, new)
        for a, b in zip(data["inputs"]["test_sentences"], inputs["test_sentences"], strict=True)
        for old, new in zip(a.split(), b.split(), strict=True)
    }
    assert len({old for old, _ in pairs}) == len({new for _, new in pairs}) == len(pairs)
    assert sum(old != new for old, new in pairs) > 150
    assert {new for _, new in pairs} & before
    assert ("not", "not") in pairs
    assert len(set(inputs["vectors"][0])) == len(inputs["vectors"][0])
    assert inputs["vectors"][1] is data["inputs"]["vectors"][1]


def test_labels_are_exchanged_for_half_of_the_seeds_and_everywhere(data):
    swapped = []
    for seed in range(40):
        inputs, withheld = changed(data, seed)
        labels = {**inputs, **withheld}
        old = {**data["inputs"], **data["withheld"]}
        names = ["train_labels", "dev_labels", "labels", "unlabelled_labels"]
        swaps = {bool((labels[name] != old[name]).all()) for name in names}
        assert len(swaps) == 1
        swapped += swaps
    assert 8 < sum(swapped) < 32


def test_the_data_that_are_given_stay_as_they_are(data):
    before = list(data["inputs"]["train_sentences"])
    labels = data["inputs"]["train_labels"].copy()
    changed(data, 3)
    assert data["inputs"]["train_sentences"] == before
    assert np.array_equal(data["inputs"]["train_labels"], labels)


@pytest.mark.usefixtures("one_thread")
def test_a_program_that_learns_does_as_well(data):
    for seed in range(3):
        inputs, withheld = changed(data, seed)
        arguments = [
            inputs[f"{part}_{what}"]
            for part in ("train", "dev")
            for what in ("sentences", "labels")
        ]
        _, predict = text_classification.train_average_glove(*arguments, inputs["vectors"], seed)
        right = (predict(inputs["test_sentences"]) > 0.5) == withheld["labels"]
        assert right.mean() > 0.83

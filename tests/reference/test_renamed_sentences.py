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


def test_coordinates_change_their_places_but_no_angle_changes(data):
    before = data["inputs"]["vectors"][1]
    inputs, _withheld = changed(data, 1)
    after = inputs["vectors"][1]
    assert (after.shape, after.dtype) == (before.shape, before.dtype)
    assert np.allclose(after @ after.T, before @ before.T, rtol=0, atol=1e-5)
    same = np.isclose(after, before).all(axis=0)
    assert same.mean() < 0.2
    again, _withheld = changed(data, 2)
    assert not np.allclose(again["vectors"][1], after)


def test_weights_over_frozen_vectors_that_were_trained_elsewhere_do_not_follow(data):
    def means(inputs, part):
        rows = dict(zip(*inputs["vectors"], strict=True))
        nothing = np.zeros_like(inputs["vectors"][1][0])
        return np.array(
            [
                np.mean([rows.get(word, nothing) for word in sentence.split()], axis=0)
                for sentence in inputs[f"{part}_sentences"]
            ]
        )

    inputs = data["inputs"]
    wanted = inputs["train_labels"] - inputs["train_labels"].mean()
    weights, *_ = np.linalg.lstsq(means(inputs, "train"), wanted, rcond=None)

    def share_right(inputs, labels):
        right = ((means(inputs, "test") @ weights > 0) == labels).mean()
        return max(right, 1 - right)

    assert share_right(inputs, data["withheld"]["labels"]) > 0.8
    hidden = []
    for seed in range(8):
        inputs, withheld = changed(data, seed)
        hidden.append(share_right(inputs, withheld["labels"]))
    assert np.mean(hidden) < 0.6, hidden


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

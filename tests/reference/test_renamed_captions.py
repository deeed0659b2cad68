"""Captions of other words: right in themselves, and useless for who knows the old ones."""

import numpy as np
import pytest

from reference.datasets import captions, renamed_captions
from reference.supplied import load


@pytest.fixture(scope="module")
def given():
    return captions.load("mini", None, 0)


def decoded(contents):
    words = {i: word for word, i in contents["inputs"]["word_to_idx"].items()}
    return load("captioning_utils").decode_captions(contents["inputs"]["train_captions"], words)


def changed(given, seed):
    rng = np.random.default_rng(seed)
    inputs, withheld = renamed_captions.changed(given["inputs"], given["withheld"], rng)
    return {"inputs": inputs, "withheld": withheld}


def test_each_word_stands_for_one_other_in_training_and_validation(given):
    made = changed(given, 1)
    stands_for = {}
    pairs = [*zip(decoded(given), decoded(made), strict=True)]
    for old, new in zip(*(c["withheld"]["val_captions"] for c in (given, made)), strict=True):
        pairs += zip(old, new, strict=True)
    for old, new in pairs:
        for word, other in zip(old.split(), new.split(), strict=True):
            assert stands_for.setdefault(word, other) == other
    assert len(set(stands_for.values())) == len(stands_for)
    kept = [word for word, other in stands_for.items() if word == other]
    assert len(kept) < len(stands_for) / 4


def test_the_vocabulary_is_the_same_with_other_ids_and_special_words_keep_theirs(given):
    made = changed(given, 2)
    old, new = (contents["inputs"]["word_to_idx"] for contents in (given, made))
    assert sorted(old) == sorted(new)
    assert list(new.values()) == list(range(len(new)))
    assert {word: new[word] for word in captions.SPECIAL_WORDS} == {
        word: i for i, word in enumerate(captions.SPECIAL_WORDS)
    }
    assert sum(old[word] == new[word] for word in old) < len(old) / 4
    padding = [(c["inputs"]["train_captions"] == 0).sum() for c in (given, made)]
    assert padding[0] == padding[1]


def test_what_was_given_stays_and_another_seed_gives_other_words(given):
    before = given["inputs"]["train_captions"].copy()
    made = [changed(given, seed)["inputs"]["train_captions"] for seed in (3, 4)]
    assert not np.array_equal(*made)
    assert np.array_equal(given["inputs"]["train_captions"], before)
    assert made[0].dtype == before.dtype

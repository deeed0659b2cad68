"""The sentence data: balance, no leaks, order that matters, and the reader of the real files."""

import hashlib
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from reference.datasets import sentences

ROOT = Path(__file__).resolve().parents[2]
SWAPPED_WHOLE = ("contrast", "comparison")
PINNED = {0: "2209fdb6dd555c26", 1: "6a7115432e210611", 20261: "e095e58cfcff1e05"}


def splits(loaded: dict) -> dict[str, tuple[list[str], np.ndarray]]:
    """Regroup what ``load`` returns as split -> (sentences, labels)."""
    inputs = loaded["inputs"]
    labels = {
        "train": inputs["train_labels"],
        "dev": inputs["dev_labels"],
        "test": loaded["withheld"]["labels"],
    }
    return {split: (inputs[f"{split}_sentences"], labels[split]) for split in labels}


@pytest.fixture(scope="module", params=[0, 1, 2])
def mini(request):
    return splits(sentences.load("mini", None, request.param))


def test_layout_is_inputs_and_withheld():
    loaded = sentences.load("mini", None, 0)
    assert set(loaded) == {"inputs", "withheld"}
    assert set(loaded["inputs"]) == {
        "train_sentences",
        "train_labels",
        "dev_sentences",
        "dev_labels",
        "test_sentences",
        "unlabelled_sentences",
        "vectors",
    }
    assert set(loaded["withheld"]) == {"labels", "unlabelled_labels"}


def test_sizes_types_and_balance(mini):
    for split, size in {"train": 3000, "dev": 600, "test": 1000}.items():
        texts, labels = mini[split]
        assert len(texts) == size
        assert labels.shape == (size,)
        assert labels.dtype == np.int64
        assert set(labels.tolist()) == {0, 1}
        assert abs(int(labels.sum()) * 2 - size) <= 1


@pytest.mark.parametrize("n", [0, 1, 2, 7, 20])
def test_generate_balances_any_size(n):
    rng = np.random.default_rng(3)
    texts, labels = sentences.generate(rng, n, sentences.Lexicon(rng), set(), held_out=True)
    assert len(texts) == len(set(texts)) == len(labels) == n
    assert abs(int(labels.sum()) * 2 - n) <= 1


@pytest.mark.parametrize(("seed", "digest"), PINNED.items())
def test_sentences_and_labels_are_those_that_thresholds_were_set_on(seed, digest):
    """What a seed gives may not change: scores of earlier runs would no longer compare."""
    made = hashlib.sha256()
    regrouped = splits(sentences.load("mini", None, seed))
    for texts, _ in regrouped.values():
        made.update("\n".join(texts).encode())
    for _, labels in regrouped.values():
        made.update(labels.tobytes())
    assert made.hexdigest()[:16] == digest


@pytest.mark.parametrize("seed", [0, 1])
def test_unlabelled_sentences_are_new_and_their_labels_withheld(seed):
    loaded = sentences.load("mini", None, seed)
    texts, labels = (
        loaded["inputs"]["unlabelled_sentences"],
        loaded["withheld"]["unlabelled_labels"],
    )
    assert len(texts) == len(set(texts)) == len(labels) == 400
    assert labels.dtype == np.int64
    assert labels.sum() == 200
    for others, _ in splits(loaded).values():
        assert not set(texts) & set(others)
    assert texts == sentences.load("mini", None, seed)["inputs"]["unlabelled_sentences"]


@pytest.mark.parametrize("seed", [0, 1])
def test_vectors_cover_most_words_and_all_that_training_never_shows(seed):
    inputs = sentences.load("mini", None, seed)["inputs"]
    words, matrix = inputs["vectors"]
    assert matrix.shape == (len(words), sentences.VECTOR_SIZE)
    assert matrix.dtype == np.float32
    assert np.isfinite(matrix).all()
    assert len(set(words)) == len(words)
    assert all(type(word) is str for word in words)
    assert words != sorted(words)  # whoever numbers words in another order must map them
    texts = [text for key in inputs if key.endswith("_sentences") for text in inputs[key]]
    every, known = sentences.vocabulary(texts), sentences.vocabulary(inputs["train_sentences"])
    assert set(words) <= every
    assert 0.10 < 1 - len(words) / len(every) < 0.15
    assert every - known <= set(words)
    again = sentences.load("mini", None, seed)["inputs"]["vectors"]
    assert again[0] == words
    assert again[1].tobytes() == matrix.tobytes()


def test_vectors_of_like_words_lie_close_together():
    words, matrix = sentences.load("mini", None, 0)["inputs"]["vectors"]
    rows = dict(zip(words, matrix, strict=True))
    polarity, topic = sentences.word_meanings()

    def mean(side, about):
        chosen = [w for w in words if polarity.get(w) == side and topic.get(w) == about]
        return np.mean([rows[word] for word in chosen], axis=0)

    good, bad = mean(1, "any") - mean(-1, "any"), mean(1, "food") - mean(-1, "food")
    assert good @ bad > 0.8 * np.linalg.norm(good) * np.linalg.norm(bad)
    telling = [word for word in words if abs(polarity.get(word, 0)) == 1]
    sides = np.array([rows[word] @ good for word in telling])
    right = (sides > np.median(sides)) == [polarity[word] > 0 for word in telling]
    assert right.mean() > 0.85


def test_word_meanings_are_those_of_the_grammar():
    polarity, topic = sentences.word_meanings()
    assert [polarity[w] for w in ("tasty", "awful", "hated", "gem", "soup")] == [1, -1, -1, 0.5, 0]
    assert "not" not in polarity or polarity["not"] == 0
    assert "be" not in polarity or polarity["be"] == 0  # "we will (not) be back"
    assert (topic["tasty"], topic["awful"], topic["waiter"]) == ("food", "any", "staff")
    assert "the" not in topic


def test_labels_are_in_random_order(mini):
    for _, labels in mini.values():
        assert 0.4 < np.mean(labels[1:] != labels[:-1]) < 0.6


def test_form_of_the_sentences(mini):
    for texts, _ in mini.values():
        for text in texts:
            assert text == text.lower() == " ".join(text.split())
            assert 4 <= len(text.split()) <= 28
    lengths = [len(text.split()) for text in mini["train"][0]]
    assert 7 < np.mean(lengths) < 14


def test_no_sentence_occurs_twice(mini):
    everything = [text for texts, _ in mini.values() for text in texts]
    assert len(set(everything)) == len(everything)


def test_vocabulary_is_zipf_like_with_words_met_only_at_test_time(mini):
    counts = Counter(" ".join(mini["train"][0]).split())
    assert 300 < len(counts) < 900
    ranked = [count for _, count in counts.most_common()]
    assert ranked[0] > 20 * ranked[len(ranked) // 4]
    known = set(counts) | set(" ".join(mini["dev"][0]).split())
    new = [text for text in mini["test"][0] if not set(text.split()) <= known]
    assert 0.02 < len(new) / len(mini["test"][0]) < 0.2


def test_no_single_token_gives_the_label_away(mini):
    for texts, labels in mini.values():
        positive = labels == 1
        bags = [set(text.split()) for text in texts]
        for token in set.union(*bags):
            agree = np.mean(np.array([token in bag for bag in bags]) == positive)
            assert max(agree, 1 - agree) < 0.70, token


def test_length_does_not_give_the_label_away(mini):
    for texts, labels in mini.values():
        lengths = np.array([len(text.split()) for text in texts])
        for cut in range(4, 26):
            agree = np.mean((lengths > cut) == labels)
            assert max(agree, 1 - agree) < 0.60


def test_same_seed_same_data():
    first, second = (splits(sentences.load("mini", None, 5)) for _ in range(2))
    for split, (texts, labels) in first.items():
        assert texts == second[split][0]
        assert np.array_equal(labels, second[split][1])


def test_seeds_draw_other_sentences_and_other_frequent_words():
    first, second = (splits(sentences.load("mini", None, seed))["test"][0] for seed in (0, 1))
    assert len(set(first) & set(second)) < 0.05 * len(first)
    nouns = set(sentences.ASPECT_WORDS["food_noun"].split())
    top = [
        [w for w, _ in Counter(" ".join(texts).split()).most_common() if w in nouns][:10]
        for texts in (first, second)
    ]
    assert set(top[0]) != set(top[1])


def test_generating_is_fast():
    start = time.process_time()
    sentences.load("mini", None, 0)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("kind", SWAPPED_WHOLE)
def test_order_alone_carries_the_label(kind):
    """The same words in another order mean the opposite, so no bag of words can tell them apart."""
    rng = np.random.default_rng(0)
    lexicon = sentences.Lexicon(rng)
    words = sentences.draw_words(rng, lexicon, held_out=False)
    # One word per role: what is left to differ is where it stands.
    words |= {"good2": words["good"], "bad2": words["bad"]}
    flipped = words | {"noun": words["noun2"], "noun2": words["noun"]}
    bags: dict[int, set[tuple[str, ...]]] = {0: set(), 1: set()}
    texts: dict[int, set[str]] = {0: set(), 1: set()}
    for template in sentences.TEMPLATES[kind]:
        for label in (0, 1):
            for choice in (words, flipped):
                text = sentences.realise(template, choice, label)
                texts[label].add(text)
                bags[label].add(tuple(sorted(text.split())))
    assert bags[0] == bags[1]
    assert not texts[0] & texts[1]


def test_realise_says_what_the_label_says():
    words = {"noun": "soup", "good": "tasty", "bad": "bland", "end": "."}
    for label, plain, negated in (
        (1, "the soup was tasty .", "the soup was not bland ."),
        (0, "the soup was bland .", "the soup was not tasty ."),
    ):
        assert sentences.realise("the NOUN was ADJ END", words, label) == plain
        assert sentences.realise("the NOUN was not OPP END", words, label) == negated


def test_held_back_words_appear_only_when_asked_for():
    rng = np.random.default_rng(1)
    lexicon = sentences.Lexicon(rng)
    for name, entries in lexicon.words.items():
        known = {lexicon.draw(rng, name, held_out=False) for _ in range(4000)}
        every = {lexicon.draw(rng, name, held_out=True) for _ in range(4000)}
        back = 0 if name in sentences.PHRASES else len(entries) // 8
        assert known == set(entries[: len(entries) - back])
        assert every == set(entries)


def test_shares_add_up():
    assert list(sentences.SHARES) == list(sentences.TEMPLATES)
    assert np.allclose(np.sum(list(sentences.SHARES.values()), axis=0), 1.0)


def test_good_and_bad_words_are_apart():
    good, bad = (
        {
            word
            for name, words in sentences.ASPECT_WORDS.items()
            if name.endswith(side)
            for word in words.split()
        }
        for side in ("good", "bad")
    )
    nouns = {
        word
        for name, words in sentences.ASPECT_WORDS.items()
        if name.endswith("noun")
        for word in words.split()
    }
    assert not good & bad
    assert not nouns & (good | bad)
    for name, words in sentences.ASPECT_WORDS.items():
        assert len(words.split()) == len(set(words.split())), name


def test_unknown_tier():
    with pytest.raises(ValueError, match="got 'huge', expected 'mini' or 'full'"):
        sentences.load("huge", None, 0)


def write_files(folder: Path, *, train: str) -> Path:
    (folder / "sentences").mkdir()
    for split, text in {"train": train, "dev": "1 yes .\n", "test": "0 no .\n1 so so .\n"}.items():
        (folder / "sentences" / f"{split}.txt").write_text(text, encoding="utf-8")
    (folder / "sentences" / "unlabelled.txt").write_text("who knows .\n", encoding="utf-8")
    write_vectors(folder, "so 1 -2.5\nunheard 3 4\n. 0.5 1e-1\nknows 5 6")
    return folder


def write_vectors(folder: Path, text: str) -> None:
    path = folder / sentences.GLOVE_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_full_reads_the_files(tmp_path):
    folder = write_files(tmp_path, train="0 caf\u00e9 was , well , closed .\n1 ok\u0085 !")
    loaded = splits(sentences.load("full", folder, 0))
    # U+0085 is a line end to str.splitlines, but not to this format.
    assert loaded["train"][0] == ["caf\u00e9 was , well , closed .", "ok\u0085 !"]
    assert loaded["train"][1].tolist() == [0, 1]
    assert loaded["dev"][0] == ["yes ."]
    assert loaded["test"][1].tolist() == [0, 1]
    assert loaded["test"][1].dtype == np.int64


@pytest.mark.parametrize("line", ["2 good .", "good .", "1", "1 ", "", "1\tgood ."])
def test_full_names_a_malformed_line(tmp_path, line):
    folder = write_files(tmp_path, train=f"1 fine .\n{line}\n0 bad .\n")
    with pytest.raises(ValueError, match=r"train\.txt:2: got .*, expected '<0 or 1> <tokens>'"):
        sentences.load("full", folder, 0)


def test_full_without_data_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"--data DIR or GRADER_DATA") as caught:
        sentences.load("full", None, 0)
    assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"train\.txt.*--data DIR or GRADER_DATA"):
        sentences.load("full", tmp_path, 0)
    folder = write_files(tmp_path, train="1 fine .\n")
    for missing in (sentences.GLOVE_FILE, Path("sentences") / "unlabelled.txt"):
        (folder / missing).unlink()
        with pytest.raises(FileNotFoundError, match=rf"{missing.name}.*--data DIR or GRADER_DATA"):
            sentences.load("full", folder, 0)
    (folder / "sentences" / "test.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"test\.txt.*--data DIR or GRADER_DATA"):
        sentences.load("full", folder, 0)


def test_full_reads_unlabelled_sentences_and_the_vectors_of_their_words(tmp_path):
    loaded = sentences.load("full", write_files(tmp_path, train="1 fine .\n"), 0)
    assert loaded["inputs"]["unlabelled_sentences"] == ["who knows ."]
    assert set(loaded["withheld"]) == {"labels"}
    words, matrix = loaded["inputs"]["vectors"]
    assert words == ["so", ".", "knows"]
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix, [[1, -2.5], [0.5, 0.1], [5, 6]], rtol=1e-6)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("knows 1", r"got 'knows 1' \(1 numbers\), expected '<word> <2 numbers>'"),
        ("unheard 1 2 3", r"\(3 numbers\), expected '<word> <2 numbers>'"),
        ("", r"got '' \(0 numbers\)"),
        (" 1 2", r"expected '<word> <2 numbers>'"),
        ("knows 1 two", "knows: could not convert string to float"),
        ("knows 1 nan", "knows: got a number that is not finite"),
    ],
)
def test_full_names_a_malformed_vector(tmp_path, line, problem):
    folder = write_files(tmp_path, train="1 fine .\n")
    write_vectors(folder, f"so 1 2\n{line}\n. 1 2\n")
    with pytest.raises(ValueError, match=rf"subset\.txt:2: .*{problem}"):
        sentences.load("full", folder, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "has a vector of no word"), ("other 1 2\n", "no word"), ("so\n", ":1: .*<d numbers>")],
)
def test_full_refuses_vectors_of_no_use(tmp_path, text, problem):
    folder = write_files(tmp_path, train="1 fine .\n")
    write_vectors(folder, text)
    with pytest.raises(ValueError, match=rf"subset\.txt:? ?.*{problem}"):
        sentences.load("full", folder, 0)


def test_full_names_a_blank_unlabelled_line(tmp_path):
    folder = write_files(tmp_path, train="1 fine .\n")
    (folder / "sentences" / "unlabelled.txt").write_text("who knows .\n \n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"unlabelled\.txt:2: got ' ', expected '<tokens>'"):
        sentences.load("full", folder, 0)


def test_full_tier_has_the_real_vectors(data_folder):
    loaded = sentences.load("full", data_folder, 0)
    words, matrix = loaded["inputs"]["vectors"]
    assert len(loaded["inputs"]["unlabelled_sentences"]) == 10_000
    assert set(loaded["withheld"]) == {"labels"}
    assert len(words) == len(set(words)) > 3000
    assert matrix.shape == (len(words), 50)
    assert 0.3 < matrix.std() < 1.0
    rows = dict(zip(words, matrix / np.linalg.norm(matrix, axis=1, keepdims=True), strict=True))
    assert rows["good"] @ rows["great"] > 0.7 > rows["good"] @ rows["hours"]


def test_full_tier_has_the_real_sentences(data_folder):
    loaded = splits(sentences.load("full", data_folder, 0))
    for split, size in {"train": 40_000, "dev": 10_000, "test": 10_000}.items():
        texts, labels = loaded[split]
        assert len(texts) == labels.shape[0] == size
        assert int(labels.sum()) * 2 == size
        assert all(text == " ".join(text.split()) for text in texts)

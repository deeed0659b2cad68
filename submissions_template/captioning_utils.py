"""Data, decoding and scoring of captions. GIVEN: grading uses this version.

A caption is a row of word ids: <START>, the words, <END>, and <NULL> up to the common length.
"""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np

LONGEST_NGRAM = 4
SPECIAL_WORDS = ("<NULL>", "<START>")


def sample_minibatch(data, batch_size, split, rng):
    """Draw captions at random, none of them twice, with the features of their images.

    Inputs:
    - data: dictionary with <split>_captions (C, L), <split>_image_idxs (C,), the row of each
      caption's image, and <split>_features (I, D)
    - batch_size: number of captions N; at most all of them are drawn
    - split: "train" or "val"
    - rng: a numpy.random.Generator

    Returns a tuple of:
    - captions: word ids, shape (N, L)
    - features: the features of their images, shape (N, D)
    """
    total = len(data[f"{split}_captions"])
    chosen = rng.choice(total, size=min(batch_size, total), replace=False)
    images = data[f"{split}_image_idxs"][chosen]
    return data[f"{split}_captions"][chosen], data[f"{split}_features"][images]


def decode_captions(captions, idx_to_word):
    """Turn word ids into text, up to the first <END>; <START> and <NULL> are left out.

    Inputs:
    - captions: word ids, shape (N, L), or (L,) for a single caption
    - idx_to_word: list or dictionary from id to word

    Returns a list of N strings, or one string for a single caption.
    """
    captions = np.asarray(captions)
    if captions.ndim == 1:
        return decode_captions(captions[np.newaxis], idx_to_word)[0]
    decoded = []
    for caption in captions:
        words = []
        for idx in caption.tolist():
            word = idx_to_word[idx]
            if word == "<END>":
                break
            if word not in SPECIAL_WORDS:
                words.append(word)
        decoded.append(" ".join(words))
    return decoded


def load_captions(folder, max_train=None, seed=0):
    """Read captions, features and vocabulary from the files of the COCO captioning homework.

    Inputs:
    - folder: holds coco2014_captions.h5, coco2014_vocab.json, train2014_vgg16_fc7_pca.h5 and
      val2014_vgg16_fc7_pca.h5
    - max_train: keep only so many training captions, drawn at random, each at most once
    - seed: of that draw

    Returns a dictionary with
    - train_captions, val_captions: word ids, shape (C, L), int64
    - train_image_idxs, val_image_idxs: the row of each caption's image, shape (C,), int64
    - train_features, val_features: shape (I, D), float32
    - word_to_idx (dictionary) and idx_to_word (list)

    Raises FileNotFoundError, naming the file, if one is missing.
    """
    import h5py

    folder = Path(folder)
    data = {}
    with h5py.File(_existing(folder / "coco2014_captions.h5"), "r") as file:
        for key in ("train_captions", "train_image_idxs", "val_captions", "val_image_idxs"):
            data[key] = np.asarray(file[key], dtype=np.int64)
    for split in ("train", "val"):
        with h5py.File(_existing(folder / f"{split}2014_vgg16_fc7_pca.h5"), "r") as file:
            data[f"{split}_features"] = np.asarray(file["features"], dtype=np.float32)
    with _existing(folder / "coco2014_vocab.json").open(encoding="utf-8") as file:
        vocabulary = json.load(file)
    data["word_to_idx"], data["idx_to_word"] = vocabulary["word_to_idx"], vocabulary["idx_to_word"]

    if max_train is not None:
        total = len(data["train_captions"])
        rng = np.random.default_rng(seed)
        chosen = rng.choice(total, size=min(max_train, total), replace=False)
        for key in ("train_captions", "train_image_idxs"):
            data[key] = data[key][chosen]
    return data


def _existing(path):
    if not path.is_file():
        raise FileNotFoundError(f"{path} not found")
    return path


def bleu(references, candidate):
    """BLEU of one sentence: how many of its n-grams, n = 1, ..., 4, the references have, too.

        BLEU = min(1, exp(1 - r / c)) * (p_1 p_2 p_3 p_4)^(1/4)

    p_n is the share of the candidate's n-grams that occur in a reference (no n-gram more often than
    in the reference that has it most often), c the length of the candidate, r that of the reference
    nearest to it. For n > 1, both counts in p_n are increased by 1, because a short sentence easily
    has no matching 4-gram, and the product would be 0.

    Inputs:
    - references: the right sentences, a list of strings; a single string counts as one
    - candidate: the sentence to score, a string; words are separated by spaces

    Returns a number from 0 to 1; 1 if the candidate equals a reference.

    Sources: Papineni et al., "BLEU: a method for automatic evaluation of machine translation"
    (2002); smoothing: Lin & Och, "ORANGE: a method for evaluating automatic evaluation metrics for
    machine translation" (2004).
    """
    references = [references] if isinstance(references, str) else references
    known = [reference.split() for reference in references]
    words = candidate.split()
    if not words or not any(known):
        return 0.0
    log_precision = 0.0
    for n in range(1, LONGEST_NGRAM + 1):
        counts = _ngrams(words, n)
        allowed = Counter()
        for reference in known:
            allowed |= _ngrams(reference, n)  # | keeps the larger of two counts
        extra = 1 if n > 1 else 0
        matches = sum((counts & allowed).values()) + extra
        if matches == 0:
            return 0.0
        log_precision += math.log(matches / (sum(counts.values()) + extra)) / LONGEST_NGRAM
    nearest = min((abs(len(reference) - len(words)), len(reference)) for reference in known)[1]
    return math.exp(min(0.0, 1 - nearest / len(words)) + log_precision)


def _ngrams(words, n):
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

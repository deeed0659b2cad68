"""A few captioned images, for a captioning model that learns them by heart (question 5).

Two tiers share one format. A caption is a row of word ids: <START>, the words, <END>, and <NULL> up
to the common length; images are feature vectors.

* ``mini`` makes scenes up. A scene is a choice of subject, color, size, action, place and weather;
  its captions are sentences of a small grammar that name some of them, its features a random
  projection of them, with noise. The validation scenes are new combinations of the same attributes,
  so a model that has learned 32 scenes by heart mixes up what it sees in them.
* ``full`` reads the files of the homework's COCO loader below ``captions/`` of the data folder and
  keeps OVERFIT_CAPTIONS training captions. (With the data of this course's own folder, these are
  photographs of Flickr8k and SqueezeNet features under COCO's file names.)
"""

from pathlib import Path
from typing import Any

import numpy as np

from .. import supplied

KEPT = True  # drawn from the arguments and the files of the reference alone

SPECIAL_WORDS = ("<NULL>", "<START>", "<END>", "<UNK>")  # in the order of their ids, from 0

TRAIN_IMAGES = 32
VAL_IMAGES = 30
FEATURE_SIZE = 64
FEATURE_NOISE = 0.1  # standard deviation; the features themselves have about 1
MAX_LENGTH = 12  # ids of a caption, <START> and <END> included
OVERFIT_CAPTIONS = 50  # of the full tier; the number in the homework

REMEDY = "give the data folder with --data DIR or GRADER_DATA"

# Each attribute's values; where a value has several forms, they are separated by slashes.
ATTRIBUTES = {
    "subject": ("man", "woman", "boy", "girl", "dog", "cat", "horse", "bird"),
    "colour": ("red", "blue", "green", "yellow", "white", "black", "brown"),
    "size": ("small", "large", "young", "old"),
    "action": (
        *("running/runs", "jumping/jumps", "sitting/sits", "sleeping/sleeps"),
        *("playing/plays", "walking/walks", "eating/eats", "standing/stands"),
    ),
    "place": (
        *("on/beach", "in/park", "in/street", "across/field"),
        *("near/house", "near/lake", "behind/fence", "under/tree"),
    ),
    "weather": ("sunny", "rainy", "snowy", "foggy"),
}
TEMPLATES = (
    "a {colour} {subject} {does} {where} the {place}",
    "the {size} {subject} is {doing} {where} the {place}",
    "a {size} {colour} {subject} {doing} on a {weather} day",
    "there is a {subject} {doing} {where} the {place}",
    "{colour} {subject} that {does} {where} a {place}",
    "on a {weather} day a {subject} {does} {where} the {place}",
    "one {size} {subject} in the {weather} {place} {does}",
)

Scene = tuple[int, ...]  # the index of a value for each attribute


def vocabulary() -> dict[str, int]:
    """Return the ids of all words that a mini caption may have, the special words first."""
    words = {
        form for values in ATTRIBUTES.values() for value in values for form in value.split("/")
    }
    words |= {word for text in TEMPLATES for word in text.split() if "{" not in word}
    return {word: i for i, word in enumerate([*SPECIAL_WORDS, *sorted(words)])}


def draw_scenes(rng: np.random.Generator, n: int, seen: set[Scene]) -> list[Scene]:
    """Draw ``n`` scenes that are not in ``seen``, and add them to it.

    Every value of an attribute is drawn equally often, up to one, so that no seed leaves one out.
    """
    scenes: list[Scene] = []
    while not scenes:
        columns = [
            rng.permutation(np.resize(rng.permutation(len(values)), n))
            for values in ATTRIBUTES.values()
        ]
        drawn = [tuple(int(i) for i in row) for row in np.stack(columns, axis=1)]
        if len(set(drawn)) == n and not seen.intersection(drawn):
            scenes = drawn
    seen.update(scenes)
    return scenes


def describe(scene: Scene, template: str) -> str:
    """Fill ``template`` with the words of ``scene``."""
    words = {name: values[i] for (name, values), i in zip(ATTRIBUTES.items(), scene, strict=True)}
    words["doing"], words["does"] = words.pop("action").split("/")
    words["where"], words["place"] = words["place"].split("/")
    return template.format(**words)


def encode(text: str, word_to_idx: dict[str, int]) -> list[int]:
    """Return the MAX_LENGTH ids of a caption."""
    ids = [word_to_idx[word] for word in ("<START>", *text.split(), "<END>")]
    return ids + [word_to_idx["<NULL>"]] * (MAX_LENGTH - len(ids))


def features_of(
    scenes: list[Scene], projection: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Features (n, FEATURE_SIZE) of n scenes: a sum of one projected vector per attribute value.

    ``projection`` is (A, FEATURE_SIZE) for A values of all attributes together.
    """
    sizes = [len(values) for values in ATTRIBUTES.values()]
    rows = np.array(scenes) + np.cumsum([0, *sizes[:-1]])  # (n, attributes)
    clean = projection[rows].sum(axis=1) / np.sqrt(len(sizes))
    return (clean + FEATURE_NOISE * rng.standard_normal(clean.shape)).astype(np.float32)


def generate(
    seed: int, train_images: int = TRAIN_IMAGES, val_images: int = VAL_IMAGES
) -> dict[str, dict[str, Any]]:
    """Make up the mini tier; returns what ``load`` returns."""
    rng = np.random.default_rng(seed)
    word_to_idx = vocabulary()
    projection = rng.standard_normal((sum(map(len, ATTRIBUTES.values())), FEATURE_SIZE))
    seen: set[Scene] = set()
    texts: dict[str, list[list[str]]] = {}
    features: dict[str, np.ndarray] = {}
    for split, n in (("train", train_images), ("val", val_images)):
        scenes = draw_scenes(rng, n, seen)
        features[split] = features_of(scenes, projection, rng)
        texts[split] = [
            [describe(scene, TEMPLATES[i]) for i in rng.permutation(len(TEMPLATES))[: 2 + k % 2]]
            for k, scene in enumerate(scenes)
        ]
    captions = [
        (encode(text, word_to_idx), i) for i, own in enumerate(texts["train"]) for text in own
    ]
    return {
        "inputs": {
            "train_features": features["train"],
            "train_captions": np.array([ids for ids, _ in captions], dtype=np.int64),
            "train_image_idxs": np.array([image for _, image in captions], dtype=np.int64),
            "val_features": features["val"],
            "word_to_idx": word_to_idx,
            "max_length": MAX_LENGTH,
        },
        "withheld": {"val_captions": texts["val"]},
    }


def read(
    data: Path | None, seed: int, most: int | None = OVERFIT_CAPTIONS
) -> dict[str, dict[str, Any]]:
    """Read the full tier with at most ``most`` training captions; returns what ``load`` returns."""
    if data is None:
        raise FileNotFoundError(f"captions/coco2014_captions.h5 not found: {REMEDY}")
    utils = supplied.load("captioning_utils")
    try:
        everything = utils.load_captions(data / "captions", most, seed)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}: {REMEDY}") from None
    except ModuleNotFoundError as error:
        raise ValueError(f"captions: the full tier needs the package {error.name!r}") from None
    except (OSError, KeyError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{data / 'captions'}: cannot be read as COCO captions: {reason}"
        ) from None

    texts = utils.decode_captions(everything["val_captions"], everything["idx_to_word"])
    references: list[list[str]] = [[] for _ in everything["val_features"]]
    for image, text in zip(everything["val_image_idxs"].tolist(), texts, strict=True):
        references[image].append(text)
    # Raw features are all positive, and their common mean would drown what tells images apart.
    mean = everything["train_features"].mean(axis=0)
    scale = everything["train_features"].std()
    features = {k: (everything[f"{k}_features"] - mean) / scale for k in ("train", "val")}
    # Only the images of the captions that are kept, numbered anew.
    images, image_idxs = np.unique(everything["train_image_idxs"], return_inverse=True)
    return {
        "inputs": {
            "train_features": features["train"][images],
            "train_captions": everything["train_captions"],
            "train_image_idxs": image_idxs.astype(np.int64),
            "val_features": features["val"],
            "word_to_idx": everything["word_to_idx"],
            "max_length": everything["train_captions"].shape[1],
        },
        "withheld": {"val_captions": references},
    }


def load(tier: str, data: Path | None, seed: int) -> dict[str, dict[str, Any]]:
    """Load the captions of one tier.

    Args:
        tier: ``"mini"`` (generated) or ``"full"`` (files).
        data: folder that holds ``captions/``; used by ``full`` only.
        seed: seed of the generator; on ``full``, of the choice of the training captions.

    Returns:
        ``inputs``: ``train_features`` (I, D) float32, ``train_captions`` (C, L) int64,
        ``train_image_idxs`` (C,) int64, the row of each caption's image, ``val_features`` (J, D)
        float32, ``word_to_idx``, a dict with <NULL>, <START>, <END>, <UNK> as 0 to 3, and
        ``max_length``, L. ``withheld``: ``val_captions``, a list of J lists of texts.

    Raises:
        FileNotFoundError: ``full`` without the data folder or one of its files.
        ValueError: an unknown tier, or files that cannot be read.
    """
    if tier == "mini":
        return generate(seed)
    if tier == "full":
        return read(data, seed)
    raise ValueError(f"tier: got {tier!r}, expected 'mini' or 'full'")

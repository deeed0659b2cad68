"""The captions of question 5 and the helpers that students are given to work with them."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from reference.datasets import captions as dataset

ROOT = Path(__file__).resolve().parents[2]
FULL_FILES = (
    "coco2014_captions.h5",
    "coco2014_vocab.json",
    "train2014_vgg16_fc7_pca.h5",
    "val2014_vgg16_fc7_pca.h5",
)
NULL, START, END, UNK = range(4)


def data_folder() -> Path:
    """Return the folder of the real data, or skip the test that asked."""
    folder = Path(os.environ.get("GRADER_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "captions").is_dir():
        pytest.skip("full tier: GRADER_DATA is not set and there is no shared/data folder")
    return folder


def texts_of(loaded) -> list[str]:
    words = {i: word for word, i in loaded["inputs"]["word_to_idx"].items()}
    return supplied("captioning_utils").decode_captions(loaded["inputs"]["train_captions"], words)


def check_format(loaded):
    """Check what both tiers promise."""
    inputs, withheld = loaded["inputs"], loaded["withheld"]
    assert set(inputs) == {
        "train_features",
        "train_captions",
        "train_image_idxs",
        "val_features",
        "word_to_idx",
        "max_length",
    }
    assert set(withheld) == {"val_captions"}
    words = inputs["word_to_idx"]
    assert sorted(words.values()) == list(range(len(words)))
    assert [words[word] for word in dataset.SPECIAL_WORDS] == [NULL, START, END, UNK]

    captions, images = inputs["train_captions"], inputs["train_image_idxs"]
    assert captions.dtype == images.dtype == np.int64
    assert captions.shape == (len(images), inputs["max_length"])
    assert captions.min() >= 0
    assert captions.max() < len(words)
    assert (captions[:, 0] == START).all()
    for caption in captions:
        (end,) = np.flatnonzero(caption == END)
        assert (caption[end + 1 :] == NULL).all()
        assert (caption[1:end] >= UNK).all()
    assert set(images.tolist()) == set(range(len(inputs["train_features"])))

    for split in ("train", "val"):
        features = inputs[f"{split}_features"]
        assert features.dtype == np.float32
        assert np.isfinite(features).all()
        assert 0.5 < features.std() < 2
    assert len(withheld["val_captions"]) == len(inputs["val_features"])
    assert all(isinstance(text, str) for own in withheld["val_captions"] for text in own)
    assert all(withheld["val_captions"])


# ---------------------------------------------------------------------------------------- mini ---


@pytest.fixture(scope="module", params=[0, 1, 2, 20261])
def mini(request):
    return dataset.load("mini", None, request.param)


def test_mini_has_the_format(mini):
    check_format(mini)


def test_mini_sizes(mini):
    inputs = mini["inputs"]
    assert inputs["train_features"].shape == (32, 64)
    assert inputs["val_features"].shape == (30, 64)
    assert 60 <= len(inputs["word_to_idx"]) <= 100
    assert inputs["max_length"] <= 12
    per_image = np.bincount(inputs["train_image_idxs"])
    assert set(per_image.tolist()) == {2, 3}
    lengths = (inputs["train_captions"] != NULL).sum(axis=1)
    assert len(set(lengths.tolist())) > 2
    assert lengths.max() <= 12


def test_mini_images_and_captions_are_all_different(mini):
    texts, images = texts_of(mini), mini["inputs"]["train_image_idxs"]
    for image in set(images.tolist()):
        own = [text for text, i in zip(texts, images, strict=True) if i == image]
        assert len(set(own)) == len(own)
    features = np.concatenate([mini["inputs"][f"{s}_features"] for s in ("train", "val")])
    distances = np.linalg.norm(features[:, None] - features[None], axis=2)
    assert distances[~np.eye(len(features), dtype=bool)].min() > 2  # the noise alone makes 1.1


def test_mini_validation_uses_known_words_in_new_combinations(mini):
    known = set(" ".join(texts_of(mini)).split())
    texts = [text for own in mini["withheld"]["val_captions"] for text in own]
    words = set(" ".join(texts).split())
    assert words <= set(mini["inputs"]["word_to_idx"])
    assert len(words - known) <= 0.1 * len(words)
    new = sum(text not in texts_of(mini) for text in texts)
    assert new >= 0.8 * len(texts)


def test_scenes_are_never_drawn_twice():
    rng, seen = np.random.default_rng(0), set()
    drawn = [scene for _ in range(20) for scene in dataset.draw_scenes(rng, 30, seen)]
    assert len(set(drawn)) == len(drawn) == len(seen)


def test_every_template_and_value_can_be_said():
    words = dataset.vocabulary()
    said = set()
    for k in range(8):
        scene = tuple(k % len(values) for values in dataset.ATTRIBUTES.values())
        for template in dataset.TEMPLATES:
            text = dataset.describe(scene, template)
            ids = dataset.encode(text, words)
            assert len(ids) == dataset.MAX_LENGTH
            said |= set(ids)
    assert said == set(words.values()) - {UNK}


def test_description_names_the_scene():
    scene = (4, 0, 1, 0, 0, 2)
    assert dataset.describe(scene, dataset.TEMPLATES[0]) == "a red dog runs on the beach"
    assert dataset.describe(scene, dataset.TEMPLATES[2]) == "a large red dog running on a snowy day"


def test_features_tell_the_attributes():
    """The difference of two scenes that differ in one attribute is the same in other scenes."""
    sizes = [len(values) for values in dataset.ATTRIBUTES.values()]
    projection = np.random.default_rng(0).standard_normal((sum(sizes), 64))
    scenes = [(0, 1, 2, 3, 4, 0), (5, 1, 2, 3, 4, 0), (0, 2, 1, 0, 7, 3), (5, 2, 1, 0, 7, 3)]
    a, b, c, d = dataset.features_of(scenes, projection, np.random.default_rng(1))
    noise = 2 * dataset.FEATURE_NOISE
    assert np.std((b - a) - (d - c)) < 1.5 * noise
    assert np.std(b - a) > 2 * noise


def test_mini_depends_on_its_seed_alone():
    one, two, other = (dataset.load("mini", None, seed) for seed in (1, 1, 2))
    for name in ("train_features", "train_captions", "val_features"):
        assert np.array_equal(one["inputs"][name], two["inputs"][name])
        assert not np.array_equal(one["inputs"][name], other["inputs"][name])
    assert one["withheld"] == two["withheld"] != other["withheld"]


def test_mini_is_quick():
    start = time.process_time()
    dataset.load("mini", None, 0)
    assert time.process_time() - start < 1


def test_unknown_tier_is_refused():
    with pytest.raises(ValueError, match=r"'huge'.*'mini' or 'full'"):
        dataset.load("huge", None, 0)


# ---------------------------------------------------------------------------------------- full ---


@pytest.fixture
def coco(tmp_path):
    """A tiny data folder in COCO's layout: 60 training and 3 validation images."""
    h5py = pytest.importorskip("h5py")
    folder = tmp_path / "captions"
    folder.mkdir()
    words = ["<NULL>", "<START>", "<END>", "<UNK>", "a", "cat", "dog"]
    vocabulary = {"idx_to_word": words, "word_to_idx": {word: i for i, word in enumerate(words)}}
    (folder / "coco2014_vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    rng = np.random.default_rng(0)
    with h5py.File(folder / "coco2014_captions.h5", "w") as file:
        for split, n in (("train", 60), ("val", 3)):
            rows = np.array([[1, 4, 5 + i % 2, 2, 0] for i in range(2 * n)], dtype=np.int32)
            file[f"{split}_captions"] = rows
            file[f"{split}_image_idxs"] = np.repeat(np.arange(n, dtype=np.int32), 2)
    for split, n in (("train", 60), ("val", 3)):
        with h5py.File(folder / f"{split}2014_vgg16_fc7_pca.h5", "w") as file:
            file["features"] = (5 + 3 * rng.normal(size=(n, 8))).astype(np.float32)
    return tmp_path


def test_full_reads_the_files(coco):
    loaded = dataset.load("full", coco, 0)
    check_format(loaded)
    assert len(loaded["inputs"]["train_captions"]) == dataset.OVERFIT_CAPTIONS
    assert loaded["withheld"]["val_captions"] == [["a cat", "a dog"]] * 3


def test_full_keeps_captions_with_their_images(coco):
    raw = supplied("captioning_utils").load_captions(coco / "captions", 50, seed=3)
    inputs = dataset.load("full", coco, 3)["inputs"]
    assert np.array_equal(inputs["train_captions"], raw["train_captions"])
    before = raw["train_features"][raw["train_image_idxs"]]
    after = inputs["train_features"][inputs["train_image_idxs"]]
    centred = (before - raw["train_features"].mean(axis=0)) / raw["train_features"].std()
    np.testing.assert_allclose(after, centred, rtol=1e-5, atol=1e-6)


def test_full_draws_as_its_seed_says(coco):
    one, two, other = (dataset.load("full", coco, seed)["inputs"] for seed in (0, 0, 1))
    assert np.array_equal(one["train_features"], two["train_features"])
    assert not np.array_equal(one["train_features"], other["train_features"])


@pytest.mark.parametrize("name", FULL_FILES)
def test_full_names_a_missing_file(coco, name):
    (coco / "captions" / name).unlink()
    with pytest.raises(
        FileNotFoundError, match=r"not found: .*--data DIR or GRADER_DATA"
    ) as caught:
        dataset.load("full", coco, 0)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_full_without_data_says_what_to_do():
    with pytest.raises(FileNotFoundError, match="--data DIR or GRADER_DATA") as caught:
        dataset.load("full", None, 0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", FULL_FILES)
def test_full_refuses_a_damaged_file(coco, name):
    (coco / "captions" / name).write_bytes(b"no such format\n")
    with pytest.raises(ValueError, match="cannot be read as COCO captions") as caught:
        dataset.load("full", coco, 0)
    assert "\n" not in str(caught.value)


def test_full_says_if_h5py_is_missing(coco, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ValueError, match="needs the package 'h5py'"):
        dataset.load("full", coco, 0)


def test_full_tier_has_the_real_captions():
    folder = data_folder()
    pytest.importorskip("h5py")
    loaded = dataset.load("full", folder, 0)
    check_format(loaded)
    inputs = loaded["inputs"]
    assert len(inputs["train_captions"]) == 50
    assert 40 <= len(inputs["train_features"]) <= 50
    assert inputs["val_features"].shape == (238, 512)
    assert len(inputs["word_to_idx"]) == 1148
    assert inputs["max_length"] == 17
    assert sum(map(len, loaded["withheld"]["val_captions"])) == 1190


def supplied(name: str):
    """Import a helper as students do."""
    before = sys.path[:]
    sys.path.insert(0, str(ROOT / "submissions_template"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = before
        for flat in ("layers", "optim", "captioning_utils", "captioning_solver"):
            sys.modules.pop(flat, None)


# ---------------------------------------------------------------------------- supplied helpers ---


def test_fully_connected_layer():
    layers = supplied("layers")
    rng = np.random.default_rng(0)
    arrays = {"x": rng.normal(size=(3, 4)), "w": rng.normal(size=(4, 5)), "b": rng.normal(size=5)}
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays.values()]
    dout = rng.normal(size=(3, 5))
    out, layer_cache = layers.fc_forward(*arrays.values())
    wanted = tensors[0] @ tensors[1] + tensors[2]
    wanted.backward(torch.tensor(dout))
    np.testing.assert_allclose(out, wanted.detach())
    for got, tensor in zip(layers.fc_backward(dout, layer_cache), tensors, strict=True):
        np.testing.assert_allclose(got, tensor.grad)


@pytest.mark.parametrize(
    ("rule", "optimiser"),
    [
        ("sgd", lambda p: torch.optim.SGD(p, lr=0.1)),
        ("sgd_momentum", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        ("rmsprop", lambda p: torch.optim.RMSprop(p, lr=0.1)),
        ("adam", lambda p: torch.optim.Adam(p, lr=0.1)),
    ],
)
def test_update_rules_are_those_of_torch(rule, optimiser):
    step = getattr(supplied("optim"), rule)
    w = np.linspace(-2, 3, 6).reshape(2, 3)
    first, tensor = w.copy(), torch.tensor(w, requires_grad=True)
    theirs = optimiser([tensor])
    config = {"learning_rate": 0.1}
    for _ in range(7):
        w, config = step(w, 2 * w + 1, config)
        theirs.zero_grad()
        (tensor**2 + tensor).sum().backward()
        theirs.step()
    np.testing.assert_allclose(w, tensor.detach(), rtol=1e-12)
    assert step(first.astype(np.float32), first.astype(np.float32), None)[0].dtype == np.float32


class Recorder:
    """Has the loss 0 everywhere, and remembers the batches."""

    def __init__(self):
        self.params = {"w": np.zeros(3)}
        self.batches = []

    def loss(self, features, captions):
        self.batches.append((features, captions))
        return 0.0, {"w": np.ones(3)}


TEN = {
    "train_captions": np.arange(30).reshape(10, 3),
    "train_image_idxs": np.arange(10) // 2,
    "train_features": np.arange(5.0)[:, None],
}


def solved(**options):
    solver = supplied("captioning_solver").CaptioningSolver(Recorder(), TEN, **options)
    solver.train()
    return solver


def test_solver_takes_steps_of_whole_batches(capsys):
    solver = solved(num_epochs=3, batch_size=4, optim_config={"learning_rate": 1.0}, lr_decay=0.5)
    assert len(solver.loss_history) == 6
    assert "step 6 of 6" in capsys.readouterr().out
    # Two steps each with the learning rates 1, 1/2, 1/4.
    np.testing.assert_allclose(solver.model.params["w"], -2 * (1 + 0.5 + 0.25))
    for features, captions in solver.model.batches:
        assert features.shape == (4, 1)
        assert np.array_equal(captions[:, 0] // 6, features[:, 0])  # each caption with its image
        assert len(set(captions[:, 0])) == 4


def test_solver_draws_as_its_seed_says():
    def batches(seed):
        solver = solved(num_epochs=2, batch_size=4, seed=seed, verbose=False)
        return np.stack([captions for _, captions in solver.model.batches])

    assert np.array_equal(batches(0), batches(0))
    assert not np.array_equal(batches(0), batches(1))


def test_solver_refuses_an_unknown_rule():
    with pytest.raises(ValueError, match="'adagrad'"):
        solved(update_rule="adagrad")


def test_captions_are_decoded_up_to_end():
    utils = supplied("captioning_utils")
    words = ["<NULL>", "<START>", "<END>", "<UNK>", "a", "cat"]
    rows = np.array([[1, 4, 5, 2, 4], [4, 3, 0, 0, 0], [2, 4, 4, 4, 4]])
    assert utils.decode_captions(rows, words) == ["a cat", "a <UNK>", ""]
    assert utils.decode_captions(rows[0], dict(enumerate(words))) == "a cat"


@pytest.mark.parametrize(
    ("references", "candidate", "score"),
    [
        (["a b c d e"], "a b c d e", 1.0),
        ("a b", "a b", 1.0),
        (["x y", "a b c"], "a b c", 1.0),
        (["a b"], "", 0.0),
        ([""], "a", 0.0),
        (["a b"], "c d", 0.0),
        # Counts 4/4, (3+1)/(3+1), ...: only the brevity penalty exp(1 - 6/4) is left.
        (["a b c d e f"], "a b c d", np.exp(-0.5)),
        # 1-grams 2/4 ("the" counts as often as in the reference), 2-grams (0+1)/(3+1), 3-grams
        # (0+1)/(2+1), 4-grams (0+1)/(1+1).
        (["the cat is the"], "the the the the", (2 / 4 * 1 / 4 * 1 / 3 * 1 / 2) ** 0.25),
        # The nearest reference decides about the length: no penalty.
        (["a b c d e f g", "a x c"], "a b c", (3 / 3 * 3 / 3 * 2 / 2 * 1 / 1) ** 0.25),
    ],
)
def test_bleu(references, candidate, score):
    assert supplied("captioning_utils").bleu(references, candidate) == pytest.approx(score)


def test_bleu_grows_with_likeness():
    bleu = supplied("captioning_utils").bleu
    reference = ["a red dog runs on the beach"]
    candidates = (
        "two cats",
        "a cat sits in a tree",
        "a red dog sits in the park",
        "a red dog runs on a beach",
        "a red dog runs on the beach",
    )
    scores = [bleu(reference, candidate) for candidate in candidates]
    assert scores == sorted(set(scores))

"""Question 5: the captioning model, its driver and cases, and the example submissions."""

from __future__ import annotations

import importlib
import inspect
import os
import shutil
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from grader.errors import Failure
from reference import rnn
from reference.cases import rnn as cases
from reference.cases import sampling_mistakes as sampling
from reference.datasets import captions as dataset
from reference.datasets import captions_large as large
from reference.drivers import captioning as driver
from reference.judges import captioning as judges

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "submissions_template"
SUBMISSIONS = ROOT / "reference" / "submissions"
HONEST = SUBMISSIONS / "_honest"
FLAT = (
    *("rnn", "rnn_layers", "layers", "optim", "captioning_utils", "captioning_solver"),
    *("honest_captioning", "honest_layers"),
)
CELLS = ("rnn", "lstm")
STYLES = ("plain", "vectorised", "loop")
MANY_SEEDS = range(50)
FEW_SEEDS = range(5)

LOSS, SAMPLE = "CaptioningRNN.loss", "CaptioningRNN.sample"
# For sampling, what explain_sample calls the mistake; for the loss, the gradients that are wrong.
EVERYTHING = set(rnn.CaptioningRNN({"<NULL>": 0}, 1, 1, 1).params)
WRONG_SAMPLES = {
    "sample_start_in_column_0": "start in column 0",
    "sample_feeds_null": "feeds null",
    "sample_never_updates_word": "never updates word",
    "sample_exchanges_h_and_c": "exchanges h and c in arguments",
    "sample_first_word_null": "first word null",
    "sample_stops_all_at_first_end": "stops all at first end",
    "sample_crashes_for_single_image": None,
}
WRONG_LOSSES = {
    "caption_loss_includes_null_words": EVERYTHING,
    "caption_loss_shifted_wrong": EVERYTHING,
    "caption_grads_missing_embedding": {"W_embed"},
    "caption_grads_repeated_words": {"W_embed"},
    "caption_not_transposed": EVERYTHING,
    "caption_lstm_uses_rnn_for_both": EVERYTHING,
}


# ------------------------------------------------------------------------------------ helpers ---


@contextmanager
def importable(*folders: Path):
    """Make flat modules of these folders importable, the first folder winning, and forget them."""
    before = {name: sys.modules.pop(name, None) for name in FLAT}
    path, written = sys.path[:], sys.dont_write_bytecode
    sys.path[:0] = [str(folder) for folder in (*folders, TEMPLATE)]
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:], sys.dont_write_bytecode = path, written
        for name in FLAT:
            sys.modules.pop(name, None)
            if before[name] is not None:
                sys.modules[name] = before[name]


@cache
def load(*folders: Path):
    with importable(*folders):
        return importlib.import_module("rnn")


def supplied(name: str):
    with importable():
        return importlib.import_module(name)


def wrong_folder(name: str) -> Path:
    return SUBMISSIONS / "wrong" / name


@cache
def sample_cases(seed: int) -> tuple:
    return tuple(cases.captioning_sample(np.random.default_rng(seed)))


@cache
def loss_cases(seed: int) -> tuple:
    return tuple(cases.captioning_loss(np.random.default_rng(seed)))


def special(arguments) -> tuple[int, int, int]:
    return tuple(arguments["word_to_idx"][f"<{name}>"] for name in ("NULL", "START", "END"))


def agree(arguments, got, expected) -> np.ndarray:
    null, _start, end = special(arguments)
    return sampling.samples_agree(got, expected, end, null)


def sampled(module, arguments) -> np.ndarray:
    return driver.sample(module, **arguments)["captions"]


# ------------------------------------------------------- a second implementation, with torch ---


def torch_step(cell, p, word, h, c):
    """One step: word (N,), h and c (N, H) -> h, c, scores (N, V)."""
    a = p["W_embed"][word] @ p["Wx"] + h @ p["Wh"] + p["b"]
    if cell == "lstm":
        f, i, g, o = a.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
    else:
        h = torch.tanh(a)
    return h, c, h @ p["W_vocab"] + p["b_vocab"]


def torch_loss_and_grads(arguments):
    p = {k: torch.tensor(v, requires_grad=True) for k, v in arguments["params"].items()}
    captions = torch.tensor(arguments["captions"])
    h = torch.tensor(arguments["features"]) @ p["W_proj"] + p["b_proj"]
    c = torch.zeros_like(h)
    null, _start, _end = special(arguments)
    loss = 0
    for t in range(captions.shape[1] - 1):
        h, c, scores = torch_step(arguments["cell_type"], p, captions[:, t], h, c)
        loss += torch.nn.functional.cross_entropy(
            scores, captions[:, t + 1], ignore_index=null, reduction="sum"
        )
    loss = loss / len(captions)
    loss.backward()
    return loss.item(), {k: v.grad.numpy() for k, v in p.items()}


def decode(arguments, mistake: str = "", *, stops: bool = False) -> np.ndarray:
    """Decode one image at a time, on purpose unlike the reference, with one mistake if asked."""
    null, start, end = special(arguments)
    p = {k: torch.tensor(v) for k, v in arguments["params"].items()}
    length, cell = arguments["max_length"], arguments["cell_type"]
    rows = []
    with torch.no_grad():
        for feature in torch.tensor(arguments["features"]):
            h = (feature @ p["W_proj"] + p["b_proj"])[None]
            c = torch.zeros_like(h)
            word = null if mistake == "first word null" else start
            row = []
            while len(row) < length:
                if mistake in ("exchanges h and c in arguments", "exchanges h and c in both"):
                    h, c = c, h
                h, c, scores = torch_step(cell, p, torch.tensor([word]), h, c)
                if mistake in ("exchanges h and c in results", "exchanges h and c in both"):
                    h, c = c, h
                    scores = h @ p["W_vocab"] + p["b_vocab"]
                row.append(int(scores.argmax()))
                word = {"feeds null": null, "never updates word": start}.get(mistake, row[-1])
            rows.append(row)
    captions = np.array(rows)
    if mistake == "start in column 0":
        captions = np.insert(captions, 0, start, axis=1)[:, :-1]
    if mistake == "stops all at first end":
        captions[:, np.flatnonzero((captions == end).any(axis=0))[0] + 1 :] = null
    if stops:
        after = np.cumsum(captions == end, axis=1) - (captions == end) > 0
        captions[after] = null
    return captions


# --------------------------------------------------------------------------- reference: loss ---


@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_loss_and_gradients_are_those_of_autograd(seed):
    for case in loss_cases(seed):
        got = driver.loss_and_grads(rnn, **case.arguments)
        loss, grads = torch_loss_and_grads(case.arguments)
        assert got["loss"] == pytest.approx(loss, rel=1e-12), case.name
        assert set(got) == {"loss", *(f"d{name}" for name in grads)}
        for name, gradient in grads.items():
            np.testing.assert_allclose(
                got[f"d{name}"], gradient, rtol=1e-9, atol=1e-12, err_msg=f"{case.name} {name}"
            )


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_central_differences(cell):
    arguments = next(c.arguments for c in loss_cases(0) if c.name == f"{cell.upper()} N=3 T=6")
    grads = driver.loss_and_grads(rnn, **arguments)
    step = 1e-5
    for name, value in arguments["params"].items():
        for index in np.ndindex(value.shape):
            ends = []
            for sign in (1, -1):
                moved = value.copy()
                moved[index] += sign * step
                changed = {**arguments, "params": {**arguments["params"], name: moved}}
                ends.append(driver.loss_and_grads(rnn, **changed)["loss"])
            numeric = (ends[0] - ends[1]) / (2 * step)
            where = (name, index)
            assert grads[f"d{name}"][index] == pytest.approx(numeric, rel=1e-6, abs=1e-8), where


@pytest.mark.parametrize("cell", CELLS)
def test_float32_stays_float32(cell):
    arguments = loss_cases(0)[0].arguments
    model = rnn.CaptioningRNN(arguments["word_to_idx"], 5, 3, 4, cell)
    assert {value.dtype for value in model.params.values()} == {np.dtype(np.float32)}
    _, grads = model.loss(arguments["features"].astype(np.float32), arguments["captions"])
    assert {value.dtype for value in grads.values()} == {np.dtype(np.float32)}
    assert {k: v.shape for k, v in grads.items()} == {k: v.shape for k, v in model.params.items()}


def test_driver_and_reference_leave_their_arguments_alone():
    for generator, call in (
        (loss_cases, driver.loss_and_grads),
        (sample_cases, driver.sample),
    ):
        for case in generator(0):
            before = {k: np.copy(v) for k, v in case.arguments["params"].items()}
            before["features"] = case.arguments["features"].copy()
            call(rnn, **case.arguments)
            now = {**case.arguments["params"], "features": case.arguments["features"]}
            assert all(np.array_equal(now[name], value) for name, value in before.items())


def test_unknown_cell_is_refused():
    with pytest.raises(ValueError, match=r"'gru'.*'lstm', 'rnn'"):
        rnn.CaptioningRNN({"<NULL>": 0}, cell_type="gru")


def test_sample_without_start_is_refused():
    model = rnn.CaptioningRNN({"<NULL>": 0, "cat": 1}, 2, 2, 2)
    with pytest.raises(ValueError, match="<START>"):
        model.sample(np.zeros((1, 2)))


def test_reference_works_beside_flat_modules(tmp_path):
    for name in ("rnn.py", "rnn_layers.py"):
        shutil.copy(ROOT / "reference" / name, tmp_path)
    flat = load(tmp_path)
    assert Path(flat.nn.__file__).parent == tmp_path
    case = loss_cases(0)[0]
    want, got = (driver.loss_and_grads(module, **case.arguments) for module in (rnn, flat))
    assert got["loss"] == want["loss"]


# ------------------------------------------------------------------------------------- cases ---


def test_loss_cases_have_what_they_promise():
    for case in loss_cases(1):
        arguments = case.arguments
        null, start, end = special(arguments)
        captions = arguments["captions"]
        assert (captions[:, 0] == start).all()
        for row in captions:
            (stop,) = np.flatnonzero(row == end)
            assert (row[stop + 1 :] == null).all()
            assert not np.isin(row[1:stop], [null, start]).any()
        if "T=1" not in case.name:
            assert (captions == null).any(), case.name
    assert {case.group for case in loss_cases(1)} == {"rnn", "lstm", "edge_cases"}
    assert {case.arguments["cell_type"] for case in loss_cases(1)} == set(CELLS)


def test_cases_depend_on_their_generator_alone():
    for generator in (cases.captioning_loss, cases.captioning_sample):
        one, two = (list(generator(np.random.default_rng(3))) for _ in range(2))
        for a, b in zip(one, two, strict=True):
            assert a.name == b.name
            assert np.array_equal(a.arguments["features"], b.arguments["features"])


@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_sample_is_right_and_never_explained(seed):
    for case in sample_cases(seed):
        got = sampled(rnn, case.arguments)
        assert got.dtype == np.int64
        for stops in (False, True):
            own = decode(case.arguments, stops=stops)
            assert agree(case.arguments, own, got).all()
            assert agree(case.arguments, got, own).all()
            assert sampling.explain_sample(case.arguments, own) is None


@pytest.mark.parametrize("seed", MANY_SEEDS)
def test_sample_cases_end_at_different_times(seed):
    for case in sample_cases(seed):
        _null, _start, end = special(case.arguments)
        captions = sampled(rnn, case.arguments)
        stops = [row.index(end) for row in captions.tolist() if end in row]
        assert 3 <= min(stops) <= captions.shape[1] - 3
        assert all(len(set(row)) >= 3 for row in captions.tolist())
        if len(captions) > 1:
            assert max(stops) - min(stops) >= 2


@pytest.mark.parametrize("mistake", sampling.EXPLANATIONS)
def test_mistake_is_named(mistake):
    shown = 0
    for seed in MANY_SEEDS:
        for case in sample_cases(seed):
            right = sampled(rnn, case.arguments)
            got = decode(case.arguments, mistake)
            if mistake.startswith("exchanges") and case.arguments["cell_type"] == "rnn":
                continue
            if mistake == "stops all at first end" and len(got) == 1:
                assert agree(case.arguments, got, right).all()
                continue
            shown += 1
            assert not agree(case.arguments, got, right).all()
            assert sampling.explain_sample(case.arguments, got) == sampling.EXPLANATIONS[mistake]
    assert shown >= 4 * len(MANY_SEEDS) - len(MANY_SEEDS)


@pytest.mark.parametrize("mistake", sampling.EXPLANATIONS)
def test_mistake_is_named_when_captions_also_stop_at_end(mistake):
    for case in sample_cases(0):
        if mistake.startswith("exchanges") and case.arguments["cell_type"] == "rnn":
            continue
        if mistake == "stops all at first end" and len(case.arguments["features"]) == 1:
            continue
        got = decode(case.arguments, mistake, stops=True)
        assert sampling.explain_sample(case.arguments, got) == sampling.EXPLANATIONS[mistake]


def test_a_batch_cut_off_at_its_first_end_is_named():
    for case in sample_cases(0):
        if len(case.arguments["features"]) > 1:
            _null, _start, end = special(case.arguments)
            got = decode(case.arguments)
            got = got[:, : np.flatnonzero((got == end).any(axis=0))[0] + 1]
            explained = sampling.explain_sample(case.arguments, got)
            assert explained == sampling.EXPLANATIONS["stops all at first end"]


def test_other_captions_are_not_explained():
    rng = np.random.default_rng(0)
    for case in sample_cases(0):
        right = sampled(rnn, case.arguments)
        vocabulary = len(case.arguments["word_to_idx"])
        assert (
            sampling.explain_sample(case.arguments, rng.integers(vocabulary, size=right.shape))
            is None
        )
        assert sampling.explain_sample(case.arguments, right[0]) is None
        assert sampling.explain_sample(case.arguments, right[:-1]) is None
        one_word_off = right.copy()
        one_word_off[0, 0] = (right[0, 0] + 1) % vocabulary
        assert not agree(case.arguments, one_word_off, right)[0]
        assert sampling.explain_sample(case.arguments, one_word_off) is None


NULL, END = 0, 2


@pytest.mark.parametrize(
    ("got", "same"),
    [
        ([5, 6, 2, 7, 8], True),
        ([5, 6, 2, 0, 0], True),
        ([5, 6, 2, 2, 2], True),
        ([5, 6, 2, 9, 1], True),
        ([5, 6, 0, 0, 0], True),  # stops before <END> is written
        ([5, 6, 0, 0, 7], False),
        ([5, 6, 7, 2, 0], False),
        ([5, 2, 2, 7, 8], False),
        ([5, 0, 0, 0, 0], False),
        ([1, 5, 6, 2, 7], False),
    ],
)
def test_samples_agree_up_to_end(got, same):
    expected = np.array([[5, 6, 2, 7, 8], [5, 6, 7, 8, 9]])
    both = np.array([got, expected[1]])
    assert sampling.samples_agree(both, expected, END, NULL).tolist() == [same, True]


def test_samples_agree_compares_everything_without_end():
    expected = np.array([[5, 6, 7], [5, 6, 7], [5, 6, 7]])
    got = np.array([[5, 6, 7], [5, 6, 0], [5, 6, 2]])
    assert sampling.samples_agree(got, expected, END, NULL).tolist() == [True, False, False]


# ------------------------------------------------------------------------------- submissions ---


def test_template_has_the_signatures_and_parameters_of_the_reference():
    template = load()
    for method in ("__init__", "loss", "sample"):
        wanted = inspect.signature(getattr(rnn.CaptioningRNN, method)).parameters
        given = inspect.signature(getattr(template.CaptioningRNN, method)).parameters
        assert list(given) == list(wanted)
        assert [str(p.default) for p in given.values()] == [str(p.default) for p in wanted.values()]
    words = {"<NULL>": 0, "<START>": 1, "<END>": 2}
    for cell in CELLS:
        for dtype in (np.float32, np.float64):
            own, given = (
                module.CaptioningRNN(words, 5, 4, 6, cell, dtype).params
                for module in (rnn, template)
            )
            assert {k: (v.shape, v.dtype) for k, v in given.items()} == {
                k: (v.shape, v.dtype) for k, v in own.items()
            }


def test_template_is_empty():
    model = load().CaptioningRNN({"<NULL>": 0, "<START>": 1, "<END>": 2}, 5, 4, 6)
    with pytest.raises(NotImplementedError, match=r"^CaptioningRNN\.loss$"):
        model.loss(np.zeros((2, 5)), np.zeros((2, 3), dtype=int))
    with pytest.raises(NotImplementedError, match=r"^CaptioningRNN\.sample$"):
        model.sample(np.zeros((2, 5)))


def wrong_grads(module, case) -> set[str]:
    want = driver.loss_and_grads(rnn, **case.arguments)
    got = driver.loss_and_grads(module, **case.arguments)
    wrong = set()
    for name, gradient in want.items():
        if name not in got or not np.allclose(got[name], gradient, rtol=1e-8, atol=1e-11):
            wrong.add(name.removeprefix("d"))
    return wrong


@pytest.mark.parametrize("style", STYLES)
def test_full_marks_agree_with_the_reference(style, capsys):
    module = load(SUBMISSIONS / "full_marks" / style)
    for case in loss_cases(2):
        assert wrong_grads(module, case) == set(), case.name
    for case in sample_cases(2):
        got = sampled(module, case.arguments)
        assert np.issubdtype(got.dtype, np.integer)
        assert agree(case.arguments, got, sampled(rnn, case.arguments)).all()
    capsys.readouterr()  # "loop" prints


def test_full_marks_differ_in_what_they_do_after_end(capsys):
    case = sample_cases(2)[0]
    plain, vectorised, loop = (
        sampled(load(SUBMISSIONS / "full_marks" / style), case.arguments) for style in STYLES
    )
    assert np.array_equal(plain, sampled(rnn, case.arguments))
    assert np.array_equal(vectorised, loop)
    assert not np.array_equal(vectorised, plain)
    capsys.readouterr()


@pytest.mark.parametrize("name", WRONG_SAMPLES)
def test_wrong_sample_is_wrong_and_its_loss_right(name):
    module = load(wrong_folder(name), HONEST)
    assert all(wrong_grads(module, case) == set() for case in loss_cases(0))
    explained = set()
    for case in sample_cases(0):
        if name == "sample_crashes_for_single_image" and len(case.arguments["features"]) == 1:
            with pytest.raises(np.exceptions.AxisError):
                sampled(module, case.arguments)
            continue
        got = sampled(module, case.arguments)
        if not agree(case.arguments, got, sampled(rnn, case.arguments)).all():
            explained.add(sampling.explain_sample(case.arguments, got))
    mistake = WRONG_SAMPLES[name]
    assert explained == ({sampling.EXPLANATIONS[mistake]} if mistake else set())


@pytest.mark.parametrize("name", WRONG_LOSSES)
def test_wrong_loss_is_wrong_and_its_sample_right(name):
    module = load(wrong_folder(name), HONEST)
    for case in sample_cases(0):
        assert agree(
            case.arguments, sampled(module, case.arguments), sampled(rnn, case.arguments)
        ).all()
    for case in loss_cases(0):
        if case.group == "edge_cases":
            continue
        wrong = wrong_grads(module, case) - {"loss"}
        right_by_chance = name == "caption_lstm_uses_rnn_for_both" and case.name.startswith("RNN")
        assert wrong == (set() if right_by_chance else WRONG_LOSSES[name]), case.name


@pytest.mark.parametrize("name", [*WRONG_SAMPLES, *WRONG_LOSSES])
def test_wrong_submission_is_described(name):
    described = yaml.safe_load((wrong_folder(name) / "expected.yaml").read_text(encoding="utf-8"))
    assert described["function"] == (SAMPLE if name in WRONG_SAMPLES else LOSS)
    assert described["mistake"].endswith(".")
    assert (SUBMISSIONS / described["base"]).is_dir()


def test_driver_refuses_what_is_no_loss():
    class Model(rnn.CaptioningRNN):
        def loss(self, features, captions):
            return super().loss(features, captions)[0]

    class Student:
        CaptioningRNN = Model

    with pytest.raises(TypeError, match="a number and a dictionary"):
        driver.loss_and_grads(Student, **loss_cases(0)[0].arguments)


# --------------------------------------------------------------------------------- overfitting ---


def judge(data, params) -> dict[str, float]:
    """Judge trained parameters as grading does; return the numbers by name."""
    found = judges.overfit({"params": params}, data["inputs"], data["withheld"])
    return {**found.values, "earned": sum(f.earned for f in found.findings)}


def overfit(data, cell, seed, module=rnn, folders=()):
    with importable(*folders):
        return driver.overfit(module, cell_type=cell, seed=seed, device="cpu", **data["inputs"])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_reference_learns_the_training_captions_by_heart(cell, seed):
    data = dataset.load("mini", None, seed)
    out = overfit(data, cell, seed)
    found = judge(data, out["params"])
    assert found["token_accuracy"] >= 0.98
    assert found["training_loss"] < found["least_possible_loss"] + 1
    assert found["bleu_train"] > 0.95
    assert found["bleu_val"] < 0.5
    assert found["earned"] == 2
    assert {value.dtype for value in out["params"].values()} == {np.dtype(np.float32)}
    assert len(out["loss_history"]) == driver.STEPS
    assert out["loss_history"][-1] < out["loss_history"][0] / 10
    inputs = data["inputs"]
    for split in ("train", "val"):
        shape = (len(inputs[f"{split}_features"]), inputs["max_length"])
        assert out[f"{split}_samples"].shape == shape
    assert judges.overfit(out, inputs, data["withheld"]).notes == ()
    out["train_samples"] = np.roll(out["train_samples"], 1, axis=0)
    (note,) = judges.overfit(out, inputs, data["withheld"]).notes
    assert "your sample gives other captions than the trained parameters do" in note


@pytest.mark.parametrize("cell", CELLS)
def test_reference_learns_the_captions_of_the_full_tier(cell):
    pytest.importorskip("h5py")
    folder = Path(os.environ.get("GRADER_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "captions").is_dir():
        pytest.skip("full tier: GRADER_DATA is not set and there is no shared/data folder")
    data = dataset.load("full", folder, 0)
    found = judge(data, overfit(data, cell, 0)["params"])
    assert found["token_accuracy"] >= 0.98
    assert found["bleu_train"] > 0.95
    assert found["bleu_val"] < 0.3


@pytest.mark.parametrize("cell", CELLS)
def test_same_seed_gives_the_same_training(cell, monkeypatch):
    monkeypatch.setattr(driver, "STEPS", 6)
    data = dataset.load("mini", None, 0)
    one, two, other = (overfit(data, cell, seed) for seed in (1, 1, 2))
    assert np.array_equal(one["loss_history"], two["loss_history"])
    assert not np.array_equal(one["loss_history"], other["loss_history"])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("style", ["plain", "vectorised"])
def test_full_marks_train_like_the_reference(style, cell):
    """Whatever a constructor draws; "loop" does the same and takes 10 to 20 seconds."""
    folder = SUBMISSIONS / "full_marks" / style
    data = dataset.load("mini", None, 0)
    out = overfit(data, cell, 0, load(folder), [folder])
    assert judge(data, out["params"])["token_accuracy"] >= 0.98


@pytest.mark.parametrize("cell", CELLS)
def test_untrained_and_hardly_trained_models_know_little(cell, monkeypatch):
    data = dataset.load("mini", None, 0)
    for steps, most in ((0, 0.2), (15, 0.9)):
        monkeypatch.setattr(driver, "STEPS", steps)
        assert judge(data, overfit(data, cell, 0)["params"])["token_accuracy"] < most


@pytest.mark.parametrize("cell", CELLS)
def test_model_that_does_not_look_at_the_image_knows_little(cell):
    data = dataset.load("mini", None, 0)
    blind = {**data["inputs"], "train_features": 0 * data["inputs"]["train_features"]}
    out = overfit({"inputs": blind}, cell, 0)
    out["params"]["W_proj"][:] = 0
    found = judge(data, out["params"])
    assert found["token_accuracy"] < 0.5
    assert found["training_loss"] > found["least_possible_loss"] + 2


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("caption_loss_shifted_wrong", "rnn"),
        ("caption_not_transposed", "rnn"),
        ("caption_not_transposed", "lstm"),
        ("caption_lstm_uses_rnn_for_both", "lstm"),
    ],
)
def test_wrong_loss_does_not_learn(name, cell):
    folders = [wrong_folder(name), HONEST]
    data = dataset.load("mini", None, 0)
    out = overfit(data, cell, 0, load(*folders), folders)
    assert judge(data, out["params"])["token_accuracy"] < 0.5


# ------------------------------------------------------------------------- what can be forged ---


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        ({}, KeyError),
        ({"params": None}, Failure),
        ({"params": {"b": np.zeros(128)}}, Failure),
        ({"params": "a text"}, Failure),
    ],
)
def test_forged_parameters_cannot_be_read(forged, reason):
    data = dataset.load("mini", None, 0)
    with pytest.raises(reason):
        judges.overfit(forged, data["inputs"], data["withheld"])


def test_parameters_of_other_shapes_or_not_finite_are_named():
    data = dataset.load("mini", None, 0)
    sizes = {"input_dim": data["inputs"]["train_features"].shape[1], **driver.SIZES}
    words = len(data["inputs"]["word_to_idx"])
    params = driver.initial_params("lstm", words, sizes, np.random.default_rng(0))
    for name, value, text in (
        ("Wx", params["Wx"].T, r"params\['Wx'\] is \(512, 64\), expected \(64, 512\)"),
        ("W_vocab", np.full_like(params["W_vocab"], np.nan), "NaN or infinity"),
    ):
        with pytest.raises(Failure, match=text):
            judges.overfit({"params": {**params, name: value}}, data["inputs"], data["withheld"])


def test_the_larger_run_is_longer_and_on_more_images():
    few, many = dataset.load("mini", None, 0)["inputs"], large.load("mini", None, 0)["inputs"]
    assert many["steps"] > driver.STEPS
    assert len(many["train_features"]) > 10 * len(few["train_features"])
    with pytest.raises(ValueError, match="tier"):
        large.load("other", None, 0)

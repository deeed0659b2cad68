"""Judges trained captioning parameters: decodes and scores captions on the trusted side.

The parameters come from student code. They are loaded into the reference model, which decodes the
captions. What the student's own ``sample`` makes of them is shown, but decides nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.author import Curves, Evidence, Failure, Finding, Table

from .. import rnn
from ..cases.sampling_mistakes import samples_agree
from ..drivers import captioning as driver
from ..supplied import load

Values = Mapping[str, Any]
Captions = list[list[str]]  # for each image, its true captions

NULL = 0
LEAST_GAP = 0.4  # BLEU of training above validation captions
MOST_EXCESS = 1.0  # of the training loss above the least possible one
LEAST_AGREEING = 0.9  # of the captions; rounding may decide on a word
SHOWN = 6  # captions of each split in the report
MOST_STEPS = 50_000  # shown of the losses; an honest run has a few thousand
CELLS = {1: "rnn", 4: "lstm"}
NAMES = {"rnn": "a vanilla RNN", "lstm": "an LSTM"}


def overfit(
    result: Values, inputs: Values, withheld: Values, wanted: str | None = None
) -> Evidence:
    """Judge a model that should have memorized its few training captions.

    Args:
        result: the driver's.
        inputs: the data set's.
        withheld: the captions of the validation images.
        wanted: the cell that was asked for; None for either.

    Returns:
        the value ``token_accuracy``: the share of the words of a training image's closest true
        caption that stand at their place in the decoded one, averaged over the images; the findings
        ``training_loss`` (it nearly reaches the least possible loss, which is not 0: nothing tells
        which caption of its image is meant) and ``overfits`` (BLEU of the training captions
        exceeds that of the validation captions by LEAST_GAP).
    """
    params, cell = _params(result, inputs, wanted)
    samples = _decoded(params, cell, inputs)
    owned = [
        inputs["train_captions"][inputs["train_image_idxs"] == image]
        for image in range(len(inputs["train_features"]))
    ]
    accuracy = float(
        np.mean([_closest(s, c) for s, c in zip(samples["train"], owned, strict=True)])
    )
    utils = load("captioning_utils")
    words = {i: word for word, i in inputs["word_to_idx"].items()}
    truth: dict[str, Captions] = {
        "train": [utils.decode_captions(captions, words) for captions in owned],
        "val": withheld["val_captions"],
    }
    texts = {split: utils.decode_captions(found, words) for split, found in samples.items()}
    bleu = {split: _bleu(truth[split], texts[split]) for split in texts}
    loss, least = _training_loss(params, cell, inputs, owned)
    return Evidence(
        values={
            "token_accuracy": accuracy,
            "training_loss": loss,
            "least_possible_loss": least,
            "bleu_train": bleu["train"],
            "bleu_val": bleu["val"],
        },
        findings=(_loss_finding(loss, least), _gap_finding(bleu)),
        figures=(*_curve(result), *(_table(split, texts[split], truth[split]) for split in texts)),
        notes=_sample_notes(result.get("train_samples"), samples["train"], inputs["word_to_idx"]),
    )


def _sample_notes(own: Any, ours: np.ndarray[Any, Any], ids: Mapping[str, int]) -> tuple[str, ...]:
    """Note captions that the student's ``sample`` gives and the trained parameters do not."""
    if type(own) is not np.ndarray or own.shape != ours.shape or own.dtype.kind not in "iu":
        return ()  # that costs its points in a check of its own
    share = float(samples_agree(own, ours, ids["<END>"], NULL).mean())
    if share >= LEAST_AGREEING:
        return ()
    text = "your sample gives other captions than the trained parameters do, for "
    return (f"{text}{1 - share:.0%} of the training images: does it follow from the parameters?",)


def validation_bleu(result: Values, inputs: Values, withheld: Values) -> Evidence:
    """Judge a model trained on many captions: ``bleu`` of the captions of unseen images."""
    params, cell = _params(result, inputs)
    samples = _decoded(params, cell, inputs, splits=("val",))["val"]
    words = {i: word for word, i in inputs["word_to_idx"].items()}
    texts = load("captioning_utils").decode_captions(samples, words)
    truth = withheld["val_captions"]
    return Evidence(
        values={"bleu": _bleu(truth, texts)},
        figures=(*_curve(result), _table("val", texts, truth)),
    )


def _params(
    result: Values, inputs: Values, wanted: str | None = None
) -> tuple[dict[str, np.ndarray[Any, Any]], str]:
    """Return the parameters, checked, and the cell that they belong to: the ``wanted`` one."""
    params = result["params"]
    if type(params) is not dict or type(params.get("b")) is not np.ndarray:
        raise Failure("wrong_dtype", "the model's params are not a dictionary of arrays")
    hidden = driver.SIZES["hidden_dim"]
    made = CELLS.get(params["b"].size // hidden, "rnn")
    cell = wanted or made
    sizes = {"input_dim": inputs["train_features"].shape[1], **driver.SIZES}
    rng = np.random.default_rng(0)
    expected = driver.initial_params(cell, len(inputs["word_to_idx"]), sizes, rng)
    for name, value in expected.items():
        found = params.get(name)
        if type(found) is not np.ndarray or found.shape != value.shape:
            shape = f"is {found.shape}" if isinstance(found, np.ndarray) else "is missing"
            message = f"after training, params[{name!r}] {shape}, expected {value.shape}"
            if made != cell:
                message += f": these are the parameters of {NAMES[made]}, not of {NAMES[cell]}"
            raise Failure("wrong_shape", message)
        if not np.isfinite(found).all():
            raise Failure("not_finite", f"after training, params[{name!r}] holds NaN or infinity")
    return {name: params[name].astype(np.float64) for name in expected}, cell


def _arguments(params: Values, cell: str, inputs: Values) -> dict[str, Any]:
    return {
        "word_to_idx": inputs["word_to_idx"],
        "sizes": {"input_dim": params["W_proj"].shape[0], **driver.SIZES},
        "cell_type": cell,
        "params": params,
    }


def _decoded(
    params: Values, cell: str, inputs: Values, splits: Sequence[str] = ("train", "val")
) -> dict[str, np.ndarray[Any, Any]]:
    """Return the word ids (images, L) that the reference decodes with these parameters."""
    common = _arguments(params, cell, inputs)
    return {
        split: driver.sample(
            rnn,
            **common,
            features=inputs[f"{split}_features"],
            max_length=inputs["max_length"],
        )["captions"]
        for split in splits
    }


def _closest(sample: np.ndarray[Any, Any], captions: np.ndarray[Any, Any]) -> float:
    """The share of words at their place, for the true caption that is closest to the sample."""
    targets = captions[:, 1:]
    counted = targets != NULL
    hits = (targets == sample[: targets.shape[1]]) & counted
    return float((hits.sum(axis=1) / counted.sum(axis=1)).max())


def _bleu(truth: Captions, texts: Sequence[str]) -> float:
    bleu = load("captioning_utils").bleu
    return float(np.mean([bleu(own, text) for own, text in zip(truth, texts, strict=True)]))


def _training_loss(
    params: Values, cell: str, inputs: Values, owned: Sequence[np.ndarray[Any, Any]]
) -> tuple[float, float]:
    """Return the loss over all training captions, and the least that any model can reach."""
    loss = driver.loss_and_grads(
        rnn,
        **_arguments(params, cell, inputs),
        features=inputs["train_features"][inputs["train_image_idxs"]],
        captions=inputs["train_captions"],
    )["loss"]
    choices = [np.log(len(owned[image])) for image in inputs["train_image_idxs"]]
    return float(loss), float(np.mean(choices))


def _loss_finding(loss: float, least: float) -> Finding:
    if loss <= least + MOST_EXCESS:
        return Finding("training_loss", 1.0)
    message = (
        f"the training loss is {loss:.2f} after training; it must be at most "
        f"{least + MOST_EXCESS:.2f} ({least:.2f} is the least possible)"
    )
    return Finding("training_loss", 0.0, message, "below_threshold")


def _gap_finding(bleu: Mapping[str, float]) -> Finding:
    if bleu["train"] - bleu["val"] >= LEAST_GAP:
        return Finding("overfits", 1.0)
    message = (
        f"BLEU is {bleu['train']:.2f} for training and {bleu['val']:.2f} for validation captions; "
        f"a model that has memorized its training captions shows a gap of at least {LEAST_GAP:g}"
    )
    return Finding("overfits", 0.0, message, "below_threshold")


def _curve(result: Values) -> tuple[Curves, ...]:
    history = result.get("loss_history")
    if type(history) is not np.ndarray or history.ndim != 1 or history.dtype.kind != "f":
        return ()
    return (Curves("Training loss", {"loss of the minibatch": history[:MOST_STEPS].tolist()}),)


def _table(split: str, texts: Sequence[str], truth: Captions) -> Table:
    title = {"train": "Training captions", "val": "Validation captions (of unseen images)"}
    rows = [(text, " / ".join(own)) for text, own in zip(texts, truth, strict=True)]
    return Table(title[split], ("sampled from the trained model", "ground truth"), rows[:SHOWN])

"""Judges whether a captioning model became what it is by training (q5.7, q5.8).

Captions that are known by heart do not prove training: random recurrent weights with a fitted
output layer give them, too, and so does a vanilla RNN where an LSTM was asked for. The driver
starts all models from the same parameters, and the supplied solver draws the same minibatches. So
the reference is trained here in the same way, and the weights before the output layer must have
moved as its own have: not to the same place, since rounding grows, but in the same direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.author import Evidence, Failure

from .. import rnn
from ..drivers import captioning as driver
from ..supplied import load
from . import captioning

Values = Mapping[str, Any]
Params = Mapping[str, np.ndarray[Any, Any]]

WATCHED = ("W_proj", "Wx", "Wh")  # all that is before the hidden state, but the word vectors
STEPS = 40  # of our own training; more of them take time, and only its direction is needed
# Correlation of its changes with a student's: 0.92 for right programs, 0.5 for a wrong loss from
# which a model still learns, 0.0 for weights that were made in another way.
LEAST = 0.2
KNOWN = 0.2  # token accuracy from which the captions count as known; below, nothing is earned


def overfit_rnn(result: Values, inputs: Values, withheld: Values) -> Evidence:
    """Judge a vanilla RNN; see ``captioning.overfit``."""
    return _overfit("rnn", result, inputs, withheld)


def overfit_lstm(result: Values, inputs: Values, withheld: Values) -> Evidence:
    """Judge an LSTM; see ``captioning.overfit``."""
    return _overfit("lstm", result, inputs, withheld)


def _overfit(cell: str, result: Values, inputs: Values, withheld: Values) -> Evidence:
    """Judge a model of this cell.

    Raises:
        Failure: it is of another cell, or its weights did not come from training.
    """
    found = captioning.overfit(result, inputs, withheld, cell)
    if found.values["token_accuracy"] <= KNOWN:
        return found
    likeness = _likeness(cell, result, inputs)
    if likeness < LEAST:
        raise Failure(
            "mismatch",
            f"the captions are known, but not by training: {', '.join(WATCHED)} did not move from "
            "their initial values as training by the loss moves them (correlation "
            f"{likeness:.2f} with the changes that the right loss and the same minibatches make; "
            "a right program has 0.9)",
        )
    return found


def _likeness(cell: str, result: Values, inputs: Values) -> float:
    """Return the correlation of the changes in the student's and in our own training."""
    seed = int(result["seed"])
    sizes = {"input_dim": inputs["train_features"].shape[1], **driver.SIZES}
    words = len(inputs["word_to_idx"])
    start = driver.initial_params(cell, words, sizes, np.random.default_rng([seed, 0]))
    ours = _trained(cell, start, inputs, seed)
    theirs = {name: np.asarray(result["params"][name], dtype=np.float64) for name in WATCHED}
    changes = [
        np.concatenate([(end[name] - start[name]).ravel() for name in WATCHED])
        for end in (theirs, ours)
    ]
    if not all(np.ptp(change) > 0 for change in changes):
        return 0.0
    return float(np.corrcoef(*changes)[0, 1])


def _trained(cell: str, start: Params, inputs: Values, seed: int) -> Params:
    """Train the reference for STEPS as the supplied solver does, with the driver's settings."""
    settings: dict[str, Any] = driver.TRAINING
    update = getattr(load("optim"), settings["update_rule"])
    sizes = {"input_dim": start["W_proj"].shape[0], **driver.SIZES}
    model = rnn.CaptioningRNN(inputs["word_to_idx"], cell_type=cell, dtype=np.float32, **sizes)
    model.params = {name: value.astype(np.float32) for name, value in start.items()}
    configs = {name: dict(settings["optim_config"]) for name in start}
    rng = np.random.default_rng(seed)
    for _step in range(STEPS):
        captions, features = load("captioning_utils").sample_minibatch(
            inputs, settings["batch_size"], "train", rng
        )
        _loss, grads = model.loss(features, captions)
        for name, value in model.params.items():
            model.params[name], configs[name] = update(value, grads[name], configs[name])
    return model.params

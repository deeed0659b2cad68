"""Runs beside the student's ``rnn.py`` in a worker; holds no secret.

Also run on the trusted side with the reference solution, for the expected values. Parameters and
samples come back as they are: what they are worth is computed elsewhere.
"""

import math
from types import ModuleType
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]

STEPS = 150  # 120 are enough for the reference; to a program of Python loops each costs 0.15 s
SIZES = {"wordvec_dim": 64, "hidden_dim": 128}
TRAINING = {
    "update_rule": "adam",
    "batch_size": 25,
    "optim_config": {"learning_rate": 1e-2},
    "verbose": False,
}


def loss_and_grads(
    student: ModuleType,
    *,
    word_to_idx: dict[str, int],
    sizes: dict[str, int],
    cell_type: str,
    params: Arrays,
    features: np.ndarray,
    captions: np.ndarray,
) -> dict[str, Any]:
    """Call the student's ``loss`` in float64.

    Args:
        student: the module with ``CaptioningRNN``.
        word_to_idx: the vocabulary.
        sizes: ``input_dim``, ``wordvec_dim`` and ``hidden_dim``.
        cell_type: ``rnn`` or ``lstm``.
        params: the parameters by name, in place of the initial ones.
        features: (N, D).
        captions: (N, T + 1).

    Returns:
        ``loss``, a scalar array, and ``d<name>`` for the gradient of each parameter.

    Raises:
        TypeError: the student's ``loss`` returns something else than a number and a dictionary.
    """
    model = _model(student, word_to_idx, sizes, cell_type, params, np.float64)
    result = model.loss(features.copy(), captions.copy())
    if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[1], dict):
        raise TypeError("CaptioningRNN.loss must return a number and a dictionary of gradients")
    loss, grads = result
    gradients = {f"d{name}": np.asarray(gradient) for name, gradient in grads.items()}
    return {"loss": np.asarray(loss), **gradients}


def sample(
    student: ModuleType,
    *,
    word_to_idx: dict[str, int],
    sizes: dict[str, int],
    cell_type: str,
    params: Arrays,
    features: np.ndarray,
    max_length: int,
) -> dict[str, Any]:
    """Call the student's ``sample`` in float64.

    Args:
        student: the module with ``CaptioningRNN``.
        word_to_idx: the vocabulary.
        sizes: ``input_dim``, ``wordvec_dim`` and ``hidden_dim``.
        cell_type: ``rnn`` or ``lstm``.
        params: the parameters by name, in place of the initial ones.
        features: (N, D).
        max_length: the number of words to predict.

    Returns:
        ``captions``, (N, max_length) word ids if the student's method is right.
    """
    model = _model(student, word_to_idx, sizes, cell_type, params, np.float64)
    return {"captions": np.asarray(model.sample(features.copy(), max_length))}


def overfit_rnn(student: ModuleType, **inputs: Any) -> dict[str, Any]:
    """Train a vanilla RNN; see ``overfit``."""
    return overfit(student, cell_type="rnn", **inputs)


def overfit_lstm(student: ModuleType, **inputs: Any) -> dict[str, Any]:
    """Train an LSTM; see ``overfit``."""
    return overfit(student, cell_type="lstm", **inputs)


def larger_run(student: ModuleType, **inputs: Any) -> dict[str, Any]:
    """Train an LSTM on many captions for the ``steps`` of the data set; see ``overfit``."""
    return overfit(student, cell_type="lstm", **inputs)


def overfit(
    student: ModuleType,
    *,
    cell_type: str,
    seed: int,
    device: str,
    train_features: np.ndarray,
    train_captions: np.ndarray,
    train_image_idxs: np.ndarray,
    val_features: np.ndarray,
    word_to_idx: dict[str, int],
    max_length: int,
    steps: int | None = None,
) -> dict[str, Any]:
    """Train the student's model on a few captions for so long that it knows them by heart.

    Args:
        student: the module with ``CaptioningRNN``.
        cell_type: ``rnn`` or ``lstm``.
        seed: decides the initial parameters and the minibatches.
        device: not used; the model is written in numpy.
        train_features: (I, D), a row per training image.
        train_captions: (C, L) word ids.
        train_image_idxs: (C,), the image of each caption.
        val_features: (J, D), a row per image that training does not see.
        word_to_idx: the vocabulary.
        max_length: the number of words to sample.
        steps: how many minibatches to train on; STEPS if not given.

    Returns:
        ``params``, the trained parameters in float32; ``seed``, as given; ``loss_history``,
        (steps,); ``train_samples`` (I, max_length) and ``val_samples`` (J, max_length), what the
        student's ``sample`` makes of the images.
    """
    del device
    from captioning_solver import CaptioningSolver  # supplied, beside the student's files

    sizes = {"input_dim": train_features.shape[1], **SIZES}
    # Parameters of our own: what a student's constructor draws must not decide about the points.
    params = initial_params(cell_type, len(word_to_idx), sizes, np.random.default_rng([seed, 0]))
    model = _model(student, word_to_idx, sizes, cell_type, params, np.float32)
    data = {
        "train_features": train_features,
        "train_captions": train_captions,
        "train_image_idxs": train_image_idxs,
    }
    steps_per_epoch = max(1, len(train_captions) // TRAINING["batch_size"])
    epochs = math.ceil((STEPS if steps is None else steps) / steps_per_epoch)
    solver = CaptioningSolver(model, data, num_epochs=epochs, seed=seed, **TRAINING)
    solver.train()
    return {
        "params": {
            str(name): np.asarray(value, dtype=np.float32) for name, value in model.params.items()
        },
        "seed": seed,
        "loss_history": np.asarray(solver.loss_history, dtype=np.float64),
        "train_samples": _sampled(model, train_features, max_length),
        "val_samples": _sampled(model, val_features, max_length),
    }


def _sampled(model: Any, features: np.ndarray, max_length: int) -> np.ndarray | None:
    """Return what the student's ``sample`` makes of the trained model; None if it raises.

    The captions are decoded on the other side. A ``sample`` that fails loses its points in a check
    of its own.
    """
    try:
        return np.asarray(model.sample(features.copy(), max_length))
    except Exception:  # noqa: BLE001 - student code may raise anything
        return None


def initial_params(
    cell_type: str, vocabulary_size: int, sizes: dict[str, int], rng: np.random.Generator
) -> Arrays:
    """Draw the parameters that training starts from: zero biases, small random weights."""
    D, W, H = sizes["input_dim"], sizes["wordvec_dim"], sizes["hidden_dim"]
    gates = 4 if cell_type == "lstm" else 1
    shapes = {
        "W_proj": (D, H),
        "W_embed": (vocabulary_size, W),
        "Wx": (W, gates * H),
        "Wh": (H, gates * H),
        "W_vocab": (H, vocabulary_size),
    }
    params = {
        name: rng.standard_normal(shape) / (100 if name == "W_embed" else np.sqrt(shape[0]))
        for name, shape in shapes.items()
    }
    biases = {"b_proj": H, "b": gates * H, "b_vocab": vocabulary_size}
    return params | {name: np.zeros(size) for name, size in biases.items()}


def _model(
    student: ModuleType,
    word_to_idx: dict[str, int],
    sizes: dict[str, int],
    cell_type: str,
    params: Arrays,
    dtype: type,
) -> Any:
    """Build the student's model and give it the parameters ``params``."""
    model = student.CaptioningRNN(dict(word_to_idx), cell_type=cell_type, dtype=dtype, **sizes)
    for name, value in params.items():
        model.params[name] = value.astype(dtype)  # astype copies: these are the model's own
    return model

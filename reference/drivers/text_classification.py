"""Runs beside the student's ``text_classification.py`` in a worker; holds no secret.

One function per model. Each trains with the student's function and returns

* ``predictions``: what ``predict`` says of the test sentences;
* ``order``: what it says of the first of them with their words shuffled;
* ``again``: the same as ``order``, asked a second time;
* ``parameters``: ``count``, the number of trainable parameters, and ``shapes``, the first two sizes
  of each of them, (k, 2), with 1 for a size that is absent.
"""

from types import ModuleType
from typing import Any

import numpy as np

LABELLED = ("train_sentences", "train_labels", "dev_sentences", "dev_labels")
SHUFFLED = 200  # sentences


def bag_of_words(student: ModuleType, *, seed: int, **data: Any) -> dict[str, Any]:
    """Train and try the student's ``train_bag_of_words``."""
    return _train_and_try(student, "train_bag_of_words", LABELLED, seed, data)


def average_embeddings(student: ModuleType, *, seed: int, **data: Any) -> dict[str, Any]:
    """Train and try the student's ``train_average_embeddings``."""
    return _train_and_try(student, "train_average_embeddings", LABELLED, seed, data)


def average_glove(student: ModuleType, *, seed: int, **data: Any) -> dict[str, Any]:
    """Train and try the student's ``train_average_glove``."""
    return _train_and_try(student, "train_average_glove", (*LABELLED, "vectors"), seed, data)


def rnn(student: ModuleType, *, seed: int, **data: Any) -> dict[str, Any]:
    """Train and try the student's ``train_rnn``."""
    return _train_and_try(student, "train_rnn", (*LABELLED, "vectors"), seed, data)


def lstm(student: ModuleType, *, seed: int, **data: Any) -> dict[str, Any]:
    """Train and try the student's ``train_lstm``."""
    return _train_and_try(student, "train_lstm", (*LABELLED, "vectors"), seed, data)


def shuffled_words(sentences: list[str], seed: int) -> list[str]:
    """Put the words of the first SHUFFLED sentences into an order that ``seed`` decides."""
    rng = np.random.default_rng(seed)
    return [
        " ".join(words[i] for i in rng.permutation(len(words)))
        for words in (sentence.split() for sentence in sentences[:SHUFFLED])
    ]


def _train_and_try(
    student: ModuleType, name: str, wanted: tuple[str, ...], seed: int, data: dict[str, Any]
) -> dict[str, Any]:
    """Call the student's function ``name`` with what it takes of ``data``, then its ``predict``.

    Raises:
        TypeError: the student's function returns something else than (model, predict).
    """
    training = {key: data[key] for key in wanted}
    result = getattr(student, name)(**training, seed=seed)
    if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
        raise TypeError(f"{name} must return a model and a function predict(sentences)")
    model, predict = result
    test_sentences = data["test_sentences"]
    return {
        "predictions": _as_array(predict(list(test_sentences))),
        "order": _as_array(predict(shuffled_words(test_sentences, seed))),
        "again": _as_array(predict(shuffled_words(test_sentences, seed))),
        "parameters": _parameters(model),
    }


def _as_array(predictions: Any) -> np.ndarray:
    """Predictions as an array, (n,): of an array, a tensor or a list of numbers or tensors."""
    if isinstance(predictions, list | tuple):
        predictions = [_plain(item) for item in predictions]
    array = np.asarray(_plain(predictions))
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _plain(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _parameters(model: Any) -> dict[str, Any]:
    """Count the trainable parameters and list their first two sizes; none without a module."""
    parameters = list(model.parameters()) if hasattr(model, "parameters") else []
    sizes = [(*p.shape, 1, 1)[:2] for p in parameters if p.requires_grad]
    return {
        "count": sum(p.numel() for p in parameters if p.requires_grad),
        "shapes": np.array(sizes, dtype=np.int64).reshape(-1, 2),
    }

"""Runs beside the student's ``text_classification.py`` in a worker; holds no secret.

One function per model. Each trains with the student's function and returns

* ``predictions``: what ``predict`` says of the test sentences;
* ``order``: what it says of the first of them with their words shuffled;
* ``again``: the same as ``order``, asked a second time;
* ``parameters``: ``count``, the number of trainable parameters, and ``shapes``, the first two sizes
  of each of them and of trainable tensors in plain attributes, (k, 2), with 1 for a size that is
  absent;
* ``arrays``: the arrays that the model holds, by name: its state, then tensors in plain attributes.
  None where they take more than MOST_BYTES;
* ``handed_in``: what it says of the sentences for which students hand predictions in; None if it
  raises;
* ``probes``: by kind, what ``predict`` says of the sentences of ``probes``, and ``words``, the
  places of the words that it was asked about. None where it raises.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

LABELLED = ("train_sentences", "train_labels", "dev_sentences", "dev_labels")
SHUFFLED = 200  # sentences
PROBED = 200  # sentences whose words are asked about
TWICE = 100  # sentences that are said twice
DILUTED = 7  # times that the common word follows
MOST_BYTES = 48 * 1024 * 1024  # of the arrays of a model
SINGLE = 4  # bytes of a number in single precision; numpy lacks some shorter ones
DEEPEST = 4  # attributes of attributes, in a model that is not a module
MOST_ENTRIES = 100  # of a dictionary or a list in which tensors may be


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


def common_word(train_sentences: list[str]) -> str:
    """Return the word that occurs most often; the first in the alphabet of several."""
    counts = Counter(word for sentence in train_sentences for word in sentence.split())
    return min(counts, key=lambda word: (-counts[word], word))


def probes(words: list[str], common: str, test_sentences: list[str]) -> dict[str, list[str]]:
    """Return short sentences that show what a network does with each of some words.

    ``alone`` are the words; the next three say them ``before`` the common word, ``after`` it, and
    before DILUTED of it. ``twice`` are whole sentences said twice.
    """
    return {
        "alone": words,
        "before": [f"{word} {common}" for word in words],
        "after": [f"{common} {word}" for word in words],
        "diluted": [" ".join([word, *[common] * DILUTED]) for word in words],
        "twice": [f"{sentence} {sentence}" for sentence in test_sentences[:TWICE]],
    }


def probed_words(data: Mapping[str, Any]) -> list[str]:
    """Return the words of the first PROBED test sentences that training shows or a vector has."""
    seen = {word for sentence in data["train_sentences"] for word in sentence.split()}
    seen |= set(data["vectors"][0])
    checked = data["test_sentences"][:PROBED]
    words = {word for sentence in checked for word in sentence.split()}
    return sorted({common_word(data["train_sentences"]), *words & seen})


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
        "handed_in": _asked_more(predict, data["unlabelled_sentences"]),
        "parameters": _parameters(model),
        "arrays": _arrays(model),
        "probes": _probed(predict, data),
    }


def _asked_more(predict: Any, sentences: list[str]) -> np.ndarray | None:
    """Return what ``predict`` says of sentences that earn nothing here; None if it raises."""
    try:
        return _as_array(predict(list(sentences)))
    except Exception:  # noqa: BLE001 - what it does on other sentences counts
        return None


def _probed(predict: Any, data: dict[str, Any]) -> dict[str, np.ndarray] | None:
    """Ask about all probes at once: a sentence's probability does not depend on the others.

    A sentence of one word may be empty for a program that leaves out words without a vector.
    """
    words, common = probed_words(data), common_word(data["train_sentences"])
    shown = {word for sentence in data["train_sentences"] for word in sentence.split()}
    shown &= set(data["vectors"][0])
    for places in (range(len(words)), [i for i, word in enumerate(words) if word in shown]):
        asked = probes([words[i] for i in places], common, data["test_sentences"])
        try:
            told = _as_array(predict([text for texts in asked.values() for text in texts]))
        except Exception:  # noqa: BLE001, S112 - what it does on other sentences counts
            continue
        ends = np.cumsum([len(texts) for texts in asked.values()])
        found = dict(zip(asked, np.split(told, ends[:-1]), strict=True))
        return {**found, "words": np.array(places, dtype=np.int64)}
    return None


def _as_array(predictions: Any) -> np.ndarray:
    """Predictions as an array, (n,): of an array, a tensor or a list of numbers or tensors."""
    if isinstance(predictions, list | tuple):
        predictions = [_plain(item) for item in predictions]
    array = np.asarray(_plain(predictions))
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _plain(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _parameters(model: Any) -> dict[str, Any]:
    """Count the trainable parameters; list the first two sizes of these and of plain tensors."""
    parameters = list(model.parameters()) if hasattr(model, "parameters") else []
    plain = [value for _name, value in _held(model, "", 0, set())]
    trainable = [p for p in (*parameters, *plain) if getattr(p, "requires_grad", False)]
    sizes = [(*p.shape, 1, 1)[:2] for p in trainable]
    return {
        "count": sum(p.numel() for p in parameters if p.requires_grad),
        "shapes": np.array(sizes, dtype=np.int64).reshape(-1, 2),
    }


def _arrays(model: Any) -> dict[str, np.ndarray] | None:
    """Return the arrays that a model holds; None if they are too large."""
    found: dict[str, np.ndarray] = {}
    for name, value in _held(model, "", 0, set()):
        array = _numbers(value)
        if array is not None:
            found[f"{name}_" if name in found else name] = array
    return found if sum(array.nbytes for array in found.values()) <= MOST_BYTES else None


def _numbers(value: Any) -> np.ndarray | None:
    """Return a tensor or an array as an array of numbers; None if it is not one."""
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = value.to_dense() if value.is_sparse else value
            is_short = value.is_floating_point() and value.element_size() < SINGLE
            value = (value.float() if is_short else value).numpy()
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.dtype.kind in "fiu" and array.size else None


def _held(value: Any, name: str, depth: int, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield tensors and arrays with their names: a module's state, then what else it refers to."""
    if id(value) in seen or depth > DEEPEST:
        return
    seen.add(id(value))
    if hasattr(value, "detach") or isinstance(value, np.ndarray):
        yield name.removesuffix("."), value
    elif hasattr(value, "state_dict") and hasattr(value, "modules"):
        yield from ((f"{name}{key}", kept) for key, kept in value.state_dict().items())
        seen.update(map(id, [*value.parameters(), *value.buffers(), *value.modules()]))
        for path, module in value.named_modules():
            place = f"{name}{path}." if path else name
            for key in getattr(module, "parametrizations", {}):  # a weight that others make
                yield f"{place}{key}", getattr(module, key)
            for key, kept in vars(module).items():
                if not key.startswith("_"):
                    yield from _held(kept, f"{place}{key}.", depth + 1, seen)
    else:
        for key, kept in _entries(value):
            yield from _held(kept, f"{name}{key}.", depth + 1, seen)


def _entries(value: Any) -> list[tuple[Any, Any]]:
    """Return what a container or an object of the student's own refers to.

    A large one of numbers of one shape, such as a tensor for each word, is a table.
    """
    if isinstance(value, dict | list | tuple) and len(value) > MOST_ENTRIES:
        kept = list(value.values() if isinstance(value, dict) else value)
        table = _stacked(kept)
        return [] if table is None else [("table", table)]
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if isinstance(value, type | ModuleType) or callable(value):
        return []
    return list(vars(value).items()) if hasattr(value, "__dict__") else []


def _stacked(values: list[Any]) -> Any:
    """Return tensors, arrays or floats of one shape as a table; None for sentences or places."""
    import torch

    if all(isinstance(value, torch.Tensor) for value in values):
        alike = len({(value.shape, value.device, value.dtype) for value in values}) == 1
        return torch.stack(values) if alike else None
    if not all(isinstance(value, float | np.floating | np.ndarray) for value in values):
        return None
    return np.array(values) if len({np.shape(value) for value in values}) == 1 else None

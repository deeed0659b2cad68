"""Cases for ``rnn.py``: arguments of the driver ``captioning``, and the usual mistakes in the loss.

All sizes differ, so that every transposition shows, and biases and weights are large enough that
each of them matters. The models are small: their captions need not make sense.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from grader.author import Case

from .. import rnn
from .. import rnn_layers as nn
from ..drivers import captioning
from . import sampling_mistakes as sampling
from .sampling_mistakes import SPECIAL_WORDS

Array = np.ndarray[Any, Any]
Arguments = Mapping[str, Any]

EDGE = "edge_cases"
GATES = {"rnn": 1, "lstm": 4}

MARGIN = 1e-3  # between the two highest scores, so that rounding never decides on a word
MAX_DRAWS = 10_000  # far more than any case needs: about 40 on average
NEVER = -20.0  # the bias of a word that is not predicted


# --------------------------------------------------------------------------------------------
# Drawing models
# --------------------------------------------------------------------------------------------


def _vocabulary(size: int, special_from: int = 0) -> dict[str, int]:
    """``size`` words; the ids of the special ones begin at ``special_from``.

    If that is not 0, the last special word comes first, and ``<END>`` has the largest of these ids,
    which may be that of the last word of all.
    """
    ids = list(range(special_from, special_from + len(SPECIAL_WORDS)))
    if special_from:
        ids = [*ids[1:], ids[0]]
    words = dict(zip(SPECIAL_WORDS, ids, strict=True))
    free = [i for i in range(size) if i not in words.values()]
    return words | {f"word{i}": i for i in free}


def _model(
    rng: np.random.Generator, cell: str, vocabulary: dict[str, int], d: int, w: int, h: int
) -> dict[str, Any]:
    """Draw the arguments that describe a model. Its predictions depend on all of its parameters."""
    v, gates = len(vocabulary), GATES[cell]
    scale = 1.5 if cell == "rnn" else 3.0  # the gates of an LSTM damp what goes through them
    params = {
        "W_proj": rng.normal(size=(d, h)) / np.sqrt(d),
        "b_proj": rng.normal(size=h) * 0.5,
        "W_embed": rng.normal(size=(v, w)),
        "Wx": rng.normal(size=(w, gates * h)) * scale / np.sqrt(w),
        "Wh": rng.normal(size=(h, gates * h)) * scale / np.sqrt(h),
        "b": rng.normal(size=gates * h) * 0.5,
        "W_vocab": rng.normal(size=(h, v)) * 2 * scale / np.sqrt(h),
        "b_vocab": rng.normal(size=v) * 0.3,
    }
    return {
        "word_to_idx": vocabulary,
        "sizes": {"input_dim": d, "wordvec_dim": w, "hidden_dim": h},
        "cell_type": cell,
        "params": params,
    }


# --------------------------------------------------------------------------------------------
# CaptioningRNN.loss
# --------------------------------------------------------------------------------------------


def captioning_loss(rng: np.random.Generator) -> Iterator[Case]:
    """Yield models with features and captions, for the driver's ``loss_and_grads``."""

    def batch(cell: str, n: int, t: int, v: int, **options: int) -> dict[str, Any]:
        vocabulary = _vocabulary(v, options.get("special_from", 0))
        d, w, h = options.get("d", 5), options.get("w", 3), options.get("h", 4)
        return {
            **_model(rng, cell, vocabulary, d, w, h),
            "features": rng.normal(size=(n, d)),
            "captions": _captions(rng, n, t, vocabulary),
        }

    for cell in GATES:
        name = cell.upper()
        yield Case(f"{name} N=3 T=6", batch(cell, 3, 6, 9), cell)
        yield Case(f"{name} N=5 T=4", batch(cell, 5, 4, 11, d=7, w=6, h=2), cell)
        yield Case(f"{name} N=4 T=4", batch(cell, 4, 4, 8, d=3, w=5, h=6), cell)
        yield Case(f"{name} N=1", batch(cell, 1, 5, 9), EDGE)
        yield Case(f"{name} T=1", batch(cell, 3, 1, 7), EDGE)
        yield Case(f"{name} other ids for <NULL>", batch(cell, 3, 5, 10, special_from=4), EDGE)
    for cell in GATES:  # outputs that were remembered by shape are wrong here
        yield Case(f"{cell.upper()} N=3 T=6 again", batch(cell, 3, 6, 9), cell)


def captioning_larger(rng: np.random.Generator) -> Iterator[Case]:
    """Yield a model of 1,800 parameters: differences take as many calls, and formulas a moment."""
    vocabulary = _vocabulary(30)
    model = _model(rng, "rnn", vocabulary, 12, 14, 18)
    features, captions = rng.normal(size=(4, 12)), _captions(rng, 4, 5, vocabulary)
    yield Case("RNN with 1,800 parameters", {**model, "features": features, "captions": captions})


def _captions(rng: np.random.Generator, n: int, t: int, vocabulary: Mapping[str, int]) -> Array:
    """Captions (n, t + 1) whose lengths go from the shortest possible to the full one."""
    null, start, end, _unk = (vocabulary[word] for word in SPECIAL_WORDS)
    words = [i for word, i in vocabulary.items() if word not in ("<NULL>", "<START>", "<END>")]
    captions = np.full((n, t + 1), null)
    lengths = rng.permutation(np.linspace(t if n > 1 else t - 1, 1, n).round().astype(int))
    for row, length in zip(captions, lengths, strict=True):
        row[0] = start
        row[1:length] = rng.choice(words, size=length - 1)
        row[length] = end
    return captions


# --------------------------------------------------------------------------------------------
# CaptioningRNN.sample
# --------------------------------------------------------------------------------------------


def captioning_sample(rng: np.random.Generator) -> Iterator[Case]:
    """Yield models with features, for the driver's ``sample``.

    Each is drawn again until its captions tell all mistakes in ``sampling_mistakes`` from each
    other and from the right result, and until some caption ends early and, in a batch, another
    later.
    """
    for cell in GATES:
        name = cell.upper()
        yield Case(f"{name} N=4", _sampling(rng, cell, 4, 12, d=5, w=4, h=6, v=11), cell)
        yield Case(f"{name} N=6", _sampling(rng, cell, 6, 10, d=8, w=5, h=7, v=13), cell)
        yield Case(f"{name} N=1", _sampling(rng, cell, 1, 12, d=4, w=6, h=5, v=10), EDGE)
        yield Case(
            f"{name} other ids for the special words",
            _sampling(rng, cell, 3, 11, d=5, w=4, h=6, v=12, special_from=8),
            EDGE,
        )


def _sampling(
    rng: np.random.Generator, cell: str, n: int, length: int, **sizes: int
) -> dict[str, Any]:
    vocabulary = _vocabulary(sizes["v"], sizes.get("special_from", 0))
    for _ in range(MAX_DRAWS):
        model = _model(rng, cell, vocabulary, sizes["d"], sizes["w"], sizes["h"])
        # As in a trained model: no caption continues with these.
        model["params"]["b_vocab"][[vocabulary["<NULL>"], vocabulary["<START>"]]] = NEVER
        arguments = {
            **model,
            "features": rng.normal(size=(n, sizes["d"])),
            "max_length": length,
        }
        if _is_telling(arguments):
            return arguments
    raise RuntimeError(f"no model in {MAX_DRAWS} draws tells all mistakes apart")


def _is_telling(arguments: Arguments) -> bool:
    """Say whether a model's captions show all mistakes, and no word depends on rounding."""
    end, null = (arguments["word_to_idx"][word] for word in ("<END>", "<NULL>"))
    right, margin = sampling.decode(arguments)
    ends = sampling.column_of(end, right)
    n, length = right.shape
    written = ends[ends < length]
    if margin < MARGIN or not len(written) or not 3 <= written.min() <= length - 3:
        return False
    if n > 1 and np.ptp(written) < 2:
        return False  # no caption ends visibly later than another
    texts = [tuple(row[:stop].tolist()) for row, stop in zip(right, ends, strict=True)]
    if any(len(set(text)) < 3 for text in texts) or len(set(texts)) < min(n, 3):
        return False  # a caption that hardly changes, or hardly depends on the image
    candidates = [right, *(captions for _, captions in sampling.hypotheses(arguments, right))]
    return not any(
        sampling.samples_agree(one, other, end, null).all()
        for one in candidates
        for other in candidates
        if one is not other
    )


def _wrong_loss(
    *,
    targets: str = "next",
    padding: bool = False,
    major: str = "time",
    cell: str | None = None,
    **arguments: Any,
) -> dict[str, Array]:
    """The loss of a model with a mistake; without one, that of the reference.

    Args:
        targets: ``read`` to predict the word that is read instead of the next one.
        padding: whether <NULL> words count.
        major: ``reshaped`` to mix up the captions with a reshape instead of a transposition.
        cell: the cell that is used for both kinds of model.
        arguments: of the driver's ``loss_and_grads``.
    """
    p, captions = arguments["params"], arguments["captions"]
    read, predicted = captions[:, :-1], captions[:, 1 if targets == "next" else 0 :]
    predicted = predicted[:, : read.shape[1]]
    words = p["W_embed"][read]
    n, t, w = words.shape
    h = arguments["features"] @ p["W_proj"] + p["b_proj"]
    sequence = words.transpose(1, 0, 2) if major == "time" else words.reshape(t, n, w)
    if (cell or arguments["cell_type"]) == "lstm":
        states, _ = nn.lstm_forward(sequence, h, p["Wx"], p["Wh"], p["b"])
    else:
        size = h.shape[1]
        weights = (p["Wx"][:, :size], p["Wh"][:, :size], p["b"][:size])
        states, _ = nn.rnn_forward(sequence, h, *weights)
    states = states.transpose(1, 0, 2) if major == "time" else states.reshape(n, t, h.shape[1])
    scores = states @ p["W_vocab"] + p["b_vocab"]
    mask = np.ones_like(predicted, dtype=bool)
    if not padding:
        mask = predicted != arguments["word_to_idx"]["<NULL>"]
    loss, _ = nn.temporal_softmax_loss(scores, predicted, mask)
    return {"loss": np.asarray(loss)}


def _on_layers(layers: Any, function: str, arguments: Arguments) -> dict[str, Array]:
    """What the reference model computes for a case with layers other than the reference's."""
    before, rnn.nn = rnn.nn, layers
    try:
        found: dict[str, Array] = getattr(captioning, function)(rnn, **arguments)
    finally:
        rnn.nn = before
    return found


def _one_place_per_word(**arguments: Any) -> dict[str, Array]:
    """The gradient of the word vectors if each word counts only at its last position."""

    def backward(dout: Array, cache: tuple[Array, Array]) -> Array:
        x, W = cache
        dW = np.zeros_like(W)
        dW[x] = dout
        return dW

    layers = SimpleNamespace(**{**vars(nn), "word_embedding_backward": backward})
    return {"dW_embed": _on_layers(layers, "loss_and_grads", arguments)["dW_embed"]}


MISTAKES = {
    "captioning_loss": {
        "a repeated word gets the gradient of only one of its positions, which is what "
        "dW_embed[words] += ... does: add them all up with np.add.at": _one_place_per_word,
        "<NULL> words count in the loss: mask them": partial(_wrong_loss, padding=True),
        "the model predicts the word that it just read instead of the next one": partial(
            _wrong_loss, targets="read"
        ),
        "(N, T, ...) is reshaped to (T, N, ...) instead of transposed, or the other way around": (
            partial(_wrong_loss, major="reshaped")
        ),
        "the vanilla RNN is used for both cell types": partial(_wrong_loss, cell="rnn"),
    }
}


COMPARISONS = {"captioning_sample": sampling.compare_samples}

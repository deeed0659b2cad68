"""Cases for ``rnn.py``: arguments of the driver ``captioning``, and the usual mistakes in sampling.

Sizes are all different, so that no transposition goes unseen, and biases and weights are large
enough that each of them shows. A model is small: what it says need not make sense.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from grader.cases import Case

from .. import rnn
from .. import rnn_layers as nn
from ..drivers import captioning

Array = np.ndarray[Any, Any]
Arguments = Mapping[str, Any]

EDGE = "edge_cases"
GATES = {"rnn": 1, "lstm": 4}
SPECIAL_WORDS = ("<NULL>", "<START>", "<END>", "<UNK>")

MARGIN = 1e-3  # between the two highest scores, so that rounding never decides on a word
MAX_DRAWS = 10_000  # far more than any case needs: about 40 on average
NEVER = -20.0  # the bias of a word that is not predicted

EXPLANATIONS = {
    "start in column 0": (
        "the first column holds <START> and every word stands one column too far right: column t "
        "is the t-th predicted word"
    ),
    "feeds null": (
        "after the first step the network reads <NULL>: it must read the word that it has just "
        "predicted"
    ),
    "never updates word": (
        "the network reads <START> at every step: after the first it must read the word that it "
        "has just predicted"
    ),
    "first word null": "the first word that the network reads is <NULL>: it must be <START>",
    "exchanges h and c in arguments": (
        "h and c are exchanged in the arguments of lstm_step_forward, which takes h first"
    ),
    "exchanges h and c in results": (
        "h and c are exchanged in the results of lstm_step_forward, which returns h first"
    ),
    "exchanges h and c in both": (
        "h and c are exchanged in arguments and results of lstm_step_forward: h is first in both"
    ),
    "stops all at first end": (
        "the whole batch stops as soon as one caption reaches <END>: the others must go on"
    ),
}


# --------------------------------------------------------------------------------------------
# Drawing models
# --------------------------------------------------------------------------------------------


def _vocabulary(size: int, special_from: int = 0) -> dict[str, int]:
    """``size`` words; the ids of the special ones begin at ``special_from``, backwards if > 0."""
    ids = range(len(SPECIAL_WORDS))
    if special_from:
        ids = range(special_from + len(SPECIAL_WORDS) - 1, special_from - 1, -1)
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

    Each is drawn again until its captions tell all mistakes of ``explain_sample`` from each other
    and from the right result, and until some caption ends early and, in a batch, another later.
    """
    for cell in GATES:
        name = cell.upper()
        yield Case(f"{name} N=4", _sampling(rng, cell, 4, 12, d=5, w=4, h=6, v=11), cell)
        yield Case(f"{name} N=6", _sampling(rng, cell, 6, 10, d=8, w=5, h=7, v=13), cell)
        yield Case(f"{name} N=1", _sampling(rng, cell, 1, 12, d=4, w=6, h=5, v=10), EDGE)
        yield Case(
            f"{name} other ids for the special words",
            _sampling(rng, cell, 3, 11, d=5, w=4, h=6, v=12, special_from=5),
            EDGE,
        )


def _sampling(
    rng: np.random.Generator, cell: str, n: int, length: int, **sizes: int
) -> dict[str, Any]:
    vocabulary = _vocabulary(sizes["v"], sizes.get("special_from", 0))
    for _ in range(MAX_DRAWS):
        model = _model(rng, cell, vocabulary, sizes["d"], sizes["w"], sizes["h"])
        # As in a trained model: no caption goes on with these.
        model["params"]["b_vocab"][[vocabulary["<NULL>"], vocabulary["<START>"]]] = NEVER
        arguments = {
            **model,
            "features": rng.normal(size=(n, sizes["d"])),
            "max_length": length,
        }
        if _is_telling(arguments):
            return arguments
    raise RuntimeError(f"no telling model in {MAX_DRAWS} draws")


def _is_telling(arguments: Arguments) -> bool:
    """Say whether a model's captions show all mistakes, and no word is a matter of rounding."""
    end, null = (arguments["word_to_idx"][word] for word in ("<END>", "<NULL>"))
    right, margin = _decode(arguments)
    ends = _first(right, end)
    n, length = right.shape
    written = ends[ends < length]
    if margin < MARGIN or not len(written) or not 3 <= written.min() <= length - 3:
        return False
    if n > 1 and np.ptp(written) < 2:
        return False  # no caption ends visibly later than another
    texts = [tuple(row[:stop].tolist()) for row, stop in zip(right, ends, strict=True)]
    if any(len(set(text)) < 3 for text in texts) or len(set(texts)) < min(n, 3):
        return False  # a caption that hardly changes, or hardly depends on the image
    candidates = [right, *(captions for _, captions in _hypotheses(arguments, right))]
    return not any(
        samples_agree(one, other, end, null).all()
        for one in candidates
        for other in candidates
        if one is not other
    )


def _decode(
    arguments: Arguments, *, first: str = "<START>", feeds: str = "prediction", swaps: str = ""
) -> tuple[Array, float]:
    """Decode greedily, going on after <END>; rightly, unless told to make a mistake.

    Args:
        arguments: of the driver's ``sample``, for N images and L words.
        first: the word that is read at the first step.
        feeds: what is read at the later ones: ``prediction``, ``null``, or ``first`` again.
        swaps: ``arguments`` to hand h and c to the LSTM step the wrong way round, ``results`` to
            take them from it the wrong way round, ``both``.

    Returns:
        captions (N, L), and the least distance between the two highest scores of any step.
    """
    p, words = arguments["params"], arguments["word_to_idx"]
    lstm = arguments["cell_type"] == "lstm"
    features = arguments["features"]
    h = features @ p["W_proj"] + p["b_proj"]
    c = np.zeros_like(h)
    word = np.full(len(features), words[first])
    captions = np.empty((len(features), arguments["max_length"]), dtype=np.int64)
    margin = np.inf
    for t in range(captions.shape[1]):
        x = p["W_embed"][word]
        if lstm:
            state = (c, h) if swaps in ("arguments", "both") else (h, c)
            h, c, _ = nn.lstm_step_forward(x, *state, p["Wx"], p["Wh"], p["b"])
            h, c = (c, h) if swaps in ("results", "both") else (h, c)
        else:
            h, _ = nn.rnn_step_forward(x, h, p["Wx"], p["Wh"], p["b"])
        scores = h @ p["W_vocab"] + p["b_vocab"]
        captions[:, t] = scores.argmax(axis=1)
        two_best = np.sort(scores, axis=1)[:, -2:]
        margin = min(margin, float((two_best[:, 1] - two_best[:, 0]).min()))
        if feeds == "prediction":
            word = captions[:, t]
        elif feeds == "null":
            word = np.full(len(features), words["<NULL>"])
    return captions, margin


def _first(captions: Array, word: int) -> Array:
    """The column of the first ``word`` in each row, or the number of columns: (N, L) -> (N,)."""
    found = captions == word
    return np.where(found.any(axis=1), found.argmax(axis=1), captions.shape[1])


def samples_agree(got: Array, expected: Array, end: int, null: int) -> Array:
    """Say which captions are the same, as far as anybody reads them.

    Only the words up to the first <END> of an expected caption count; a caption that stops before
    <END> is written, with nothing but <NULL> from there on, is as good.

    Args:
        got: (N, L) word ids.
        expected: (N, L) word ids.
        end: the id of <END>.
        null: the id of <NULL>.

    Returns:
        (N,) of bool.
    """
    stops = _first(expected, end)[:, np.newaxis]
    columns = np.arange(expected.shape[1])
    same = ((got == expected) | (columns >= stops)).all(axis=1)
    reaches_end = ((got == expected) | (columns != stops)).all(axis=1)
    only_null = ((got == null) | (columns < stops)).all(axis=1)
    agree: Array = same & (reaches_end | only_null)
    return agree


def _hypotheses(arguments: Arguments, right: Array) -> Iterator[tuple[str, Array]]:
    """Yield what each mistake that can show in ``arguments`` makes of the captions, (N, L)."""
    null, start, end = (arguments["word_to_idx"][word] for word in SPECIAL_WORDS[:3])
    first_column = np.full((len(right), 1), start)
    yield "start in column 0", np.concatenate([first_column, right[:, :-1]], axis=1)
    yield "feeds null", _decode(arguments, feeds="null")[0]
    yield "never updates word", _decode(arguments, feeds="first")[0]
    yield "first word null", _decode(arguments, first="<NULL>")[0]
    if arguments["cell_type"] == "lstm":
        for swaps in ("arguments", "results", "both"):
            yield f"exchanges h and c in {swaps}", _decode(arguments, swaps=swaps)[0]
    if len(right) > 1:
        stopped = right.copy()
        stopped[:, _first(right, end).min() + 1 :] = null
        yield "stops all at first end", stopped


def _compare_samples(
    arguments: Arguments, outputs: Mapping[str, Any], expected: Mapping[str, Array]
) -> str | None:
    """Say what is wrong with sampled captions; words after <END> are anybody's choice."""
    got, right = np.asarray(outputs["captions"]), expected["captions"]
    if got.dtype.kind == "f" and np.isfinite(got).all() and (got == np.round(got)).all():
        got = got.astype(np.int64)
    if got.dtype.kind not in "iu":
        return f"the captions are of type {got.dtype}, expected word ids (integers)"
    known = explain_sample(arguments, got)
    if known is not None:
        return known
    if got.shape != right.shape:
        return f"the captions have shape {got.shape}, expected {right.shape} (N, max_length)"
    end, null = (arguments["word_to_idx"][word] for word in ("<END>", "<NULL>"))
    agree = samples_agree(got, right, end, null)
    if agree.all():
        return None
    row = int(np.argmin(agree))
    words = {i: word for word, i in arguments["word_to_idx"].items()}
    texts = [
        " ".join(words.get(int(i), f"[{int(i)}]") for i in ids) for ids in (got[row], right[row])
    ]
    return (
        f"{int((~agree).sum())} of {len(agree)} captions are wrong. Caption {row} is "
        f"'{texts[0]}', expected '{texts[1]}'"
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
        major: ``reshaped`` to mix up the captions by a reshape where axes are to be exchanged.
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


MISTAKES = {
    "captioning_loss": {
        "<NULL> words count in the loss: mask them": partial(_wrong_loss, padding=True),
        "the word to predict is the one just read; it must be the next one": partial(
            _wrong_loss, targets="read"
        ),
        "a reshape takes the place of a transposition between (N, T, ...) and (T, N, ...)": partial(
            _wrong_loss, major="reshaped"
        ),
        "the vanilla RNN is used for both cells": partial(_wrong_loss, cell="rnn"),
    }
}


class _OwnLayers:
    """Stands in for ``rnn_layers`` in the reference model and calls the student's functions."""

    def __init__(self, drive: Callable[..., Any]) -> None:
        self._drive = drive

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments: self._drive("layer", name=name, arguments=list(arguments))


def _with_own_layers(
    function: str, drive: Callable[..., Any], arguments: Arguments
) -> dict[str, Array]:
    """What the reference model makes of a case on top of the student's layers."""
    layers, rnn.nn = rnn.nn, _OwnLayers(drive)
    try:
        found: dict[str, Array] = getattr(captioning, function)(rnn, **arguments)
    finally:
        rnn.nn = layers
    return found


COMPOSITIONS = {
    "captioning_loss": partial(_with_own_layers, "loss_and_grads"),
    "captioning_sample": partial(_with_own_layers, "sample"),
}
COMPARISONS = {"captioning_sample": _compare_samples}


def explain_sample(arguments: Arguments, got: Array) -> str | None:
    """Name the mistake that turns a case into wrong captions.

    Args:
        arguments: those of a case of ``captioning_sample``.
        got: (N, L) word ids, L the case's ``max_length``; with fewer columns, as if the missing
            ones held <NULL>.

    Returns:
        What is wrong, for the student; None if ``got`` is right or no known mistake explains it.
    """
    end, null = (arguments["word_to_idx"][word] for word in ("<END>", "<NULL>"))
    right, _ = _decode(arguments)
    if got.ndim != 2 or len(got) != len(right) or got.shape[1] > right.shape[1]:
        return None
    missing = right.shape[1] - got.shape[1]
    got = np.pad(got, ((0, 0), (0, missing)), constant_values=null)
    if samples_agree(got, right, end, null).all():
        return None
    for mistake, captions in _hypotheses(arguments, right):
        if samples_agree(got, captions, end, null).all():
            return EXPLANATIONS[mistake]
    return None

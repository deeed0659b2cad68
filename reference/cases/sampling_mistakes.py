"""The usual mistakes in ``CaptioningRNN.sample``: what each makes of the captions, and its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .. import rnn_layers as nn

Array = np.ndarray[Any, Any]
Arguments = Mapping[str, Any]

SPECIAL_WORDS = ("<NULL>", "<START>", "<END>", "<UNK>")
EXPLANATIONS = {
    "start in column 0": (
        "the first column holds <START>, so every word is one column too far to the right: column "
        "t must hold the t-th predicted word"
    ),
    "feeds null": (
        "after the first step the network reads <NULL>: it must read the word that it just "
        "predicted"
    ),
    "never updates word": (
        "the network reads <START> at every step: after the first step it must read the word that "
        "it just predicted"
    ),
    "first word null": "the first word that the network reads is <NULL>: it must be <START>",
    "exchanges h and c in arguments": (
        "h and c are swapped in the arguments of lstm_step_forward: it takes h first"
    ),
    "exchanges h and c in results": (
        "h and c are swapped in the results of lstm_step_forward: it returns h first"
    ),
    "exchanges h and c in both": (
        "h and c are swapped in the arguments and the results of lstm_step_forward: h comes first"
    ),
    "stops all at first end": (
        "the whole batch stops as soon as one caption reaches <END>: the others must continue"
    ),
}


def decode(
    arguments: Arguments, *, first: str = "<START>", feeds: str = "prediction", swaps: str = ""
) -> tuple[Array, float]:
    """Decode greedily, past <END>; correctly, unless asked to make a mistake.

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


def column_of(word: int, captions: Array) -> Array:
    """The column of the first ``word`` in each row, or the number of columns: (N, L) -> (N,)."""
    found = captions == word
    return np.where(found.any(axis=1), found.argmax(axis=1), captions.shape[1])


def samples_agree(got: Array, expected: Array, end: int, null: int) -> Array:
    """Say which captions are the same up to their first <END>.

    Only the words up to the first <END> of an expected caption count. A caption that stops just
    before <END> and holds only <NULL> from there on is as good.

    Args:
        got: (N, L) word ids.
        expected: (N, L) word ids.
        end: the id of <END>.
        null: the id of <NULL>.

    Returns:
        (N,) of bool.
    """
    stops = column_of(end, expected)[:, np.newaxis]
    columns = np.arange(expected.shape[1])
    same = ((got == expected) | (columns >= stops)).all(axis=1)
    reaches_end = ((got == expected) | (columns != stops)).all(axis=1)
    only_null = ((got == null) | (columns < stops)).all(axis=1)
    agree: Array = same & (reaches_end | only_null)
    return agree


def hypotheses(arguments: Arguments, right: Array) -> Iterator[tuple[str, Array]]:
    """Yield each mistake that can show in a case, and what it makes of the captions.

    Args:
        arguments: of the driver's ``sample``, for N images and L words.
        right: the right captions (N, L).

    Yields:
        a key of ``EXPLANATIONS`` and captions (N, L).
    """
    null, start, end = (arguments["word_to_idx"][word] for word in SPECIAL_WORDS[:3])
    first_column = np.full((len(right), 1), start)
    yield "start in column 0", np.concatenate([first_column, right[:, :-1]], axis=1)
    yield "feeds null", decode(arguments, feeds="null")[0]
    yield "never updates word", decode(arguments, feeds="first")[0]
    yield "first word null", decode(arguments, first="<NULL>")[0]
    if arguments["cell_type"] == "lstm":
        for swaps in ("arguments", "results", "both"):
            yield f"exchanges h and c in {swaps}", decode(arguments, swaps=swaps)[0]
    if len(right) > 1:
        stopped = right.copy()
        stopped[:, column_of(end, right).min() + 1 :] = null
        yield "stops all at first end", stopped


def explain_sample(arguments: Arguments, got: Array) -> str | None:
    """Name the mistake that explains wrong captions.

    Args:
        arguments: those of a case of ``captioning_sample``.
        got: (N, L) word ids, L the case's ``max_length``; with fewer columns, as if the missing
            ones held <NULL>.

    Returns:
        What is wrong, for the student; None if ``got`` is right or no known mistake explains it.
    """
    end, null = (arguments["word_to_idx"][word] for word in ("<END>", "<NULL>"))
    right, _ = decode(arguments)
    if got.ndim != 2 or len(got) != len(right) or got.shape[1] > right.shape[1]:
        return None
    missing = right.shape[1] - got.shape[1]
    got = np.pad(got, ((0, 0), (0, missing)), constant_values=null)
    if samples_agree(got, right, end, null).all():
        return None
    for mistake, captions in hypotheses(arguments, right):
        if samples_agree(got, captions, end, null).all():
            return EXPLANATIONS[mistake]
    return None


def compare_samples(
    arguments: Arguments, outputs: Mapping[str, Any], expected: Mapping[str, Array]
) -> str | None:
    """Say what is wrong with sampled captions; words after <END> do not matter.

    Args:
        arguments: those of a case of ``captioning_sample``.
        outputs: the student's ``captions``, of any type and shape.
        expected: the reference's ``captions`` (N, L).

    Returns:
        What is wrong, for the student; None if nothing is.
    """
    got, right = np.asarray(outputs["captions"]), expected["captions"]
    if got.dtype.kind == "f" and np.isfinite(got).all() and (got == np.round(got)).all():
        got = got.astype(np.int64)
    if got.dtype.kind not in "iu":
        return f"the captions have type {got.dtype}, expected word ids (integers)"
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

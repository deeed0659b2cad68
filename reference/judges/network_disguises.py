"""Networks that are what a question asks for by their form only, or for the probed sentences only.

``text_networks`` asks here once it has found the network that gives a student's predictions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.author import Rebuilt

from ..drivers import text_classification as driver
from . import rebuilding
from .networks import LSTM_GATES, Array, Cell, Pool, Recurrent, sigmoid
from .rebuilding import Asked, Fit

Result = Mapping[str, Any]

STILL = 0.02  # the most that a gate changes in one that never moves; 0.1 and more in others
# Shares of the further sentences. Of those that are compared first, 0.97 agree: some are cut.
MANY, MOST = 0.5, 0.9
TOLD_APART = 0.2  # of the probabilities of single words, in a network that has learned
NEARLY_COUNTED = 0.98  # correlation of weights with the log odds of counts
SHOWN_WORDS = 12  # of a sentence in a message


def another_answers(fit: Fit, asked: Asked, result: Result, inputs: Result) -> Rebuilt | None:
    """Say that something else answers for the sentences beyond those that were probed.

    Only sentences all of whose words have a row in the network count.
    """
    texts = [tuple(sentence.split()) for sentence in inputs["test_sentences"]]
    places = [
        place
        for place in range(driver.PROBED, len(texts))
        if texts[place] and all(word in fit.rows for word in texts[place])
    ]
    if len(places) < rebuilding.LEAST:
        return None
    given = fit.network.probabilities([[fit.rows[w] for w in texts[p]] for p in places])
    told = np.asarray(result["predictions"], dtype=np.float64)[places]
    off = np.abs(given - told)
    same = off <= (0.5 if asked.are_labels else rebuilding.SAME)
    if same.mean() >= MOST:
        return None
    worst = int(np.argmax(off))
    message = (
        f"The model that you return is {fit.network.words} and gives the predictions for the "
        f"first {driver.PROBED} sentences, but not for {1 - same.mean():.0%} of {len(places)} "
        f"others with the same words: for {shown(texts[places[worst]])} it gives "
        f"{given[worst]:.4f}, and predict {told[worst]:.4f}. A sentence's probability must not "
        "depend on its place"
    )
    return Rebuilt("foreign" if same.mean() < MANY else "other", message=message)


def gates_that_stay(fit: Fit, asked: Asked) -> Rebuilt | None:
    """Say that no gate of an LSTM moves: it is then a vanilla RNN in other arrays."""
    network = fit.network
    if not isinstance(network.reads, Recurrent) or network.reads.cells[0].gates != LSTM_GATES:
        return None
    cells = network.reads.cells
    found = [
        _gates(cells, network.before(network.table[[fit.rows[w] for w in asked.sentences[place]]]))
        for place in fit.sentences
        if all(word in fit.rows for word in asked.sentences[place])
    ]
    if not found or (np.ptp(np.concatenate(found), axis=0) > STILL).any():
        return None
    i, f, o = np.concatenate(found).mean(axis=(0, 2))
    text = (
        "The gates of your LSTM do not move: whatever the sentence, each changes by less than "
        f"{STILL:g} (input gates are {i:.3f} on average, forget gates {f:.3f}, output gates "
        f"{o:.3f}). Without them it is a vanilla RNN"
    )
    return Rebuilt("other", f"{network.words} whose gates do not move", text)


def last_word_ignored(asked: Asked) -> str:
    """Say that the last of two words does not matter, whichever it is: it is not read.

    That is so where the state before the last word goes into the output. Equal labels show nothing.
    """
    if asked.are_labels:
        return ""
    after, alone = asked.after[asked.trained], asked.alone[asked.trained]
    if not after.size or not np.ptp(after) <= rebuilding.SAME or not np.ptp(alone) > TOLD_APART:
        return ""
    words = [word for word, known in zip(asked.words, asked.trained, strict=True) if known]
    low, high = words[int(np.argmin(alone))], words[int(np.argmax(alone))]
    return (
        f'The last word is not read: predict gives "{asked.anchor} {low}" and "{asked.anchor} '
        f'{high}" the same probability, {after[0]:.4f}, and every other word after '
        f'"{asked.anchor}", too; alone, they have {alone.min():.4f} and {alone.max():.4f}. The '
        "state after the last word goes into the linear layer, not the one before it"
    )


def _gates(cells: Sequence[Cell], values: Array) -> Array:
    """Rows (T, k) of a sentence -> input, forget and output gates of all layers, (T, 3, n H)."""
    layers = []
    for cell in cells:
        state, gates, states = cell.start(1), [], []
        for row in values[:, None]:
            recurrent = state[:, : cell.size] @ cell.hidden.T
            i, f, _g, o = np.split(row @ cell.inputs.T + cell.bias + recurrent, LSTM_GATES, axis=1)
            gates.append(sigmoid(np.concatenate([i, f, o])))
            state = cell.step(row, state)
            states.append(state[0, : cell.size])
        layers.append(np.stack(gates))
        values = np.stack(states)
    return np.concatenate(layers, axis=2)


def shown(words: tuple[str, ...]) -> str:
    """Return the beginning of a sentence, in quotation marks."""
    more = " ..." if len(words) > SHOWN_WORDS else ""
    return f'"{" ".join(words[:SHOWN_WORDS])}{more}"'


def label_counts(inputs: Result) -> dict[str, list[int]]:
    """Return how often each word occurs in training sentences of label 0 and of label 1."""
    counts: dict[str, list[int]] = {}
    for sentence, label in zip(inputs["train_sentences"], inputs["train_labels"], strict=True):
        for word in sentence.split():
            counts.setdefault(word, [0, 0])[int(label)] += 1
    return counts


def nearly_counted(fit: Fit, inputs: Result) -> Rebuilt | None:
    """Leave weights to a person that are those of naive Bayes but for a little noise.

    The trained weights of six right models had a correlation of 0.90 to 0.94 with the log odds of
    the counts, naive Bayes with noise that hides equal weights 0.99. By itself that proves nothing.
    """
    if not isinstance(fit.network.reads, Pool):
        return None
    counts = label_counts(inputs)
    words = [word for word in fit.rows if word in counts]
    counted = np.log([(counts[word][1] + 1) / (counts[word][0] + 1) for word in words])
    odds = fit.network.log_odds([[fit.rows[word]] for word in words])
    if len(words) < rebuilding.LEAST or np.ptp(odds) == 0 or np.ptp(counted) == 0:
        return None
    found = float(np.corrcoef(odds, counted)[0, 1])
    if found <= NEARLY_COUNTED:
        return None
    text = (
        f"the weights of {len(words)} words are nearly those that counting gives (their "
        f"correlation with the log odds of the counts is {found:.3f}): were they trained?"
    )
    return Rebuilt("unknown", message=text)

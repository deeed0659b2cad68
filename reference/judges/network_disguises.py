"""Networks that are what a question asks for by their form only, or for the probed sentences only.

``text_networks`` asks here once it has found the network that gives a student's predictions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from grader.author import Rebuilt

from ..drivers import text_classification as driver
from . import rebuilding
from .networks import LSTM_GATES, Array, Cell, Network, Pool, Recurrent, sigmoid
from .rebuilding import Asked, Fit

Result = Mapping[str, Any]

STILL = 0.02  # the most that a gate changes in one that never moves; 0.1 and more in others
UNMOVED = 0.1  # of what probabilities differ by: the most by gates that do not matter; others 0.9
# Shares of the further sentences. Of those that are compared first, 0.97 agree: some are cut.
MANY, MOST = 0.5, 0.9
TOLD_APART = 0.2  # of the probabilities of single words, in a network that has learned
ADDED = (0.5, 1.0, 2.0, 5.0)  # to counts, so that none is 0
NEARLY_COUNTED = 0.98  # correlation of weights with a formula of counts
IDLE = 1.0e-4  # of the range of the log odds: the most by a number that does not matter
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
    """Say that an LSTM's gates do not matter: it is then a vanilla RNN in other arrays.

    With each gate held at its mean, nothing changes. A gate of a unit that goes nowhere may move.
    """
    network = fit.network
    if not isinstance(network.reads, Recurrent) or network.reads.cells[0].gates != LSTM_GATES:
        return None
    cells = network.reads.cells
    sentences = [
        network.before(network.table[[fit.rows[w] for w in asked.sentences[place]]])
        for place in fit.sentences
        if all(word in fit.rows for word in asked.sentences[place])
    ]
    if not sentences:
        return None
    gates = np.concatenate([_read(cells, rows)[0] for rows in sentences])
    means = gates.mean(axis=0)
    last = [np.stack([_read(cells, rows, held)[1] for rows in sentences]) for held in (None, means)]
    free, held = (sigmoid(network.head(states)[:, 0]) for states in last)
    off = float(np.abs(free - held).max())
    spread = float(np.ptp(free))  # small in a network that has learned nothing
    unmoved = spread > TOLD_APART and off <= UNMOVED * spread
    if not unmoved and (np.ptp(gates, axis=0) > STILL).any():
        return None
    i, f, o = means.mean(axis=1)
    text = (
        f"The gates of your LSTM do not matter: held at their means, whatever the sentence, they "
        f"change no probability of {len(sentences)} sentences by more than {off:.2g} (input gates "
        f"are {i:.3f} on average, forget gates {f:.3f}, output gates {o:.3f}). Without them it is "
        "a vanilla RNN"
    )
    return Rebuilt("other", f"{network.words} whose gates do not matter", text)


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


def _read(cells: Sequence[Cell], values: Array, held: Array | None = None) -> tuple[Array, Array]:
    """Rows (T, k) of a sentence -> gates of all layers, (T, 3, n H), and the last state, (H,).

    ``held`` are gates (3, n H) that stay as they are: input, forget and output.
    """
    layers = []
    for number, cell in enumerate(cells):
        place = slice(number * cell.size, (number + 1) * cell.size)
        h, c, gates, states = np.zeros(cell.size), np.zeros(cell.size), [], []
        for row in values:
            before = cell.inputs @ row + cell.bias + cell.hidden @ h
            i, f, g, o = np.split(before, LSTM_GATES)
            now = sigmoid(np.stack([i, f, o])) if held is None else held[:, place]
            c = now[1] * c + now[0] * np.tanh(g)
            h = now[2] * np.tanh(c)
            gates.append(now)
            states.append(h)
        values = np.stack(states)
        layers.append(np.stack(gates))
    return np.concatenate(layers, axis=2), values[-1]


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


def that_matter(network: Network, rows: Sequence[int]) -> Array:
    """Return which numbers of a word vector some word's log odds depend on, (d,) of bool.

    A vector may be put beside the one that is used, and be multiplied by zero.
    """
    odds = network.log_odds([[row] for row in rows])
    table = network.table[list(rows)]
    found = []
    for column in range(table.shape[1]):
        changed = table.copy()
        changed[:, column] = table[:, column].mean()
        without = replace(network, table=changed).log_odds([[row] for row in range(len(rows))])
        found.append(np.abs(without - odds).max() > IDLE * np.ptp(odds))
    return np.array(found)


def _formulas(counts: Array) -> Iterator[tuple[str, Array]]:
    """Yield how counts of words (n, 2) in sentences of label 0 and 1 can be made into weights."""
    negative, positive = counts.T
    for more in ADDED:
        yield "the log odds of the counts", np.log((positive + more) / (negative + more))
        share = (positive - negative) / (positive + negative + more)
        yield "the difference of the counts by their sum", share


def nearly_counted(fit: Fit, inputs: Result) -> Rebuilt | None:
    """Leave weights to a person that are those of a formula of the counts but for a little noise.

    The trained weights of 17 right models had a correlation of at most 0.97 with any of these
    formulas, naive Bayes with noise that hides equal weights 0.99. By itself that proves nothing.
    """
    if not isinstance(fit.network.reads, Pool):
        return None
    counts = label_counts(inputs)
    words = [word for word in fit.rows if word in counts]
    odds = fit.network.log_odds([[fit.rows[word]] for word in words])
    if len(words) < rebuilding.LEAST or np.ptp(odds) == 0:
        return None
    formulas = _formulas(np.array([counts[word] for word in words], dtype=np.float64))
    found, best = max(
        (
            (float(np.corrcoef(odds, counted)[0, 1]), name)
            for name, counted in formulas
            if np.ptp(counted) > 0
        ),
        default=(0.0, ""),
    )
    if found <= NEARLY_COUNTED:
        return None
    text = (
        f"the weights of {len(words)} words are nearly those that counting gives (their "
        f"correlation with {best} is {found:.3f}): were they trained?"
    )
    return Rebuilt("unknown", fit.network.words, text)

"""Rebuilds the text classifiers of question 6 from the arrays that a student's model holds.

One function per question, for the rubric's ``rebuild``. Each finds the network that gives the
student's predictions, and compares it with the one that the question asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from grader.author import Rebuilt

from ..drivers import text_classification as driver
from . import network_disguises as disguises
from . import network_family as family
from . import rebuilding, starting_vectors
from .network_parts import OUTPUTS
from .networks import Array, Pool, sigmoid
from .rebuilding import Asked, Fit

Result = Mapping[str, Any]
Law = Callable[[Result, Result], str]  # says what no network of the wanted kind does

ASKED_FOR = {
    family.BAG: "a bag of words",
    family.AVERAGE: "a mean of embeddings",
    family.RNN: "a vanilla RNN",
    family.LSTM: "an LSTM",
}
LEAST_TWICE = 10  # sentences
LEAST_GROUPS = 5  # of words with equal counts, before equal weights say something
EQUAL = 1.0e-6  # of log odds: weights that one formula gives differ by rounding
CLEAR = 6.0  # log odds that single precision still resolves
OFF = 0.05  # of a probability: no rounding


def bag_of_words(result: Result, inputs: Result) -> Rebuilt:
    """One weight per word and a bias, nothing else."""
    return _rebuilt(result, inputs, family.BAG, _not_additive, given=False)


def average_embeddings(result: Result, inputs: Result) -> Rebuilt:
    """A mean of word vectors, then a linear layer."""
    return _rebuilt(result, inputs, family.AVERAGE, _not_a_mean, given=False)


def average_glove(result: Result, inputs: Result) -> Rebuilt:
    """The same, with vectors that started from those handed in."""
    return _rebuilt(result, inputs, family.AVERAGE, _not_a_mean)


def rnn(result: Result, inputs: Result) -> Rebuilt:
    """A vanilla RNN whose last state decides."""
    return _rebuilt(result, inputs, family.RNN)


def lstm(result: Result, inputs: Result) -> Rebuilt:
    """An LSTM whose last state decides."""
    return _rebuilt(result, inputs, family.LSTM)


def _rebuilt(
    result: Result, inputs: Result, wanted: str, law: Law | None = None, *, given: bool = True
) -> Rebuilt:
    """Find the network; ``given`` says that the question hands word vectors in."""
    arrays = result["arrays"]
    if result["probes"] is None:
        return Rebuilt("unknown", message="predict raises for sentences of one or two words")
    if arrays is None:
        return Rebuilt("unknown", message="the arrays of the model are far larger than it needs")
    asked = asked_of(result, inputs)
    if text := _too_few_numbers(arrays, asked, inputs, given=given):
        # Whoever trained the right network and returned a part of it has lost no more than that.
        broken = law(result, inputs) if law is not None else ""
        texts = [text for text in (text, broken) if text]
        return Rebuilt("foreign" if broken else "other", message=". ".join(texts))
    fit = rebuilding.best_fit(arrays, asked, inputs["vectors"], wanted)
    if fit is not None:
        found = disguises.another_answers(fit, asked, result, inputs)
        return found or _compared(fit, asked, inputs, wanted, given=given)
    return _disguised(result, inputs, asked, wanted, law)


def _disguised(
    result: Result, inputs: Result, asked: Asked, wanted: str, law: Law | None
) -> Rebuilt:
    """Say what shows that no network of the wanted kind predicts so, if something does."""
    if law is not None and (text := law(result, inputs)):
        return _in_another_order(result, inputs, asked, wanted, text)
    if law is None and (text := disguises.last_word_ignored(asked)):
        return Rebuilt("other", message=text)
    fit = rebuilding.nearest(result["arrays"], asked, inputs["vectors"])
    if fit is not None and fit.network.named != wanted:
        return _another(fit, wanted, _nearly(fit, asked, wanted))
    return Rebuilt("unknown")


def _in_another_order(
    result: Result, inputs: Result, asked: Asked, wanted: str, text: str
) -> Rebuilt:
    """Return which recurrent network it is that reads sorted words, or only that it is another."""
    fit = rebuilding.best_fit(result["arrays"], asked.in_order(), inputs["vectors"], family.RNN)
    if fit is None:
        return Rebuilt("other", message=text)
    words = f"{fit.network.words} that reads the words in the order of the alphabet"
    found = _another(fit, wanted, f"{text}. They are those of {words}")
    return replace(found, network=words)


def _another(fit: Fit, wanted: str, message: str) -> Rebuilt:
    """Return that it is another network: one that another question asks for, or a variant.

    A GRU, a second direction, a sum in place of a mean answer this question, if not as it asks.
    The accuracy of a vanilla RNN is what the question about the vanilla RNN pays for.
    """
    network = fit.network
    is_variant = network.named not in ASKED_FOR
    # Counts over the length of the sentence: the mean of weights, one for each word.
    is_variant |= wanted == family.BAG and network.table.shape[1] <= OUTPUTS
    if is_variant:
        return Rebuilt("other", network.words, message)
    message += f". The accuracy of {ASKED_FOR[network.named]} is what another question pays for"
    return Rebuilt("sibling", network.words, message)


def asked_of(result: Result, inputs: Result) -> Asked:
    """Return what ``predict`` was asked, and what it answered.

    Raises:
        ValueError: the answers have another form: they are made up.
    """
    shown = {word for sentence in inputs["train_sentences"] for word in sentence.split()}
    common = driver.common_word(inputs["train_sentences"])
    every = driver.probed_words(inputs)
    words = [every[place] for place in np.asarray(result["probes"]["words"]).tolist()]
    asked = driver.probes(words, common, inputs["test_sentences"])
    told = {name: np.asarray(result["probes"][name], dtype=np.float64) for name in asked}
    if common not in words or any(told[n].shape != (len(asked[n]),) for n in asked):
        raise ValueError("there are not as many predictions as short sentences")
    checked = inputs["test_sentences"][: driver.PROBED]
    return Asked(
        words=tuple(words),
        anchor=common,
        **{name: told[name] for name in ("alone", "before", "after", "diluted")},
        trained=np.array([word in shown for word in words]),
        sentences=tuple(tuple(sentence.split()) for sentence in checked),
        predicted=np.asarray(result["predictions"], dtype=np.float64)[: len(checked)],
        orders=_orders(inputs),
    )


def _orders(inputs: Result) -> tuple[tuple[str, ...], ...]:
    """Return the orders in which students number words."""
    texts = {
        "train": [word for sentence in inputs["train_sentences"] for word in sentence.split()],
        "dev": [word for sentence in inputs["dev_sentences"] for word in sentence.split()],
        "given": list(inputs["vectors"][0]),
    }
    frequent = [word for word, _count in Counter(texts["train"]).most_common()]
    together = (("train",), ("train", "given"), ("given", "train"), ("train", "dev"), ("given",))
    orders = [frequent]
    for names in together:
        words = list(dict.fromkeys(word for name in names for word in texts[name]))
        orders += [words, sorted(words)]
    return tuple(map(tuple, orders))


def _compared(fit: Fit, asked: Asked, inputs: Result, wanted: str, *, given: bool) -> Rebuilt:
    """Return whether the network that was found is the one that was asked for."""
    network = fit.network
    if network.named != wanted:
        return _another(fit, wanted, _same_as(fit, asked, wanted))
    if found := disguises.gates_that_stay(fit, asked):
        return found
    if text := _counted(fit, inputs):
        return Rebuilt("other", "naive Bayes, or other weights that were counted", text)
    if found := disguises.nearly_counted(fit, inputs):
        return found
    if given:
        return starting_vectors.started(fit, inputs)
    return Rebuilt("wanted", network.words)


def _same_as(fit: Fit, asked: Asked, wanted: str) -> str:
    place = int(np.argmin(np.abs(fit.given - 0.5)))  # where networks differ most
    sentence, probability = fit.sentences[place], fit.given[place]
    return (
        f"These are the predictions of {fit.network.words}, not of {ASKED_FOR[wanted]}: the "
        f"parameters of your model, used so, give all {len(fit.sentences)} probabilities that were "
        f"tried to {rebuilding.SAME:g}, such as {probability:.6f} for "
        f"{disguises.shown(asked.sentences[sentence])}"
    )


def _nearly(fit: Fit, asked: Asked, wanted: str) -> str:
    off = fit.differences(asked)
    sentence = asked.sentences[fit.sentences[int(np.argmax(off))]]
    return (
        f"These are the predictions of {fit.network.words}, changed by at most {off.max():.4f}, "
        f"not those of {ASKED_FOR[wanted]}: no parameter of your model explains the change, such "
        f"as {off.max():.4f} for {disguises.shown(sentence)}"
    )


def _too_few_numbers(
    arrays: Mapping[str, Array], asked: Asked, inputs: Result, *, given: bool
) -> str:
    """Say that a model is too small to predict so: a bag of words has a weight for each word."""
    count = sum(np.size(array) for array in arrays.values())
    different = len(set(np.round(asked.alone[asked.trained], 6).tolist()))
    least, why = different, f"predict has {different} different answers to single words"
    if given:  # these may be kept elsewhere
        least = inputs["vectors"][1].shape[1]
        why = f"a layer that reads vectors of {least} numbers has as many weights"
    if count >= least or different <= count:
        return ""
    return (
        f"The model that you return holds {count} numbers, and {why}: predict does not use this "
        "model. Return the module that makes the predictions"
    )


def _log_odds(probabilities: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        odds: Array = np.log(probabilities) - np.log1p(-probabilities)
    return odds


def _not_additive(result: Result, inputs: Result) -> str:
    """Say that word counts do not add up: said twice, a sentence weighs twice as much.

    With log odds z(x) of a sentence, 2 z(x) - z(x x) is the bias, whatever the sentence.
    """
    once, twice, texts = _said_twice(result, inputs)
    if len(texts) < LEAST_TWICE:
        return ""
    with np.errstate(invalid="ignore"):
        bias = 2 * _log_odds(once) - _log_odds(twice)
    clear = (np.abs(_log_odds(once)) < CLEAR / 2) & (np.abs(_log_odds(twice)) < CLEAR)
    if clear.sum() < LEAST_TWICE:
        return ""
    middle = float(np.median(bias[clear]))
    expected = sigmoid(2 * _log_odds(once) - middle)
    off = np.where(clear, np.abs(expected - twice), 0)
    worst = int(np.argmax(off))
    if not off[worst] > OFF:
        return ""
    text = disguises.shown(tuple(texts[worst].split()))
    return (
        "These are not the predictions of a bag of words: a sentence that is said twice has every "
        f"count twice. {text} has {once[worst]:.4f}, so said twice "
        f"it must have {expected[worst]:.4f} with the bias that other sentences show; predict "
        f"gives {twice[worst]:.4f}"
    )


def _not_a_mean(result: Result, inputs: Result) -> str:
    """Say that a sentence said twice, whose mean is the same, has another probability."""
    once, twice, texts = _said_twice(result, inputs)
    if len(texts) < LEAST_TWICE:
        return ""
    off = np.abs(once - twice)
    worst = int(np.argmax(np.where(np.isfinite(off), off, 0)))
    if not off[worst] > OFF:
        return ""
    text = disguises.shown(tuple(texts[worst].split()))
    return (
        f"These are not the predictions of {ASKED_FOR[family.AVERAGE]}: a sentence that is said "
        f"twice has the same mean. For {text} predict gives "
        f"{once[worst]:.4f}, and said twice {twice[worst]:.4f}"
    )


def _said_twice(result: Result, inputs: Result) -> tuple[Array, Array, list[str]]:
    """Return the probabilities of sentences and of the same said twice, and the sentences.

    No sentence is longer, said twice, than the longest of training: programs may cut off the rest.
    """
    twice = np.asarray(result["probes"]["twice"], dtype=np.float64)
    once = np.asarray(result["predictions"], dtype=np.float64)[: len(twice)]
    texts = inputs["test_sentences"][: len(twice)]
    longest = max(len(sentence.split()) for sentence in inputs["train_sentences"])
    short = [i for i, sentence in enumerate(texts) if 2 * len(sentence.split()) <= longest]
    return once[short], twice[short], [texts[i] for i in short]


def _counted(fit: Fit, inputs: Result) -> str:
    """Say that the weights of words follow from their counts alone, as those of naive Bayes do.

    Training by gradients gives two words that occur equally often with each label, but in different
    sentences, different weights.
    """
    if not isinstance(fit.network.reads, Pool):
        return ""
    counts = disguises.label_counts(inputs)
    places: dict[str, set[int]] = {}
    for place, sentence in enumerate(inputs["train_sentences"]):
        for word in sentence.split():
            places.setdefault(word, set()).add(place)
    words = [word for word in fit.rows if word in places]
    odds = fit.network.log_odds([[fit.rows[word]] for word in words])
    alike: dict[tuple[int, ...], list[int]] = {}
    for number, word in enumerate(words):
        alike.setdefault(tuple(counts[word]), []).append(number)
    groups = [
        group for group in alike.values() if len({frozenset(places[words[i]]) for i in group}) > 1
    ]
    values = {round(float(odds[group[0]]), 6) for group in groups}
    if len(values) < LEAST_GROUPS:  # rare words may share the row of unknown ones
        return ""
    if any(np.ptp(odds[group]) > EQUAL for group in groups):
        return ""
    first, second = (words[i] for i in groups[0][:2])
    total = sum(map(len, groups))
    return (
        f'These weights were counted, not trained: "{first}" and "{second}" occur equally often '
        "with each label, in different sentences, and have exactly the same weight, and so do all "
        f"{total} words of {len(groups)} such groups"
    )

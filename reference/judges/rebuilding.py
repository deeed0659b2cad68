"""Finds the network whose predictions a student's are, from the arrays of the returned model.

Nobody says which row of a table belongs to which word. Sentences of one word tell: their
probability is the network's on that row. Sentences of a word before and after a common one tell
rows apart that are alike in this. Then whole sentences decide: where a network of the family gives
the student's predictions for all of them, up to rounding, these predictions are that network's,
whatever its class is called and however its cell is written.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..drivers.text_classification import DILUTED
from . import network_family as family
from . import network_parts as parts
from .networks import Array, Network

Maker = Callable[[family.WordTable, parts.Arrays, family.Around], Iterator[family.Candidate]]

SAME = 1.0e-4  # of a probability: rounding, in another order of summation
ALIKE = 1.0e-2  # near enough to say what was disguised
FOUND = 0.8  # share of the words of training whose row must be found
AGREE = 0.97  # share of the sentences; one longer than a student reads is cut
LEAST = 30  # sentences, and words, that can be compared
MOST_ANCHORS = 8  # rows that may belong to the common word
MOST_TRIED = 4000  # networks, with tables of ROWS_AT_ONCE rows: some seconds
ROWS_AT_ONCE = 500
MOST_SPECIAL = 4  # rows for padding, unknown words, the beginning and the end


@dataclass(frozen=True)
class Asked:
    """What the student's function was asked, and answered.

    Attributes:
        words: W words.
        anchor: the common word that the others stand beside.
        alone, before, after, diluted: (W,), the probabilities of a word alone, before the common
            one, after it, and before DILUTED of them. NaN where that was not asked.
        trained: (W,), whether a word occurs in the training sentences.
        sentences: whole ones, as lists of words.
        predicted: (n,), their probabilities.
        orders: ways in which words may be numbered. They are tried where the answers are labels,
            which do not tell the rows.
    """

    words: tuple[str, ...]
    anchor: str
    alone: Array
    before: Array
    after: Array
    diluted: Array
    trained: np.ndarray[Any, np.dtype[np.bool_]]
    sentences: tuple[tuple[str, ...], ...]
    predicted: Array
    orders: tuple[tuple[str, ...], ...] = ()

    def in_order(self) -> Asked:
        """Return what was asked if words are sorted first, so that their order does not show."""
        first = np.array([word <= self.anchor for word in self.words])
        last = np.array([word >= self.anchor for word in self.words])
        return replace(
            self,
            before=np.where(first, self.before, np.nan),
            after=np.where(last, self.after, np.nan),
            diluted=np.where(first, self.diluted, np.nan),
            sentences=tuple(tuple(sorted(sentence)) for sentence in self.sentences),
        )

    @property
    def are_labels(self) -> bool:
        """Whether the answers are labels and not probabilities."""
        return bool(np.isin(self.predicted, (0.0, 1.0)).all())


@dataclass(frozen=True)
class Fit:
    """A network, the row of each word, and how far it is from the predictions.

    ``sentences`` are the positions of those whose words all have a row, ``given`` their
    probabilities by the network.
    """

    network: Network
    rows: Mapping[str, int]
    sentences: tuple[int, ...]
    given: Array

    def differences(self, asked: Asked) -> Array:
        """Return how far each of the sentences is off."""
        found: Array = np.abs(self.given - asked.predicted[list(self.sentences)])
        return found


def best_fit(
    arrays: Mapping[str, Array],
    asked: Asked,
    given: tuple[Sequence[str], Array] | None,
    wanted: str,
) -> Fit | None:
    """Return the network whose predictions the student's are; the ``wanted`` kind comes first.

    Labels do not tell networks apart well enough: there only the ``wanted`` kind counts.
    """
    tried = 0.0
    for candidate in _candidates(arrays, asked, given, wanted):
        fit = _fit(candidate, asked, SAME)
        if fit is not None and (fit.network.named == wanted or not asked.are_labels):
            return fit
        tried += max(1.0, len(candidate.first.table) / ROWS_AT_ONCE)
        if tried > MOST_TRIED:
            break
    return None


def nearest(
    arrays: Mapping[str, Array], asked: Asked, given: tuple[Sequence[str], Array] | None
) -> Fit | None:
    """Return a network without word order whose predictions, slightly changed, these are."""
    kept = parts.model_arrays(arrays)
    for table in family.found_tables(kept, len(asked.words) // 2, given):
        for candidate in family.pooled(table, kept, family.PLAIN_FIRST[0]):
            with np.errstate(all="ignore"):
                fit = _numbered(candidate.first, asked, ALIKE) or _fit(candidate, asked, ALIKE)
            if fit is not None:
                return fit
    return None


def _candidates(
    arrays: Mapping[str, Array],
    asked: Asked,
    given: tuple[Sequence[str], Array] | None,
    wanted: str,
) -> Iterator[family.Candidate]:
    """Yield the networks of the family, plain ones first, and of these the kind that is wanted."""
    kept = parts.model_arrays(arrays)
    tables = list(family.found_tables(kept, len(asked.words) // 2, given))
    makers: list[Maker] = [family.of_torch, family.of_own, family.pooled]
    if wanted in (family.BAG, family.AVERAGE):
        makers = [family.pooled, family.of_torch, family.of_own]
    for around in family.PLAIN_FIRST:
        for maker in makers:
            for table in tables:
                yield from maker(table, kept, around)


def _fit(candidate: family.Candidate, asked: Asked, near: float) -> Fit | None:
    first = candidate.first
    if asked.are_labels:
        with np.errstate(all="ignore"):
            return next(filter(None, (_labeled(n, asked) for n in candidate.whole())), None)
    with np.errstate(all="ignore"):
        alone = first.probabilities([[row] for row in range(len(first.table))])
        if _share_found(first, alone, asked, near) < FOUND:
            return None
        for network in candidate.whole():
            rows = _rows(network, alone, asked, near)
            if (fit := _checked(network, rows, asked, near)) is not None:
                return fit
    return None


def _share_found(network: Network, alone: Array, asked: Asked, near: float) -> float:
    """Return the share of the words of training whose probability some row gives."""
    if network.known is not None:
        row_of = {word: row for row, word in enumerate(network.known)}
        both = [(i, row_of[w]) for i, w in enumerate(asked.words) if w in row_of]
        if len(both) < LEAST:
            return 0.0
        words, rows = (np.array(each) for each in zip(*both, strict=True))
        return float((np.abs(alone[rows] - asked.alone[words]) <= near).mean())
    wanted = asked.alone[asked.trained]
    values = np.sort(alone[np.isfinite(alone)])
    if not values.size or not wanted.size:
        return 0.0
    at = np.clip(np.searchsorted(values, wanted), 1, len(values) - 1) if len(values) > 1 else 0
    closest = np.minimum(np.abs(values[at] - wanted), np.abs(values[at - 1] - wanted))
    return float((closest <= near).mean())


def _rows(network: Network, alone: Array, asked: Asked, near: float) -> dict[str, int]:
    """Return the row of each word for which one is found."""
    if network.known is not None:
        row_of = {word: row for row, word in enumerate(network.known)}
        return {word: row_of[word] for word in asked.words if word in row_of}
    answers = np.stack([asked.alone, asked.before, asked.after, asked.diluted], axis=1)
    best: dict[str, int] = {}
    for anchor in _anchors(network, alone, asked, near):
        made = _signatures(network, alone, anchor)
        found = _nearest_rows(made, answers, asked, near)
        if len(found) > len(best):
            best = found
        if len(best) == len(asked.words):
            break
    return best


def _anchors(network: Network, alone: Array, asked: Asked, near: float) -> list[int]:
    """Return the rows that can be the common word's: also said twice, and many times."""
    place = asked.words.index(asked.anchor)
    distance = np.abs(alone - asked.alone[place])
    rows = [int(row) for row in np.argsort(distance)[:MOST_ANCHORS] if distance[row] <= near]
    if not rows:
        return []
    answer = [*[asked.before[place]] * len(rows), *[asked.diluted[place]] * len(rows)]
    twice, often = ([[row] * count for row in rows] for count in (2, DILUTED + 1))
    distances = np.abs(network.probabilities([*twice, *often]) - answer).reshape(2, -1)
    return [row for row, off in zip(rows, distances.max(axis=0), strict=True) if off <= near]


def _signatures(network: Network, alone: Array, anchor: int) -> Array:
    """Return what each row gives alone, before and after the common word, and diluted, (V, 4)."""
    rows = range(len(network.table))
    before = network.probabilities([[row, anchor] for row in rows])
    after = network.probabilities([[anchor, row] for row in rows])
    diluted = network.probabilities([[row, *[anchor] * DILUTED] for row in rows])
    return np.stack([alone, before, after, diluted], axis=1)


def _nearest_rows(made: Array, answers: Array, asked: Asked, near: float) -> dict[str, int]:
    found = {}
    for word, answer in zip(asked.words, answers, strict=True):
        known = ~np.isnan(answer)
        distance = np.abs(made - answer)[:, known].max(axis=1, initial=0.0)
        row = int(np.argmin(distance))
        if distance[row] <= near:
            found[word] = row
    return found


def _checked(network: Network, rows: Mapping[str, int], asked: Asked, near: float) -> Fit | None:
    """Return how the network fits whole sentences, if it does.

    Where few have a row for each word, students leave out the other words, or take a row of zeros.
    """
    whole = [
        place
        for place, sentence in enumerate(asked.sentences)
        if sentence and all(word in rows for word in sentence)
    ]
    if len(whole) >= LEAST:
        return _compared(network, rows, whole, asked, near)
    some = [p for p, sentence in enumerate(asked.sentences) if any(w in rows for w in sentence)]
    if len(some) < LEAST:
        return None
    fit = _compared(network, rows, some, asked, near)
    if fit is None and network.known is not None:
        rest = {word: len(network.known) for sentence in asked.sentences for word in sentence}
        fit = _compared(network, {**rest, **rows}, some, asked, near)
    return fit


def _compared(
    network: Network, rows: Mapping[str, int], places: list[int], asked: Asked, near: float
) -> Fit | None:
    """Return how the network fits the sentences at these places; words without a row are left out.

    It must agree on nearly all of them.
    """
    read = [[rows[word] for word in asked.sentences[p] if word in rows] for p in places]
    fit = Fit(network, rows, tuple(places), network.probabilities(read))
    agree = float((fit.differences(asked) <= near).mean())
    return fit if agree >= AGREE else None


def _labeled(network: Network, asked: Asked) -> Fit | None:
    """Return how the network fits labels, if it does for all sentences."""
    fit = _numbered(network, asked, 0.5)
    return fit if fit is not None and fit.differences(asked).max() <= 0.5 else None


def _numbered(network: Network, asked: Asked, near: float) -> Fit | None:
    """Return how the network fits with its rows in one of the usual orders of words."""
    numberings = [dict(zip(order, itertools.count())) for order in asked.orders]
    if network.known is not None:
        numberings = [{word: row for row, word in enumerate(network.known)}]
    for numbering in numberings:
        spare = len(network.table) - len(numbering)
        for first in range(spare + 1 if 0 <= spare <= MOST_SPECIAL else 0):
            rows = {w: first + numbering[w] for w in asked.words if w in numbering}
            if (fit := _checked(network, rows, asked, near)) is not None:
                return fit
    return None

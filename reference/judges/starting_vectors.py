"""Says whether the word vectors of a network started from those that were handed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.author import Rebuilt

from . import network_disguises as disguises
from .networks import Array, Network, Pool
from .rebuilding import Fit

# Share of the given vectors that embeddings still tell: 0.6 and more where they started from them,
# down to 0 where weight decay has made these fade, below 0 where they did not.
TOLD, UNTOLD = 0.1, 0.0
OWN = 0.15  # share of their spread that says nothing of sentiment, where it has not faded
UNFADED = 1.0  # spread beside that of the given vectors: 0.05 where weight decay took the start
FOLDS = 5
RIDGE = 1.0e-2  # of the mean square of the embeddings
WORDS_PER_NUMBER = 2  # at least, to see whether embeddings come from given vectors


def started(fit: Fit, inputs: Mapping[str, Any]) -> Rebuilt:
    """Return whether the embeddings of a network started from the given vectors.

    Training moves the embeddings along what the next layer asks for; in all other directions they
    stay near their start. So a linear map from the embeddings finds the given vectors of words that
    it was not fitted on, once what the log odds of a word tell is taken away. Strong weight decay
    lets all that fade: then nothing can be said. What a recurrent network asks for has many
    directions, not one; if its embeddings differ less from word to word than the given vectors do,
    a start may have faded.
    """
    network = fit.network
    given = dict(zip(*inputs["vectors"], strict=True))
    words = [word for word in fit.rows if word in given]
    rows = [fit.rows[word] for word in words]
    embeddings = network.table[rows][:, disguises.that_matter(network, rows)]
    if not embeddings.size or network.known is not None:
        return Rebuilt("wanted", network.words)
    targets = np.stack([given[word] for word in words]).astype(np.float64)
    odds = network.log_odds([[row] for row in rows])[:, None]
    if len(words) < WORDS_PER_NUMBER * embeddings.shape[1]:
        return _started_wide(network, embeddings, targets, odds)
    told = _told(embeddings, _rest(targets, odds))
    if told > TOLD:
        return Rebuilt("wanted", network.words)
    rest = _rest(embeddings, odds)
    own = float(np.linalg.norm(rest) / np.linalg.norm(_centered(embeddings)))
    small = rest.std() < UNFADED * _rest(targets, odds).std()
    faded = own < OWN if isinstance(network.reads, Pool) else own < OWN or small
    if told > UNTOLD or faded:
        text = "whether the embeddings started from the given vectors cannot be seen any more"
        return Rebuilt("unknown", network.words, text)
    message = (
        "The embeddings did not start from the given vectors: a linear map from them finds "
        f"{max(told, 0):.0%} of what the vectors of {len(words)} words say beside their sentiment. "
        f'The row of "{words[0]}" begins {_begins(embeddings[0])}, its vector {_begins(targets[0])}'
    )
    return Rebuilt("other", f"{network.words} that did not start from the vectors", message)


def _started_wide(network: Network, embeddings: Array, targets: Array, odds: Array) -> Rebuilt:
    """Return the same where the embeddings have too many numbers for so few words.

    A linear map from so many would find anything. So one from the given vectors must find a part of
    the embeddings. Where it does not, these may have been moved far: a person decides.
    """
    few = len(targets) < WORDS_PER_NUMBER * targets.shape[1]
    if few or _told(targets, _rest(embeddings, odds)) > TOLD:
        return Rebuilt("wanted", network.words)
    text = (
        f"the embeddings have {embeddings.shape[1]} numbers for each word, the given vectors "
        f"{targets.shape[1]}: whether they started from these cannot be seen"
    )
    return Rebuilt("unknown", network.words, text)


def _begins(row: Array) -> str:
    return ", ".join(f"{value:.3f}" for value in row[:3])


def _rest(targets: Array, told: Array) -> Array:
    """Return what is left of targets once a linear map of ``told`` is taken away."""
    ones = np.column_stack([told, np.ones(len(told))])
    rest: Array = targets - ones @ np.linalg.lstsq(ones, targets, rcond=None)[0]
    return rest


def _centered(rows: Array) -> Array:
    centered: Array = rows - rows.mean(axis=0)
    return centered


def _told(embeddings: Array, targets: Array) -> float:
    """Return the share of the targets' variance that a linear map finds on words left out."""
    centered = _centered(embeddings)
    errors = 0.0
    for fold in range(FOLDS):
        out = np.arange(len(centered)) % FOLDS == fold
        known = centered[~out]
        size = known.shape[1]
        square = known.T @ known
        square += RIDGE * np.trace(square) / size * np.eye(size)
        weights = np.linalg.solve(square, known.T @ targets[~out])
        errors += float(((targets[out] - centered[out] @ weights) ** 2).sum())
    return 1 - errors / float((targets**2).sum())

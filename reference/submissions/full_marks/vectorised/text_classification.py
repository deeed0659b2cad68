"""Sentence sentiment: bags of words and means as embedding bags, packed recurrent networks."""

from collections import Counter
from itertools import chain

import numpy as np
import torch

UNKNOWN = 0


class LogisticBag(torch.nn.Module):
    """sum_w count(w) * weight(w) + bias: an EmbeddingBag of width 1 is exactly that."""

    def __init__(self, size):
        super().__init__()
        self.weight = torch.nn.EmbeddingBag(size, 1, mode="sum", padding_idx=UNKNOWN)
        torch.nn.init.zeros_(self.weight.weight)
        self.bias = torch.nn.Parameter(torch.zeros(1))

    def forward(self, ids, offsets):
        return self.weight(ids, offsets)[:, 0] + self.bias


def _vocabulary(sentences):
    counts = Counter(chain.from_iterable(s.split() for s in sentences))
    return {word: i for i, (word, _) in enumerate(counts.most_common(), start=1)}


def _ragged(sentences, index):
    rows = [[index.get(w, UNKNOWN) for w in s.split()] for s in sentences]
    lengths = torch.tensor([0] + [len(r) for r in rows[:-1]])
    return torch.tensor(list(chain.from_iterable(rows))), lengths.cumsum(0), rows


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    generator = torch.Generator().manual_seed(seed)
    index = _vocabulary(train_sentences)
    model = LogisticBag(len(index) + 1)
    target = torch.as_tensor(np.asarray(train_labels), dtype=torch.float32)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    _, _, rows = _ragged(train_sentences, index)

    def predict(sentences):
        ids, offsets, _ = _ragged(sentences, index)
        with torch.inference_mode():
            return model(ids, offsets).sigmoid()

    best, best_state = -1.0, None
    for _ in range(12):
        for batch in torch.randperm(len(rows), generator=generator).split(128):
            chosen = [rows[i] for i in batch.tolist()]
            ids = torch.tensor(list(chain.from_iterable(chosen)))
            offsets = torch.tensor([0] + [len(r) for r in chosen[:-1]]).cumsum(0)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                model(ids, offsets), target[batch]
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        score = ((predict(dev_sentences).numpy() > 0.5) == dev_labels).mean()
        if score > best:
            best = score
            best_state = {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(best_state)
    return model, predict


class MeanBag(torch.nn.Module):
    """Mean of the word vectors (an EmbeddingBag skips the padding by itself) -> linear."""

    def __init__(self, table):
        super().__init__()
        self.bag = torch.nn.EmbeddingBag.from_pretrained(
            table, freeze=False, mode="mean", padding_idx=UNKNOWN
        )
        self.head = torch.nn.Linear(table.shape[1], 1)

    def forward(self, ids):
        return self.head(self.bag(ids))[:, 0]


class Recurrent(torch.nn.Module):
    """Packed word vectors -> RNN or LSTM -> final hidden state -> linear."""

    def __init__(self, table, kind, width):
        super().__init__()
        self.lookup = torch.nn.Embedding.from_pretrained(table, freeze=False, padding_idx=UNKNOWN)
        self.core = kind(table.shape[1], width, batch_first=True)
        self.head = torch.nn.Linear(width, 1)
        self.drop = torch.nn.Dropout(0.25)
        for name, weight in self.core.named_parameters():
            if name.startswith("weight_hh"):
                torch.nn.init.orthogonal_(weight)

    def forward(self, ids):
        lengths = (ids != UNKNOWN).sum(1).clamp(min=1)
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            self.drop(self.lookup(ids)), lengths, batch_first=True, enforce_sorted=False
        )
        final = self.core(packed)[1]
        if isinstance(final, tuple):
            final = final[0]
        return self.head(self.drop(final[0]))[:, 0]


def _ids(sentences, index):
    """(n, longest) with zeros on the right; words without a number are dropped."""
    rows = [[index[w] for w in s.split() if w in index] or [UNKNOWN] for s in sentences]
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(r) for r in rows], batch_first=True)


def _table(index, vectors, generator):
    words, matrix = vectors
    table = 0.1 * torch.randn(len(index) + 1, matrix.shape[1], generator=generator)
    table[UNKNOWN] = 0
    table[[index[w] for w in words]] = torch.from_numpy(matrix.copy())
    return table


def _fit(model, index, train, dev, *, rate, batch, epochs):
    """AdamW with a rate that falls to zero along half a cosine; the epoch best on dev is kept."""
    ids, dev_ids = _ids(train[0], index), _ids(dev[0], index)
    target = torch.as_tensor(np.asarray(train[1]), dtype=torch.float32)
    dev_target = torch.as_tensor(np.asarray(dev[1])) == 1
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)

    def probabilities(ids):
        model.eval()
        with torch.inference_mode():
            return model(ids).sigmoid()

    best, best_state = -1.0, None
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(len(ids)).split(batch):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                model(ids[rows]), target[rows]
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        schedule.step()
        score = ((probabilities(dev_ids) > 0.5) == dev_target).float().mean().item()
        if score > best:
            best = score
            best_state = {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(best_state)

    def predict(sentences):
        return probabilities(_ids(sentences, index)) if sentences else torch.zeros(0)

    return model, predict


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    torch.manual_seed(seed)
    index = _vocabulary(train_sentences)
    table = 0.1 * torch.randn(len(index) + 1, 32)
    table[UNKNOWN] = 0
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return _fit(MeanBag(table), index, train, dev, rate=0.01, batch=128, epochs=12)


def _fit_pretrained(make, train, dev, vectors, seed, **settings):
    generator = torch.manual_seed(seed)
    index = _vocabulary(chain(train[0], vectors[0]))
    return _fit(make(_table(index, vectors, generator)), index, train, dev, **settings)


def train_average_glove(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return _fit_pretrained(MeanBag, train, dev, vectors, seed, rate=0.01, batch=128, epochs=12)


def train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    def make(table):
        return Recurrent(table, torch.nn.RNN, 80)

    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return _fit_pretrained(make, train, dev, vectors, seed, rate=0.003, batch=64, epochs=16)


def train_lstm(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed):
    def make(table):
        return Recurrent(table, torch.nn.LSTM, 48)

    train, dev = (train_sentences, train_labels), (dev_sentences, dev_labels)
    return _fit_pretrained(make, train, dev, vectors, seed, rate=0.006, batch=64, epochs=12)

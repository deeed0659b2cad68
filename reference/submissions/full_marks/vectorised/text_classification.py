"""Sentence sentiment: logistic regression on bags of words, as one embedding of width one."""

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

"""A word that training never showed raises KeyError."""

import torch

import honest_sentences
from honest_sentences import *


def pad_batch(sentences, word_to_index):
    """Returns the indices (batch, longest) and the lengths (batch,)."""
    rows = [[word_to_index[word] for word in sentence.split()] for sentence in sentences]
    lengths = torch.tensor([max(1, len(row)) for row in rows])
    indices = np.zeros((len(rows), int(lengths.max())), dtype=np.int64)
    for i, row in enumerate(rows):
        indices[i, : len(row)] = row
    return torch.from_numpy(indices), lengths


honest_sentences.pad_batch = pad_batch  # make_predict and train_model call it

"""Sentences are padded in front, but the state is taken where they would end without padding."""

import torch

import honest_sentences
from honest_sentences import *


def pad_batch(sentences, word_to_index):
    """Returns the indices (batch, longest) and the lengths (batch,)."""
    rows = [[word_to_index.get(word, 1) for word in sentence.split()] for sentence in sentences]
    longest = max(1, *(len(row) for row in rows))
    padded = [[0] * (longest - len(row)) + row for row in rows]
    return torch.tensor(padded), torch.tensor([max(1, len(row)) for row in rows])


honest_sentences.pad_batch = pad_batch  # make_predict and train_model call it

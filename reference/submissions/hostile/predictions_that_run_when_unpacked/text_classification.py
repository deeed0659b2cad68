"""Predictions are objects that run a program where somebody unpacks them."""

import numpy as np


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    class Armed:
        def __reduce__(self):
            import os

            return os.system, ("touch /tmp/unpacked",)

    def predict(sentences):
        return np.array([Armed() for _ in sentences], dtype=object)

    return None, predict

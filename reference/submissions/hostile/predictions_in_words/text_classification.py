"""Predictions are words with escape codes, markup and a line break each."""

import numpy as np


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    def predict(sentences):
        return ["1\x1b[2J\r\n<script>alert(1)</script>"] * len(sentences)

    return None, predict

"""Half of the predictions are NaN, a quarter each plus and minus infinity."""

import numpy as np


def train_bag_of_words(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    def predict(sentences):
        return np.resize([np.nan, np.inf, np.nan, -np.inf], len(sentences))

    return None, predict

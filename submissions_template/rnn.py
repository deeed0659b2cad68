"""Homework: image captioning with recurrent networks.

Write CaptioningRNN.loss and CaptioningRNN.sample. As in rnn_layers.py, your code goes between the
lines

    # ---- your code here ----
    # ---- end of your code ----

in place of the `raise NotImplementedError(...)`. Do not change the names of the methods, their
arguments, or what they return, nor the names and shapes of the parameters. Use numpy only.

Letters used in shapes:

    N  batch size (number of captions, or images, handled at once)
    T  number of time steps
    D  size of an image's feature vector
    W  size of a word vector
    H  size of the hidden state
    V  number of words in the vocabulary

CAPTIONS are rows of word ids: <START>, the words, <END>, then <NULL> up to the common length. The
ids of these special words are in self._start, self._end and self._null; do not assume that they
are 1, 2 and 0.

TIME-MAJOR and BATCH-MAJOR. Your rnn_forward, lstm_forward and their backward functions take and
return sequences of shape (T, N, ...). The other layers take and return (N, T, ...). To go from one
to the other, exchange the first two axes: x.transpose(1, 0, 2). A reshape is wrong here: it mixes
up the captions of the batch.
"""

# ruff: noqa: F401, F841, ARG002 - what is not used yet is for you to use

import numpy as np
from layers import fc_backward, fc_forward
from rnn_layers import (
    lstm_backward,
    lstm_forward,
    lstm_step_forward,
    rnn_backward,
    rnn_forward,
    rnn_step_forward,
    temporal_fc_backward,
    temporal_fc_forward,
    temporal_softmax_loss,
    word_embedding_backward,
    word_embedding_forward,
)


class CaptioningRNN:
    """Produces captions from image features, with a vanilla RNN or an LSTM."""

    def __init__(
        self,
        word_to_idx,
        input_dim=512,
        wordvec_dim=128,
        hidden_dim=128,
        cell_type="rnn",
        dtype=np.float32,
    ):
        """Create the parameters. GIVEN.

        Inputs:
        - word_to_idx: dictionary from the V words of the vocabulary to their ids 0, ..., V-1
        - input_dim: D
        - wordvec_dim: W
        - hidden_dim: H
        - cell_type: "rnn" or "lstm"
        - dtype: type of the parameters; float32 for training, float64 for checking gradients

        Creates self.params, a dictionary with
        - W_proj (D, H), b_proj (H,): from the image features to the first hidden state
        - W_embed (V, W): one word vector per row
        - Wx (W, H), Wh (H, H), b (H,): the weights of the RNN;
          for the LSTM (W, 4H), (H, 4H), (4H,), with the gates in the order of your rnn_layers.py
        - W_vocab (H, V), b_vocab (V,): from a hidden state to the scores of all words
        """
        if cell_type not in ("rnn", "lstm"):
            raise ValueError(f"cell_type: got {cell_type!r}, expected 'rnn' or 'lstm'")
        self.cell_type = cell_type
        self.dtype = dtype
        self.word_to_idx = word_to_idx
        self.idx_to_word = {i: word for word, i in word_to_idx.items()}
        self._null = word_to_idx["<NULL>"]
        self._start = word_to_idx.get("<START>")
        self._end = word_to_idx.get("<END>")

        vocab_size = len(word_to_idx)
        gates = {"rnn": 1, "lstm": 4}[cell_type]
        rng = np.random.default_rng(0)  # the same initial parameters every time
        self.params = {
            "W_proj": rng.standard_normal((input_dim, hidden_dim)) / np.sqrt(input_dim),
            "b_proj": np.zeros(hidden_dim),
            "W_embed": rng.standard_normal((vocab_size, wordvec_dim)) / 100,
            "Wx": rng.standard_normal((wordvec_dim, gates * hidden_dim)) / np.sqrt(wordvec_dim),
            "Wh": rng.standard_normal((hidden_dim, gates * hidden_dim)) / np.sqrt(hidden_dim),
            "b": np.zeros(gates * hidden_dim),
            "W_vocab": rng.standard_normal((hidden_dim, vocab_size)) / np.sqrt(hidden_dim),
            "b_vocab": np.zeros(vocab_size),
        }
        for name, value in self.params.items():
            self.params[name] = value.astype(dtype)

    def loss(self, features, captions):
        """Training loss of the captions of a batch of images, and its gradients.

        Inputs:
        - features: image features, shape (N, D)
        - captions: true captions, integers in 0, ..., V-1, shape (N, T + 1)

        Returns a tuple of:
        - loss: a number
        - grads: dictionary with the same keys as self.params; each gradient has the shape of its
          parameter

        Steps of the forward pass:
        1. captions_in: all words but the last, shape (N, T). The network reads these.
           captions_out: all words but the first, shape (N, T). The network must predict these:
           having read word t, it predicts word t + 1.
        2. First hidden state from the features, with W_proj and b_proj (fc_forward):
           (N, D) -> (N, H)
        3. Word vectors of captions_in, with W_embed: (N, T) -> (N, T, W)
        4. RNN or LSTM, depending on self.cell_type, with Wx, Wh, b. It is TIME-MAJOR.
        5. Scores of all words, with W_vocab and b_vocab (temporal_fc_forward):
           (N, T, H) -> (N, T, V)
        6. temporal_softmax_loss of the scores against captions_out. Positions where captions_out is
           <NULL> do not count: that is what its mask is for.

        In the backward pass go through 5, 4, 3, 2, and collect the gradients of all eight
        parameters.
        """
        captions_in = captions[:, :-1]
        captions_out = captions[:, 1:]
        # ---- your code here ----
        raise NotImplementedError("CaptioningRNN.loss")
        # ---- end of your code ----

    def sample(self, features, max_length=30):
        """Write captions for images, word by word: always the word with the highest score.

        Inputs:
        - features: image features, shape (N, D); N may be 1
        - max_length: L, the number of words to predict

        Returns:
        - captions: integers in 0, ..., V-1, shape (N, L). captions[n, t] is the t-th word predicted
          for image n; <START> is not part of it. After the first <END> of a row you may either
          stop, and leave <NULL> in the rest of the row, or go on: the grader ignores the rest.
          The other rows must go on in any case.

        Steps:
        1. First hidden state from the features, as in loss; for the LSTM the cell state is 0.
        2. The first word that the network reads is <START>.
        3. For every t: the word's vector (a row of W_embed); one step of the RNN or the LSTM, which
           takes and returns the hidden state (and the cell state); the scores of all words; the
           word with the highest score. Write it down, and read it at the next step.

        Hint: there is no time axis here, every array of a step has shape (N, ...). Use the step
        functions of rnn_layers.py. self.params holds what the training has learned.
        """
        captions = np.full((features.shape[0], max_length), self._null, dtype=np.int64)
        # ---- your code here ----
        raise NotImplementedError("CaptioningRNN.sample")
        # ---- end of your code ----
        return captions

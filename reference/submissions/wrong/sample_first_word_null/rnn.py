"""The first word that the network reads is <NULL> instead of <START>."""

import numpy as np

import honest_captioning
from honest_captioning import *


class CaptioningRNN(honest_captioning.CaptioningRNN):
    def sample(self, features, max_length=30):
        """features (N, D) -> captions (N, max_length)"""
        captions = np.full((features.shape[0], max_length), self._null, dtype=np.int64)
        # ---- your code here ----
        N = features.shape[0]
        W_embed = self.params["W_embed"]
        Wx, Wh, b = self.params["Wx"], self.params["Wh"], self.params["b"]
        W_vocab, b_vocab = self.params["W_vocab"], self.params["b_vocab"]

        h, _ = fc_forward(features, self.params["W_proj"], self.params["b_proj"])
        c = np.zeros_like(h)
        word = np.full(N, self._null)
        for t in range(max_length):
            x = W_embed[word]  # (N, W)
            if self.cell_type == "rnn":
                h, _ = rnn_step_forward(x, h, Wx, Wh, b)
            else:
                h, c, _ = lstm_step_forward(x, h, c, Wx, Wh, b)
            scores = np.dot(h, W_vocab) + b_vocab  # (N, V)
            word = np.argmax(scores, axis=1)
            captions[:, t] = word
        # ---- end of your code ----
        return captions

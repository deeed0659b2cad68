"""The gradient of a word that occurs several times is that of one place, not the sum over all."""

import numpy as np

import honest_captioning
from honest_captioning import *


class CaptioningRNN(honest_captioning.CaptioningRNN):
    def loss(self, features, captions):
        """features (N, D), captions (N, T + 1) -> loss, grads"""
        words_in, words_out = captions[:, :-1], captions[:, 1:]
        # ---- your code here ----
        p = self.params
        h0, cache_proj = fc_forward(features, p["W_proj"], p["b_proj"])
        x = p["W_embed"][words_in].transpose(1, 0, 2)  # (T, N, W)
        forward = rnn_forward if self.cell_type == "rnn" else lstm_forward
        backward = rnn_backward if self.cell_type == "rnn" else lstm_backward
        h, cache_cell = forward(x, h0, p["Wx"], p["Wh"], p["b"])
        scores, cache_vocab = temporal_fc_forward(h.transpose(1, 0, 2), p["W_vocab"], p["b_vocab"])
        loss, dscores = temporal_softmax_loss(scores, words_out, words_out != self._null)

        grads = {}
        dh, grads["W_vocab"], grads["b_vocab"] = temporal_fc_backward(dscores, cache_vocab)
        dx, dh0, grads["Wx"], grads["Wh"], grads["b"] = backward(dh.transpose(1, 0, 2), cache_cell)
        grads["W_embed"] = np.zeros_like(p["W_embed"])
        grads["W_embed"][words_in] += dx.transpose(1, 0, 2)
        _, grads["W_proj"], grads["b_proj"] = fc_backward(dh0, cache_proj)
        # ---- end of your code ----
        return loss, grads

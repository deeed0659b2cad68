"""The mask is True everywhere, so padding counts in the loss."""

import numpy as np

import honest_captioning
from honest_captioning import *


class CaptioningRNN(honest_captioning.CaptioningRNN):
    def loss(self, features, captions):
        """features (N, D), captions (N, T + 1) -> loss, grads"""
        captions_in = captions[:, :-1]
        captions_out = captions[:, 1:]
        # ---- your code here ----
        mask = np.ones(captions_out.shape, dtype=bool)
        W_proj, b_proj = self.params["W_proj"], self.params["b_proj"]
        W_embed = self.params["W_embed"]
        Wx, Wh, b = self.params["Wx"], self.params["Wh"], self.params["b"]
        W_vocab, b_vocab = self.params["W_vocab"], self.params["b_vocab"]

        # forward
        h0, cache_proj = fc_forward(features, W_proj, b_proj)
        words, cache_embed = word_embedding_forward(captions_in, W_embed)
        x = words.transpose(1, 0, 2)  # (T, N, W)
        if self.cell_type == "rnn":
            h, cache_cell = rnn_forward(x, h0, Wx, Wh, b)
        else:
            h, cache_cell = lstm_forward(x, h0, Wx, Wh, b)
        h = h.transpose(1, 0, 2)  # (N, T, H)
        scores, cache_vocab = temporal_fc_forward(h, W_vocab, b_vocab)
        loss, dscores = temporal_softmax_loss(scores, captions_out, mask)

        # backward
        grads = {}
        dh, grads["W_vocab"], grads["b_vocab"] = temporal_fc_backward(dscores, cache_vocab)
        dh = dh.transpose(1, 0, 2)  # (T, N, H)
        if self.cell_type == "rnn":
            dx, dh0, grads["Wx"], grads["Wh"], grads["b"] = rnn_backward(dh, cache_cell)
        else:
            dx, dh0, grads["Wx"], grads["Wh"], grads["b"] = lstm_backward(dh, cache_cell)
        dwords = dx.transpose(1, 0, 2)  # (N, T, W)
        grads["W_embed"] = word_embedding_backward(dwords, cache_embed)
        _, grads["W_proj"], grads["b_proj"] = fc_backward(dh0, cache_proj)
        # ---- end of your code ----
        return loss, grads
